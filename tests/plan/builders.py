"""Plans of every shape, and the largest that the API lets people write in plain letters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from tests.measure import builders as measure
from tests.observers import builders as observers

from kubedrill.api.drill import DrillSpec
from kubedrill.api.faults import Fault
from kubedrill.core.plan.derive import derive
from kubedrill.core.plan.drill_plan import (
    AlertWanted,
    DrillPlan,
    Endpoint,
    ImpactFall,
    InjectAt,
    Limit,
    Participant,
    PlannedStop,
    SteadyCheck,
)
from kubedrill.plugins.faults import of_drill

WEB = {"kind": "Deployment", "name": "web"}
FAULTS = (
    {"name": "limit", "memoryLimit": {"target": WEB, "limit": "64Mi", "affected": 3}},
    {"name": "bytes", "memoryLimit": {"target": WEB, "limit": "67108864"}},
    {"name": "load", "queueLoad": {"key": "jobs", "ratePerSecond": 5, "count": 9, "job": {"kind": "mail"}}},
    {"name": "page", "alert": {"alert": "Errors", "labels": {"severity": "page"}}},
    {"name": "storm", "manual": {"do": "unplug it", "undo": "plug it in"}},
)
words = st.text(max_size=12)
spans = st.timedeltas(timedelta(0), timedelta(days=30))
numbers = st.floats(allow_nan=False, allow_infinity=False)


def some(made: Callable[..., Any], *fields: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(st.builds(made, *fields), max_size=3).map(tuple)


plans = st.builds(
    replace,
    st.sampled_from([measure.drill_plan(), observers.drill_plan()]),
    title=words,
    narrative=words,
    pace=st.integers(1, 60),
    faults=st.lists(st.sampled_from([Fault.model_validate(f) for f in FAULTS]), max_size=5).map(tuple),
    steady=some(SteadyCheck, words, words, st.none() | numbers, st.none() | numbers),
    alerts=some(AlertWanted, words, st.booleans(), spans),
    impact=st.builds(ImpactFall, words, spans, numbers, numbers),
    wrap_up=spans,
    max_duration=spans,
    objectives=some(Limit, words, words, words, words, spans, st.booleans()),
    injects=some(InjectAt, words, spans, words, words, words),
    players=some(Participant, words, words, words, words, words),
    environment=words,
    roster=words,
    namespace_label=words,
    allowed_services=st.lists(words, max_size=3).map(tuple),
    prometheus=st.builds(Endpoint, words, words, st.integers(1, 65535)),
    derived=st.lists(words, max_size=3).map(tuple),
    stop_when=some(PlannedStop, words, words, words),
)


def named(number: int, **more: object) -> dict[str, object]:
    return {"name": f"{'n' * 59}-{number}", **more}


def largest(letter: str = "x") -> DrillPlan:
    """Every list as long as it may be, every text as long as it may be and of this letter alone."""
    line, text, query, term = letter * 256, letter * 4096, letter * 1024, letter * 63
    identities = {"kubernetes": line, "fieldManager": line}
    scenario = {
        "title": line,
        "narrative": text,
        "steadyState": [named(n, query=query, below=1) for n in range(20)],
        "faults": [named(n, manual={"do": text, "undo": text}) for n in range(20)],
        "expectedAlerts": [{"name": f"{term[:60]}{n:03}"} for n in range(10)],
        "injects": [named(n, at="1m", body=text) | {"from": line} for n in range(50)],
        "mitigated": {"query": query},
        "objectives": [named(n, to="Mitigated", within="1m") for n in range(30)],
        "groundTruth": {"severity": "P1", "component": line, "faultClass": line},
    }
    spec = DrillSpec.model_validate(
        {
            "targetNamespace": "n" * 63,
            "players": [named(n, role=term, identities=identities) for n in range(50)],
            "facilitator": line,
            "stopWhen": [named(n, promql=query) for n in range(10)],
            "scenario": scenario,
        }
    )
    assert spec.scenario is not None
    return derive(spec, spec.scenario, of_drill.profile)
