"""Stop conditions asked of Prometheus: what to ask, and what an answer says of one.

Like an alert rule: an expression is met when it gives any series at all, so `errors > 5` does and `errors`, which
always gives one, is met from the start. An error is no answer, and no answer is never "not met".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from kubedrill.core.conduct import StopCondition
from kubedrill.core.facts import Fact, FactKind, Interval, Source
from kubedrill.core.safety import StopReading
from kubedrill.signals import promql

WRONG: Final = frozenset({"bad_data", "execution"})
"""Prometheus' words for an expression that it will never evaluate; its other errors may pass."""


def unaskable(condition: StopCondition) -> StopReading | None:
    """That a condition is no PromQL: it is not even asked."""
    wrong = promql.check(condition.promql) if condition.promql else ""
    return StopReading(condition.name, None, f"is no PromQL: {wrong}"[:300], refused=True) if wrong else None


def query_of(condition: StopCondition) -> str:
    """What to ask for at an instant."""
    return condition.promql or promql.firing(condition.alert)


def read(condition: StopCondition, answer: Mapping[str, Any], namespace: str) -> StopReading:
    """What an answer says. An alert counts when it is about the namespace, or about none."""
    name = condition.name
    if answer.get("status") != "success":
        error = str(answer.get("error") or answer.get("message") or "no answer of Prometheus")[:300]
        return StopReading(name, None, error, refused=answer.get("errorType") in WRONG)
    data = answer.get("data") or {}
    if data.get("resultType") != "vector":
        said = f"gives a {data.get('resultType')}; write a comparison, as in errors > 5"
        return StopReading(name, None, said, refused=True)
    if condition.alert:
        fires = any(s["metric"].get("namespace", namespace) == namespace for s in data["result"])
        return StopReading(name, fires, f"{condition.alert} fires" if fires else "")
    shown = ", ".join(_series(data["result"]))
    return StopReading(name, bool(data["result"]), f"{condition.promql} gives {shown}"[:300] if shown else "")


def unanswered(condition: StopCondition, error: str) -> StopReading:
    """That nobody answered."""
    return StopReading(condition.name, None, error[:300])


def fact_of(reading: StopReading, asked: datetime, answered: datetime) -> Fact:
    """That a condition was met when it was asked for, between these instants."""
    at = Interval(asked, answered)
    return Fact(FactKind.STOP_CONDITION_MET, at, Source.PROMETHEUS, f"stop/{reading.name}",
                evidence=f"stop condition {reading.name}: {reading.said}",
                detail={"condition": reading.name, "said": reading.said})


def _series(result: list[Mapping[str, Any]]) -> Iterator[str]:
    for series in result[:3]:
        labels = ", ".join(f'{k}="{v}"' for k, v in sorted(series["metric"].items()) if k != "__name__")
        yield f"{float(series['value'][1]):g}" + (f" {{{labels}}}" if labels else "")
    if len(result) > 3:
        yield f"and {len(result) - 3} more"
