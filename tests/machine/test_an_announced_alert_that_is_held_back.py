"""B13: a drill of people whose alert Alertmanager holds back says what holds it, and not only that nothing was seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.machine.world import START, drill_plan, fact, seen

from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.machine.effect_guards import not_effective
from kubedrill.core.machine.judged import assessed
from kubedrill.core.machine.state import FaultState, State


@pytest.mark.parametrize("held", ["FcWarn is inhibited by NodeDown", "FcWarn is silenced by silence 7 (of bob)"])
def test_b13_the_end_without_effect_names_the_silence_or_what_inhibits(held: str):
    plain = drill_plan()
    announcing = replace(plain.profiles[0], announces=frozenset({"FcWarn"}))
    injected = fact(FactKind.FAULT_INJECTED, START, "injected", fault="limit")
    suppressed = replace(fact(FactKind.ALERT_SUPPRESSED, START, "held", alert="FcWarn"), evidence=held)
    late = seen(
        now=START + plain.arm_within + timedelta(seconds=1),
        drill_plan=replace(plain, profiles=(announcing,)),
        facts=frozenset({injected, suppressed}),
    )

    state = State(faults=(FaultState("limit"),))
    reason = not_effective(state, late, assessed(state, late))

    assert reason is not None
    assert reason.message == f"no effect seen: limit ({held})"
