"""What makes a drill look well without being so: nothing of it is a recovery, and none of it for a moment either."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from tests.examples import some_of
from tests.measure.builders import (
    FALL,
    WORKER,
    alert,
    at,
    between,
    bitten,
    changed,
    drill_plan,
    fact,
    injected,
    limit,
    samples,
    scaled,
    state,
)
from tests.measure.simulated_queue import unfixed

from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Series, Source
from kubedrill.core.evidence.matching import matched
from kubedrill.core.evidence.samples import Samples
from kubedrill.core.measure.milestones import milestones
from kubedrill.core.measure.objectives import Grounds, judge
from kubedrill.core.measure.results import By, MilestoneName, ObjectiveVerdict

BROKEN = (injected(), bitten(), state(-50, 2), alert(FactKind.ALERT_FIRING, 0))
OTHER_RULE = fact(FactKind.RULE_CHANGED, 68, source=Source.PROMETHEUS, alert="HighQueueDepth")
FIXED = (changed(50, by="tom"), state(60, 5))
SILENT = (alert(FactKind.ALERT_RESOLVED, 69, 70),)
DRAINED = {"queue": samples([max(5.0, 100 - n) for n in range(300)])}
ENDS_AT_65 = {"queue": samples([max(5.0, 100 - 3 * n) for n in range(65)])}


def ever_reached(facts: Iterable[Fact], series: Mapping[str, Series], turn: int) -> set[MilestoneName]:
    """What any turn of five minutes saw as reached, where samples come as they do: bit by bit."""
    told, plan = tuple(facts), drill_plan()
    found: set[MilestoneName] = set()
    taken = {name: Samples() for name in series}
    for now in some_of(range(0, 300, 3), turn):
        known = [f for f in told if f.at.not_before <= at(now)]
        taken = {name: taken[name].united(one.between(at(-300), at(now)).samples) for name, one in series.items()}
        seen = {name: replace(one, samples=taken[name]) for name, one in series.items()}
        found |= {m.name for m in milestones(known, seen, plan, at(now))}
    return found


def restarts() -> tuple[Fact, ...]:
    """Somebody deletes all pods again and again: they are ready for ten seconds, until they are killed once more."""
    return tuple(state(20 * n + shift, ready) for n in range(14) for shift, ready in ((0, 5), (10, 1)))


def test_without_a_trick_it_recovers():
    assert MilestoneName.RECOVERED in ever_reached((*BROKEN, *FIXED, *SILENT), DRAINED, 0)


TRICKS: dict[str, tuple[tuple[Fact, ...], Mapping[str, Series]]] = {
    "scaled to nothing": ((*BROKEN, scaled(40, by="alice", after=0), state(45, 0, 0), *SILENT), DRAINED),
    "scaled to nothing after the fix": ((*BROKEN, *FIXED, state(65, 0, 0), *SILENT), DRAINED),
    "scaled down to those that still serve": (
        (*BROKEN, scaled(40, by="alice", after=2), state(45, 2, 2), *SILENT),
        DRAINED,
    ),
    "deleted": ((*BROKEN, fact(FactKind.PODS_DELETED, 40, by="alice", pods=5), state(41, 0), *SILENT), DRAINED),
    "restarted again and again": ((*BROKEN, *restarts(), *SILENT), DRAINED),
    "restarted again and again after a change to the cause": (
        (*BROKEN, changed(50, by="tom"), *restarts(), *SILENT),
        DRAINED,
    ),
    "the rule is edited so that it is silent": ((*BROKEN, *FIXED, OTHER_RULE, *SILENT), DRAINED),
    "the rule is edited, and nobody looked just before": (
        (*BROKEN, *FIXED, fact(FactKind.GAP, 65, 75), replace(OTHER_RULE, at=between(80)), *SILENT),
        DRAINED,
    ),
    "the rule is removed, put back, and fires again": (
        (
            *(*BROKEN, *FIXED, OTHER_RULE, *SILENT),
            fact(FactKind.RULE_AS_PLANNED, 100, source=Source.PROMETHEUS, alert="HighQueueDepth"),
            alert(FactKind.ALERT_FIRING, 130),
        ),
        DRAINED,
    ),
    "no data of the check": ((*BROKEN, *FIXED, *SILENT), {}),
    "the data of the check ends": ((*BROKEN, *FIXED, *SILENT), ENDS_AT_65),
    "no data of the alert": ((*BROKEN, *FIXED), DRAINED),
    "the alert is silenced": (
        (*BROKEN, *FIXED, alert(FactKind.ALERT_RESOLVED, 69, 70, source=Source.WEBHOOK)),
        DRAINED,
    ),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_no_trick_is_ever_a_recovery(trick):
    facts, series = TRICKS[trick]
    assert MilestoneName.RECOVERED not in ever_reached(facts, series, list(TRICKS).index(trick))


MISSING = [0.0] * 10 + [3.0] * 50
"""How many pods are missing, a sample a second from ten seconds before T+0 to T+49."""


def falls_of(facts: Iterable[Fact], values: list[float]) -> Interval | None:
    """When the missing pods are called mitigated."""
    plan = drill_plan(impact=replace(FALL, amount=0))
    told = (injected(-5), bitten(-2), state(-4, 2), alert(FactKind.ALERT_FIRING, 0), *facts)
    series = {"impact": samples(values, start=-10), "queue": samples(values, start=-10)}
    found = milestones(told, series, plan, at(len(values)))
    return next((m.at for m in found if m.name is MilestoneName.MITIGATED), None)


def test_who_wants_no_pods_any_more_has_mitigated_nothing():
    gone = (scaled(49, by="alice", before=5, after=0), state(50, 0, 0))
    assert falls_of(gone, [*MISSING, *[0.0] * 60]) is None


def test_what_got_better_before_nobody_wanted_any_pods_did_get_better():
    fixed = (changed(45, by="alice"), state(50, 5), scaled(80, by="alice", before=5, after=0), state(81, 0, 0))
    mitigated = falls_of(fixed, [*MISSING, *[0.0] * 60])
    assert mitigated is not None
    assert mitigated.contains(at(49.5))


def test_who_fixes_it_while_nobody_wants_any_pods_has_mitigated_it_when_they_are_wanted_again():
    away_and_back = (
        scaled(49, by="alice", before=5, after=0),
        state(50, 0, 0),
        changed(60, by="alice"),
        scaled(70, by="alice", before=0, after=5),
        state(71, 5),
    )
    mitigated = falls_of(away_and_back, [*MISSING, *[0.0] * 60])
    assert mitigated is not None
    assert mitigated.contains(at(71))


@pytest.mark.parametrize("seed", range(20))
def test_scaled_but_unfixed_is_never_mitigated(seed):
    """More workers of which most crash, as in the morning rush: the queue grows more slowly, and that is all."""
    queue = unfixed(Random(seed)).seen(1, 0)  # noqa: S311 - a simulation that must repeat
    facts = (injected(-1), bitten(0), alert(FactKind.ALERT_FIRING, 5), scaled(20, by="alice"), state(25, 4, 10))
    assert MilestoneName.MITIGATED not in ever_reached(facts, {"impact": queue, "queue": queue}, seed)


def healed_by_the_autoscaler() -> tuple[Fact, ...]:
    by: dict[str, Any] = {
        "manager": "kube-controller-manager",
        "change": "w@9",
        "field": "spec.replicas",
        "path": "/spec/replicas",
    }
    scaling = fact(FactKind.SCALED, 90, source=Source.TARGET_WATCH, target=WORKER, before=5, after=10, **by)
    return tuple(matched((*BROKEN, scaling), drill_plan().players, {WORKER}))


def test_healed_by_the_autoscaler_alone_is_the_automations():
    falls = {"impact": samples([60.0 + n * 0.5 for n in range(160)] + [140 - 2.0 * n for n in range(60)], start=-60)}
    of_players, of_anyone = limit("player", "Mitigated", 200), limit("anyone", "Mitigated", 200, anyone=True)
    plan = drill_plan(of_players, of_anyone)
    found = milestones(healed_by_the_autoscaler(), falls, plan, at(400))
    (mitigated,) = (m for m in found if m.name is MilestoneName.MITIGATED)
    assert (mitigated.by, mitigated.actor) == (By.AUTOMATION, "")
    verdicts = [o.verdict for o in judge(found, plan, Grounds(now=at(400)))]
    assert verdicts == [ObjectiveVerdict.MISSED, ObjectiveVerdict.MET]
