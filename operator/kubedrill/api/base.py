"""The base of all resources, and the small types that they share.

Names follow the API conventions: camelCase in the API, snake_case here. Every string, list and map has a
maximum, because the API server refuses a schema whose rules could cost too much without one.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

GROUP = "kubedrill.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"


def rules(*pairs: tuple[str, str]) -> list[Any]:
    """CEL rules as the API wants them, from (rule, message)."""
    return [{"rule": rule, "message": message} for rule, message in pairs]


class ApiModel(BaseModel):
    """A part of a resource: immutable, closed (an unknown field is an error), camelCase on the wire."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True, use_enum_values=False
    )

    def to_wire(self) -> dict[str, Any]:
        """As the API server wants it: camelCase, without what was not set."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


DURATION_PATTERN = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"
# A memory quantity without milli-units: `128m` is 0.128 bytes and never what was meant.
MEMORY_PATTERN = r"^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)?$"

Name = Annotated[str, Field(max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
ObjectName = Annotated[str, Field(max_length=253, min_length=1)]
Word = Annotated[str, Field(max_length=63, min_length=1)]
Line = Annotated[str, Field(max_length=256)]
Text = Annotated[str, Field(max_length=4096)]
PromQL = Annotated[str, Field(max_length=1024, min_length=1)]
Time = Annotated[str, Field(max_length=40, json_schema_extra={"format": "date-time"})]
Duration = Annotated[
    str,
    Field(
        max_length=32,
        pattern=DURATION_PATTERN,
        json_schema_extra={
            "x-kubernetes-validations": rules(
                (f"self.matches('{DURATION_PATTERN.replace(chr(92), chr(92) * 2)}')",
                 "write a duration such as 90s, 15m or 1h30m"),
            )
        },
    ),
]
Memory = Annotated[
    str,
    Field(
        max_length=24,
        json_schema_extra={
            "x-kubernetes-int-or-string": True,
            "x-kubernetes-validations": rules(
                ("type(self) == int || !string(self).endsWith('m')",
                 "128m is 0.128 bytes; write 128Mi for mebibytes"),
                ("type(self) == int || string(self).matches('^[0-9]+([.][0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)?$')",
                 "write a memory quantity such as 64Mi or 1Gi"),
            ),
        },
    ),
]
