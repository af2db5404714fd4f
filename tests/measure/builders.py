"""What a test of the measurement says, in few words: seconds after T+0, facts, samples, a drill's design."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from kubedrill.api.faults import Fault
from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Sample, Series, Source
from kubedrill.core.measure.crossings import edges
from kubedrill.core.measure.results import By, Milestone, MilestoneName
from kubedrill.core.measure.windows import long_enough, sustained
from kubedrill.core.plan.drill_plan import AlertWanted, DrillPlan, Endpoint, ImpactFall, Limit, Participant, SteadyCheck
from kubedrill.plugins.faults.of_drill import profile

T0 = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
WORKER = "Deployment/worker"
LIMIT = "/spec/template/spec/containers/0/resources/limits/memory"
_ids = count()


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def between(first: float, last: float | None = None) -> Interval:
    return Interval(at(first), at(first if last is None else last))


def fact(
    kind: FactKind,
    first: float,
    last: float | None = None,
    *,
    by: str = "",
    source: Source = Source.PLAYER_ACTION,
    fact_id: str = "",
    **detail: Any,
) -> Fact:
    return Fact(kind, between(first, last), source, fact_id or f"{kind}/{next(_ids)}", by, f"{kind} seen", detail)


def changed(seconds: float, by: str = "", path: str = LIMIT, **detail: Any) -> Fact:
    told = {"target": WORKER, "path": path, "before": "64Mi", "after": "128Mi"} | detail
    return fact(FactKind.TARGET_CHANGED, seconds, by=by, source=Source.TARGET_WATCH, **told)


def scaled(seconds: float, by: str = "", before: int = 5, after: int = 10) -> Fact:
    return fact(
        FactKind.SCALED,
        seconds,
        by=by,
        source=Source.TARGET_WATCH,
        target=WORKER,
        before=before,
        after=after,
        path="/spec/replicas",
    )


def alert(kind: FactKind, first: float, last: float | None = None, source: Source = Source.PROMETHEUS) -> Fact:
    return fact(kind, first, last, source=source, alert="HighQueueDepth")


def state(seconds: float, ready: int, desired: int = 5) -> Fact:
    return fact(
        FactKind.WORKLOAD_STATE,
        seconds,
        source=Source.POD_WATCH,
        target=WORKER,
        ready=ready,
        desired=desired,
        unready=desired - ready,
        killed=0,
    )


def injected(seconds: float = -60) -> Fact:
    return fact(FactKind.FAULT_INJECTED, seconds, source=Source.OPERATOR, fault="limit", target=WORKER)


def bitten(seconds: float = -50) -> Fact:
    return fact(FactKind.FAULT_EFFECTIVE, seconds, source=Source.POD_WATCH, fault="limit")


def reverted(seconds: float) -> Fact:
    return fact(FactKind.FAULT_REVERTED, seconds, source=Source.OPERATOR, fault="limit", target=WORKER)


def samples(values: list[float], start: float = 0, step: float = 1, name: str = "impact") -> Series:
    taken = tuple(Sample(at(start + number * step), float(value)) for number, value in enumerate(values))
    return Series(name, taken, timedelta(seconds=step))


def limit(name: str = "detection", to: str = "Acknowledged", within: float = 300, **more: Any) -> Limit:
    given: dict[str, Any] = {"start": "AlertFired", "level": "", "anyone": False, **more}
    return Limit(name, to=to, within=timedelta(seconds=within), **given)


FALL = ImpactFall("queue", timedelta(seconds=14), 10, 10)
BELOW_20 = SteadyCheck("queue", "queue_depth", below=20)


def drill_plan(*objectives: Limit, **more: Any) -> DrillPlan:
    nowhere = Endpoint("shop", "prometheus", 9090)
    worker = {"target": {"kind": "Deployment", "name": "worker"}}
    squeeze = Fault.model_validate({"name": "limit", "memoryLimit": worker})
    design = DrillPlan(
        title="t",
        narrative="",
        target_namespace="shop",
        pace=1,
        faults=(squeeze,),
        profiles=(profile(squeeze, "shop"),),
        steady=(BELOW_20,),
        alerts=(AlertWanted("HighQueueDepth", starts_clock=True, within=timedelta(0)),),
        impact=FALL,
        recovered_window=timedelta(seconds=15),
        wrap_up=timedelta(0),
        arm_within=timedelta(minutes=3),
        max_duration=timedelta(hours=1),
        objectives=objectives,
        injects=(),
        players=(Participant("alice", "L1"), Participant("emma", "L2"), Participant("tom", "Engineering")),
        facilitator="fay",
        severity="P1",
        component="worker",
        fault_class="MemoryLimit",
        prometheus=nowhere,
        alertmanager=nowhere,
    )
    return replace(design, **more)


def milestone(name: MilestoneName, first: float, last: float | None = None, **more: Any) -> Milestone:
    return Milestone(name, between(first, last), Source.PROMETHEUS, "", **more)


FIRED = milestone(MilestoneName.ALERT_FIRED, 0, by=By.AUTOMATION)


def first_sustained(
    series: Series, check: SteadyCheck, window: timedelta, smoothing: timedelta | None = None
) -> Interval | None:
    """The start of the first window, never under 15 samples, in which a check holds all the time."""
    if not series.samples:
        return None
    now = series.samples[-1].at + series.step / 2
    return sustained((edges(series, check, now, smoothing),), long_enough(window, series.step), now)
