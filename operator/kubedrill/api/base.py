"""The base of all resources, and the small types that they share.

Names follow the API conventions: camelCase in the API, snake_case here. Every string, list and map has a
maximum, because the API server refuses a schema whose rules could cost too much without one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from kubedrill.api.durations import NO_TIME, askable_duration, some_time
from kubedrill.api.quantities import LEAST_MEMORY, TOO_LITTLE_MEMORY, startable_memory

GROUP = "kubedrill.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"


def rules(*pairs: tuple[str, str]) -> list[Any]:
    """CEL rules as the API wants them, from (rule, message) pairs."""
    return [{"rule": rule, "message": message} for rule, message in pairs]


class ApiModel(BaseModel):
    """A part of a resource: immutable, closed (an unknown field is an error), camelCase on the wire."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True, use_enum_values=False
    )

    def to_wire(self) -> dict[str, Any]:
        """As the API server wants it: camelCase, without what was not set."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


DURATION_PATTERN = "^([0-9]+([.][0-9]+)?(ms|s|m|h))+$"
# Numbers that the API server could not count as a duration: it would answer with an error of its own making.
_UNCOUNTABLE = (
    "(^|[a-z])([0-9]{4,}([.][0-9]+)?h|[0-9]{6,}([.][0-9]+)?m([^s]|$)|[0-9]{8,}([.][0-9]+)?s|[0-9]{11,}([.][0-9]+)?ms)"
)
_AT_MOST = (
    f"!self.matches('{DURATION_PATTERN}') || (!self.matches('{_UNCOUNTABLE}') && duration(self) <= duration('720h'))"
)
_SOME = f"!self.matches('{DURATION_PATTERN}') || self.matches('[1-9]')"
# A quantity of anything that is counted or measured, as ResourceQuotas have them.
AMOUNT_PATTERN = "^[0-9]+([.][0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$"
# A memory quantity without milli-units: `128m` is 0.128 bytes and never what was meant.
MEMORY_PATTERN = "^[0-9]+([.][0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)?$"
_IN_MILLI = "128m is 0.128 bytes; write 128Mi for mebibytes"
_AT_LEAST = (
    "!isQuantity(string(self)) || string(self).endsWith('m')"
    f" || quantity(string(self)).compareTo(quantity('{LEAST_MEMORY}')) >= 0"
)


def _says(*pairs: tuple[str, str], **keywords: Any) -> Callable[[dict[str, Any]], None]:
    """CEL rules in place of a pattern: kubectl prints a pattern raw, and a rule's message as it stands."""

    def change(schema: dict[str, Any]) -> None:
        schema.pop("pattern", None)
        schema |= keywords | {"x-kubernetes-validations": rules(*pairs)}

    return change


_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
# DNS-1123, as the API server has it: a label for what becomes a host or a label, a subdomain for other objects.
NAME_PATTERN = f"^{_LABEL}$"
OBJECT_NAME_PATTERN = f"^{_LABEL}([.]{_LABEL})*$"
# What people call roles and alerts, in any script: it is shown, and never a part of a path, a host or a label.
TERM_PATTERN = r"^[^\x00-\x1f\x7f-\x9f]+$"
# Prometheus takes alerts of any name, sentences among them. What the status calls after one (its objective, its
# milestone) has some characters more, and may have 256 (Line): so no name is ever cut, and no two become one.
LONGEST_ALERT_NAME = 240
# What Prometheus takes as the name of a label.
LABEL_NAME_PATTERN = "^[a-zA-Z_][a-zA-Z0-9_]*$"
_HOST = f"{_LABEL}([.]{_LABEL})*"
_PORT = "(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?"
# No step of a path begins with a dot, so none leads up; no '%', so none is hidden; no '?', no '#', no user before '@'.
_STEPS = "(/[A-Za-z0-9_~:-][A-Za-z0-9._~:-]*)"
URL_PATTERN = f"^https?://{_HOST}{_PORT}{_STEPS}*/?$"
PATH_PREFIX_PATTERN = f"^{_STEPS}+/?$"
# None of those that say who asks, or change what is asked of whom.
TENANT_HEADER_PATTERN = "^([Xx]-[A-Za-z0-9-]+|([A-Za-z0-9]+-)*[Tt][Ee][Nn][Aa][Nn][Tt](-[A-Za-z0-9]+)*)$"
HEADER_VALUE_PATTERN = "^[!-~]([ -~]*[!-~])?$"
_SENTENCES = {
    DURATION_PATTERN: "write a duration such as 90s, 15m or 1h30m",
    MEMORY_PATTERN: "write a memory quantity such as 64Mi or 1Gi",
    AMOUNT_PATTERN: 'write a quantity in quotes, such as "0", "500m" or "1Gi"',
    NAME_PATTERN: "write a name of small letters, digits and '-', as in shop-web",
    OBJECT_NAME_PATTERN: "write the name of an object: small letters, digits, '-' and '.', as in shop-web",
    LABEL_NAME_PATTERN: "write the name of a label: letters, digits and '_', as in exported_namespace",
    URL_PATTERN: "write a URL of small letters without user, query and '..', as in https://mimir.example.com/prometheus",
    PATH_PREFIX_PATTERN: "write the path that comes before /api, as in /prometheus",
    TENANT_HEADER_PATTERN: "write a header that names a tenant, as X-Scope-OrgID: it begins with X- or says tenant",
    HEADER_VALUE_PATTERN: "write it in printable ASCII, as in team-a",
    TERM_PATTERN: "write it without control characters, as in L2 or CheckoutErrorsHigh",
}


def in_words(mistake: Mapping[str, Any]) -> str:
    """What is wrong with a value, from an error of pydantic: the sentence that the API server has for it, too."""
    context = mistake.get("ctx") or {}
    if isinstance(context.get("error"), ValueError):
        return str(context["error"])
    pattern = context.get("pattern", "")
    if pattern == MEMORY_PATTERN and str(mistake.get("input")).endswith("m"):
        return _IN_MILLI
    return _SENTENCES.get(pattern) or str(mistake["msg"])


def _matching(pattern: str, *more: tuple[str, str]) -> Callable[[dict[str, Any]], None]:
    """A pattern as a rule with its sentence, and more rules after it."""
    return _says((f"self.matches(r'{pattern}')", _SENTENCES[pattern]), *more)


def _as_text(written: Any) -> Any:
    """A number as the text that it was, so that it is refused for its missing unit, and not for being a number."""
    return str(written) if isinstance(written, int | float) else written


def _in_quotes(written: Any) -> Any:
    """A quantity that must be text: the API server takes no number for it."""
    if isinstance(written, int | float):
        raise ValueError(_SENTENCES[AMOUNT_PATTERN])  # noqa: TRY004  what pydantic takes for a mistake in a value
    return written


Name = Annotated[str, Field(max_length=63, pattern=NAME_PATTERN, json_schema_extra=_matching(NAME_PATTERN))]
ObjectName = Annotated[
    str, Field(max_length=253, pattern=OBJECT_NAME_PATTERN, json_schema_extra=_matching(OBJECT_NAME_PATTERN))
]
Term = Annotated[str, Field(max_length=63, pattern=TERM_PATTERN, json_schema_extra=_matching(TERM_PATTERN))]
AlertName = Annotated[
    str, Field(max_length=LONGEST_ALERT_NAME, pattern=TERM_PATTERN, json_schema_extra=_matching(TERM_PATTERN))
]
LabelName = Annotated[
    str, Field(max_length=63, pattern=LABEL_NAME_PATTERN, json_schema_extra=_matching(LABEL_NAME_PATTERN))
]
Url = Annotated[str, Field(max_length=512, pattern=URL_PATTERN, json_schema_extra=_matching(URL_PATTERN))]
PathPrefix = Annotated[
    str, Field(max_length=256, pattern=PATH_PREFIX_PATTERN, json_schema_extra=_matching(PATH_PREFIX_PATTERN))
]
TenantHeaderName = Annotated[
    str, Field(max_length=63, pattern=TENANT_HEADER_PATTERN, json_schema_extra=_matching(TENANT_HEADER_PATTERN))
]
HeaderValue = Annotated[
    str, Field(max_length=150, pattern=HEADER_VALUE_PATTERN, json_schema_extra=_matching(HEADER_VALUE_PATTERN))
]
Word = Annotated[str, Field(max_length=63, min_length=1)]
Line = Annotated[str, Field(max_length=256)]
Text = Annotated[str, Field(max_length=4096)]
PromQL = Annotated[str, Field(max_length=1024, min_length=1)]
Time = Annotated[str, Field(max_length=40, json_schema_extra={"format": "date-time"})]
_NO_LONGER: Final = (_AT_MOST, "write at most 30 days (720h)")
Duration = Annotated[
    str,
    BeforeValidator(_as_text),
    Field(max_length=32, pattern=DURATION_PATTERN, json_schema_extra=_matching(DURATION_PATTERN, _NO_LONGER)),
    AfterValidator(askable_duration),
]
# A time that something must happen in: in none nothing can.
TimeLimit = Annotated[
    str,
    BeforeValidator(_as_text),
    Field(
        max_length=32,
        pattern=DURATION_PATTERN,
        json_schema_extra=_matching(DURATION_PATTERN, _NO_LONGER, (_SOME, NO_TIME)),
    ),
    AfterValidator(askable_duration),
    AfterValidator(some_time),
]
Memory = Annotated[
    str,
    BeforeValidator(str),
    Field(
        max_length=24,
        pattern=MEMORY_PATTERN,
        json_schema_extra=_says(
            ("type(self) == int || !string(self).endsWith('m')", _IN_MILLI),
            (
                f"type(self) == int || string(self).endsWith('m') || string(self).matches('{MEMORY_PATTERN}')",
                _SENTENCES[MEMORY_PATTERN],
            ),
            (_AT_LEAST, TOO_LITTLE_MEMORY),
            **{"x-kubernetes-int-or-string": True},
        ),
    ),
    AfterValidator(startable_memory),
]
Amount = Annotated[
    str,
    BeforeValidator(_in_quotes),
    Field(max_length=24, pattern=AMOUNT_PATTERN, json_schema_extra=_matching(AMOUNT_PATTERN)),
]
SeverityLevel = Literal["P1", "P2", "P3", "P4", "P5"]
