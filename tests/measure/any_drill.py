"""Drills in which anything may have been seen in any order: for what must hold whatever was."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import strategies as st
from tests.measure.builders import LIMIT, WORKER, at, between, drill_plan, limit, samples

from kubedrill.api.faults import Fault
from kubedrill.core.evidence.attribution import CHANGES
from kubedrill.core.evidence.facts import Fact, FactKind, Series, Source
from kubedrill.core.measure.drill_record import Circumstances
from kubedrill.core.measure.objectives import Grounds, judge
from kubedrill.core.measure.results import Milestone, MilestoneName, ObjectiveResult
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.plugins.faults.of_drill import profile

BEGINS, ENDS = -120, 240
SOURCES = {FactKind.ATTRIBUTED: [Source.OBSERVER], FactKind.PODS_LISTED: [Source.AUDIT_LOG]}
MOST_LIKELY = (
    FactKind.FAULT_INJECTED,
    FactKind.FAULT_EFFECTIVE,
    FactKind.ALERT_FIRING,
    FactKind.ALERT_RESOLVED,
    FactKind.WORKLOAD_STATE,
    FactKind.TARGET_CHANGED,
    FactKind.FAULT_REVERTED,
)
"""Without these hardly anything is reached."""
STARTS = (("AlertFired", False), ("Injected", True), ("FixApplied", True))
PLAIN = [m for m in MilestoneName if m not in (MilestoneName.ESCALATION_REQUESTED, MilestoneName.ESCALATION_ENGAGED)]
OBJECTIVES = (
    limit("l2", "EscalationEngaged", 60, level="L2"),
    *(limit(f"{start}-{to}".lower(), to, 60, start=start, anyone=anyone) for start, anyone in STARTS for to in PLAIN),
)
MANUAL = Fault.model_validate({"name": "unplug", "manual": {"do": "unplug it", "undo": "plug it in"}})
PLANS = (
    drill_plan(*OBJECTIVES),
    drill_plan(*OBJECTIVES, steady=()),
    drill_plan(*OBJECTIVES, faults=(MANUAL,), profiles=(profile(MANUAL, "shop"),)),
)
"""With a check, with none, and one in which nothing but people's words tells anything."""


@dataclass(frozen=True)
class AnyDrill:
    """What was seen of a drill. Seconds are after T+0, where that is anything."""

    plan: DrillPlan
    facts: tuple[Fact, ...]
    series: dict[str, Series]
    now: int
    ended: int | None

    def judged(self, reached: tuple[Milestone, ...]) -> tuple[ObjectiveResult, ...]:
        ended = at(self.ended) if self.ended is not None else None
        return judge(reached, self.plan, Grounds(now=at(self.now), ended=ended))

    @property
    def circumstances(self) -> Circumstances:
        ended = at(self.ended) if self.ended is not None else None
        return Circumstances("drill-1", "drills", started=at(BEGINS), ended=ended)


def _fact(kind: FactKind, number: int, chance: Random) -> Fact:
    first = chance.randint(BEGINS, ENDS)
    last = first + chance.choice([0, 0, 1, 5, 60])
    source = chance.choice(SOURCES.get(kind, [Source.PROMETHEUS, Source.PLAYER_ACTION, Source.OBSERVER]))
    by = chance.choice(["", "alice", "emma", "nobody-known"])
    detail: dict[str, Any] = {
        "alert": chance.choice(["HighQueueDepth", "HighQueueDepth", "Another"]),
        "target": WORKER,
        "path": chance.choice([LIMIT, "/spec/replicas"]),
        "field": "limits.memory",
        "before": 5,
        "after": chance.randint(0, 10),
        "change": chance.choice(["w@7", str(number)]),
        "severity": chance.choice(["P1", "P3"]),
        "level": chance.choice(["", "L2"]),
        "ready": chance.randint(0, 5),
        "desired": chance.choice([0, 5, 5]),
        "unready": chance.choice([0, 0, 2]),
        "killed": 0,
        "fact": chance.choice(["w@7", "interference/w@7"]),
        "to": "alice",
    }
    if kind in CHANGES:
        source = Source.TARGET_WATCH
    return Fact(kind, between(first, last), source, f"{kind}/{number}", by, f"{kind} was seen", detail)


def _curve(chance: Random) -> list[float]:
    """A few slopes: what rises, falls, stays, and rises again."""
    values = [float(chance.randint(0, 60))]
    for _ in range(chance.randint(1, 8)):
        slope = chance.choice([-2, -1, 0, 1, 2])
        values += [max(0.0, values[-1] + slope * n) for n in range(1, chance.randint(5, 60))]
    return values


@st.composite
def any_drill(draw: st.DrawFn) -> AnyDrill:
    """Which kinds of facts were seen is searched, all else is chance: a draw for each detail would take minutes."""
    chance = Random(draw(st.integers(0, 2**32)))  # noqa: S311  chance, not a secret
    kinds = draw(st.lists(st.one_of(st.sampled_from(MOST_LIKELY), st.sampled_from(sorted(FactKind))), max_size=25))
    facts = tuple(_fact(kind, number, chance) for number, kind in enumerate(kinds))
    series = {
        name: samples(_curve(chance), start=chance.randint(BEGINS, 0), name=name)
        for name in ("impact", "queue")
        if chance.random() < 0.7
    }
    now = chance.randint(0, ENDS + 60)
    ended = chance.choice([None, chance.randint(0, now)])
    return AnyDrill(chance.choice(PLANS), facts, series, now, ended)


@st.composite
def well_played(draw: st.DrawFn) -> AnyDrill:
    """One that is injected, fires, is mended and recovers, with anything else among it."""
    other = draw(any_drill())
    fixed = draw(st.integers(20, 80))
    told: list[tuple[FactKind, int, Source, str, dict[str, Any]]] = [
        (FactKind.FAULT_INJECTED, -60, Source.OPERATOR, "", {}),
        (FactKind.FAULT_EFFECTIVE, -50, Source.POD_WATCH, "", {}),
        (FactKind.ALERT_FIRING, 0, Source.PROMETHEUS, "", {"alert": "HighQueueDepth"}),
        (FactKind.WORKLOAD_STATE, -50, Source.POD_WATCH, "", {"ready": 2, "unready": 3}),
        (FactKind.TARGET_CHANGED, fixed, Source.TARGET_WATCH, "tom", {"path": LIMIT, "change": "fix", "after": 1}),
        (FactKind.WORKLOAD_STATE, fixed + 5, Source.POD_WATCH, "", {"ready": 5, "unready": 0}),
        (FactKind.ALERT_RESOLVED, fixed + 20, Source.PROMETHEUS, "", {"alert": "HighQueueDepth"}),
    ]
    base = {"target": WORKER, "desired": 5, "killed": 0, "field": "limits.memory"}
    facts = tuple(
        Fact(kind, between(second), source, f"{kind}/well/{number}", by, "seen", base | detail)
        for number, (kind, second, source, by, detail) in enumerate(told)
    )
    peak = fixed + 70
    impact = [float(n) for n in range(peak)] + [max(0.0, peak - 3.0 * n) for n in range(200)]
    calm = {"queue": samples(impact, start=-70), "impact": samples(impact, start=-70)}
    more = draw(st.sampled_from([other.facts, other.facts[:3], ()]))
    fell_before = {"impact": samples([200.0] * 60 + [200 - 5.0 * n for n in range(40)] + [0.0] * 300, start=-250)}
    impacts: tuple[dict[str, Series], ...] = ({"impact": calm["impact"]}, fell_before, {}, other.series)
    series = draw(st.sampled_from(impacts)) | {"queue": calm["queue"]}
    return AnyDrill(PLANS[0], (*facts, *more), series, ENDS + 60, draw(st.sampled_from([None, ENDS + 30])))
