"""What a scenario may break: a name, and the parameters of exactly one fault kind.

Which kinds there are is not said here. `kubedrill.plugins.faults` registers each of them when it is imported, and what
a scenario may choose from, in Python and in the CRDs alike, is composed of what is registered.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

from pydantic import (
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    InstanceOf,
    ValidationInfo,
    create_model,
    model_serializer,
    model_validator,
)
from pydantic.alias_generators import to_snake
from pydantic.config import ExtraValues
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from kubedrill.api.base import ApiModel, Name, ObjectName


class WorkloadTarget(ApiModel):
    """The workload that is hit, in the drill's target namespace."""

    kind: Literal["Deployment", "StatefulSet"] = Field(description="Kind of the workload.")
    name: ObjectName = Field(description="Its name, in the drill's target namespace.")

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


class ServiceRef(ApiModel):
    """A Service of the target namespace (or, where said so, of another one that the operator allows)."""

    name: Name = Field(description="Name of the Service.")
    port: int = Field(ge=1, le=65535, description="Port of the Service.")
    namespace: Name | None = Field(None, description="Its namespace; the drill's target namespace when left out.")


@dataclass(frozen=True, slots=True)
class FaultChoice:
    """A fault kind as the API has it: its name (camelCase), its parameters, and what `kubectl explain` says of it."""

    name: str
    params: type[ApiModel]
    summary: str


_CHOICES: dict[str, FaultChoice] = {}


class NoFaultKindsError(RuntimeError):
    """A fault is to be read, and nobody has imported `kubedrill.plugins.faults`, which registers the kinds."""


def register(*choices: FaultChoice) -> None:
    """Let scenarios choose these fault kinds; the API has them in this order."""
    _CHOICES.update({choice.name: choice for choice in choices})
    _written.cache_clear()


def fault_kinds() -> tuple[str, ...]:
    """The names of all fault kinds that a scenario may choose from.

    Raises:
        NoFaultKindsError: none are registered.
    """
    if not _CHOICES:
        raise NoFaultKindsError("no fault kinds are registered: import kubedrill.plugins.faults")
    return tuple(_CHOICES)


def _exactly_one(schema: dict[str, Any]) -> None:
    kinds = fault_kinds()
    rule = f"[{', '.join(f'has(self.{k})' for k in kinds)}].filter(x, x).size() == 1"
    seen = "".join(f" + (has(self.{k}) ? ' {k}' : '')" for k in kinds)
    said = f"'exactly one fault kind must be set, seen:'{seen}"
    schema["x-kubernetes-validations"] = [{"rule": rule, "messageExpression": said}]


class _Written(ApiModel):
    """One fault of a scenario: a name and exactly one kind."""

    model_config = ApiModel.model_config | ConfigDict(json_schema_extra=_exactly_one)

    name: Name = Field(description="Name of the fault in this scenario.")


@cache
def _written() -> type[_Written]:
    """A fault as people write it: one optional field a kind."""
    fields: dict[str, Any] = {
        to_snake(choice.name): (choice.params | None, Field(None, description=choice.summary))
        for choice in _CHOICES.values()
    }
    return create_model("Fault", __base__=_Written, __doc__=_Written.__doc__, **fields)


TOLERANT: Final = object()
"""The context of a validation in which a fault may have parameters that this version does not know."""


class Fault(ApiModel):
    """One fault of a scenario: its name, its kind, and the parameters of that kind."""

    name: Name
    kind: str
    params: InstanceOf[ApiModel]

    @model_validator(mode="before")
    @classmethod
    def _of_one_kind(cls, written: Any, info: ValidationInfo) -> Any:
        """From what people write; what is wrong with it is told with its place in there.

        With `TOLERANT` as the context, parameters that are not known are passed over.
        """
        extra: ExtraValues | None = "ignore" if info.context is TOLERANT else None
        kinds, whole = fault_kinds(), _written().model_validate(written, extra=extra)
        chosen = {kind: params for kind in kinds if (params := getattr(whole, to_snake(kind))) is not None}
        if len(chosen) != 1:
            seen = " ".join(chosen) or "none"
            raise PydanticCustomError("one_kind", "exactly one fault kind must be set, seen: {seen}", {"seen": seen})
        ((kind, params),) = chosen.items()
        return {"name": whole.name, "kind": kind, "params": params}

    @model_serializer
    def _as_written(self) -> dict[str, Any]:
        return {"name": self.name, self.kind: self.params}

    @classmethod
    def __get_pydantic_json_schema__(cls, _: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The schema of what people write."""
        return handler(_written().__pydantic_core_schema__)


FAULTS_LIST: dict[str, Any] = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
