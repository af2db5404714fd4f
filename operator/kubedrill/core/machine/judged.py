"""What is judged of a drill at a turn, and the verdict that stands.

Everything that is told of a turn comes from its one assessment. The verdict is given when the report is written and
kept in the state from then on, so that status, report, watch and exit code can't differ: what is seen later makes a new
revision of the report, which says what it corrects.
"""

from __future__ import annotations

from dataclasses import replace

from kubedrill.core.machine.effect_guards import NOT_EFFECTIVE
from kubedrill.core.machine.phases import TERMINAL, Phase
from kubedrill.core.machine.state import Observation, State
from kubedrill.core.measure.assessment import Assessment, assess
from kubedrill.core.measure.verdicts import DrillVerdict, give_verdict


def assessed(state: State, seen: Observation) -> Assessment:
    """What is known at this turn; nothing of a drill that has no plan."""
    if seen.drill_plan is None:
        return Assessment()
    return assess(
        seen.drill_plan,
        seen.facts,
        seen.series,
        now=seen.now,
        ended=state.end_ex,
        unread=seen.unread,
        name=seen.name,
        without_effect=state.ending is not None and state.ending.reason == NOT_EFFECTIVE,
    )


def verdict_now(state: State, so_far: Assessment) -> DrillVerdict | None:
    """The verdict as this assessment gives it; None while play goes on."""
    ending = state.ending
    if ending is None:
        return None
    return give_verdict(
        so_far.objectives, so_far.findings, decided=ending.verdict, reason=ending.reason, message=ending.message
    )


def judged(state: State, so_far: Assessment) -> State:
    """The state with its verdict, once everything is restored. It is given anew until the report is written."""
    if state.phase is Phase.HOT_WASH and not state.reported:
        return replace(state, verdict=verdict_now(state, so_far))
    if state.phase in TERMINAL and state.verdict is None:
        return replace(state, verdict=verdict_now(state, so_far))
    return state


def is_settled(state: State) -> bool:
    """Whether what was told of the drill stands in a report: it is not computed any more."""
    return bool(state.reported) and state.phase in (Phase.HOT_WASH, *TERMINAL)
