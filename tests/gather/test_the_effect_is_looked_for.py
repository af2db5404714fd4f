"""The effect is looked for until it was seen whole: in play, too, for as long as nobody has changed the target."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.gather.builders import SPEC, a_drill

from kubedrill.controller.drill_sources import DrillSources
from kubedrill.controller.gather import gather
from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.state import Observation, State

TARGET = "Deployment/limit"
FAULT = {"name": "limit", "memoryLimit": {"target": {"kind": "Deployment", "name": "limit"}, "affected": 2}}
DRILL = a_drill({"scenario": SPEC["scenario"] | {"faults": [FAULT]}})


def told(kind: FactKind, at: datetime, number: int, **detail: Any) -> Fact:
    return Fact(kind, Interval.at(at), Source.POD_WATCH, f"{kind}/{number}", evidence=str(kind), detail=detail)


async def look(sources: DrillSources, phase: Phase, *kinds: FactKind) -> Observation:
    """After the injection these facts, ten seconds apart."""
    begun = sources.clock.now() - timedelta(minutes=2)
    facts = [told(FactKind.FAULT_INJECTED, begun, 0, fault="limit", target=TARGET)]
    for number, kind in enumerate(kinds, 1):
        detail = {"pod": f"limit-{number}", "target": TARGET, "path": "/x", "field": "x", "change": str(number)}
        facts.append(told(kind, begun + number * timedelta(seconds=10), number, **detail))
    state = State(phase=phase, start_ex=begun)
    return await gather(sources, DRILL, state, {f.id: f for f in facts}, stuck={}, waiting={})


KILLED, CHANGED = FactKind.POD_OOM_KILLED, FactKind.TARGET_CHANGED
BOTH = pytest.mark.parametrize("phase", [Phase.ARMED, Phase.IN_PLAY])


def is_seen(seen: Observation) -> bool:
    return any(f.kind is FactKind.FAULT_EFFECTIVE for f in seen.facts)


@BOTH
async def test_a_part_of_it_is_told_and_is_not_all_of_it(sources, phase):
    seen = await look(sources, phase, KILLED)

    assert not is_seen(seen)
    assert (seen.effects["limit"].some, seen.effects["limit"].words[:14]) == (True, "1 of 2 pods of")


@BOTH
async def test_all_of_it_is_a_fact(sources, phase):
    seen = await look(sources, phase, KILLED, KILLED)

    assert is_seen(seen)
    assert seen.effects == {}


async def test_in_play_what_comes_after_a_change_may_be_that_changes_doing(sources):
    assert not is_seen(await look(sources, Phase.IN_PLAY, KILLED, CHANGED, KILLED))


async def test_before_play_a_change_that_helps_nothing_hides_no_effect(sources):
    assert is_seen(await look(sources, Phase.ARMED, KILLED, CHANGED, KILLED))


async def test_once_play_is_over_nothing_is_looked_for(sources):
    assert not is_seen(await look(sources, Phase.RECOVERING, KILLED, KILLED))
