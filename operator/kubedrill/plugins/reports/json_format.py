"""The record itself as JSON: what the operator stores and everything else is rendered from.

`{"schema": …, "summary": …, "record": …}`. `summary` is for `jq` and dashboards and is ignored when read
back; `record` is a `DrillRecord` field by field: times ISO 8601 in UTC, durations ISO 8601 (`PT20M`), real
and not multiplied by the pace. It is ASCII, so that its length in characters is its length in bytes.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from kubedrill.core.measure.results import DrillRecord, ObjectiveResult
from kubedrill.plugins.reports.wording import headline, met_of, verdict_word

FORMAT: Final = "json"
SUFFIX: Final = ".json"
# The number goes up when a reader of the old form would misread the new one, not when a field is added.
SCHEMA: Final = "kubedrill.dev/drill-record/v1"

_RECORD: Final = TypeAdapter(DrillRecord)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class UnreadableRecordError(ValueError):
    """The text is no record of a drill, or one of a version that this program doesn't know."""


def render(record: DrillRecord) -> str:
    """The record as JSON; `record_from_json` gives it back.

    Samples that are no number (NaN, infinite) are left out, because they are no data; halves of surrogate
    pairs, which no UTF-8 file can hold, become the replacement character.
    """
    finite = tuple(s for s in record.impact.samples if math.isfinite(s.value))
    sound = replace(record, impact=replace(record.impact, samples=finite))
    document = {
        "schema": SCHEMA,
        "summary": _summary(record),
        "record": _RECORD.dump_python(sound, mode="json"),
    }
    return json.dumps(_encodable(document), indent=1, allow_nan=False) + "\n"


def record_from_json(text: str) -> DrillRecord:
    """The record that `render` wrote.

    Raises:
        UnreadableRecordError: no JSON, another schema, or a field that is missing or malformed (named).
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise UnreadableRecordError(f"not JSON: {error}") from error
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA:
        raise UnreadableRecordError(f"schema is {schema!r}, and this program reads {SCHEMA!r}")
    try:
        return _RECORD.validate_json(json.dumps(document.get("record")))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "record"
        raise UnreadableRecordError(f"{where}: {first['msg']}") from error


def _summary(record: DrillRecord) -> dict[str, Any]:
    met, of = met_of(record)
    return {
        "headline": headline(record),
        "verdict": verdict_word(record.verdict),
        "met": met,
        "of": of,
        "pace": record.pace,
        "objectives": [_seconds(o) for o in record.objectives],
    }


def _seconds(o: ObjectiveResult) -> dict[str, Any]:
    return {
        "name": o.name,
        "verdict": str(o.verdict),
        "limitSeconds": o.limit.total_seconds(),
        "lowerSeconds": None if o.lower is None else o.lower.total_seconds(),
        "upperSeconds": None if o.upper is None else o.upper.total_seconds(),
    }


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, dict):
        return {_encodable(k): _encodable(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_encodable(v) for v in value]
    return value if not isinstance(value, float) or math.isfinite(value) else None
