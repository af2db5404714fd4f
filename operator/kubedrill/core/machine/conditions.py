"""What a drill's conditions say, from a decision: the same reasons as its Events and its report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from kubedrill.api.conditions import ConditionType
from kubedrill.api.drill_status import FaultStep
from kubedrill.core.evidence.witnessed import is_told
from kubedrill.core.machine.phases import TERMINAL, UNTOUCHED, Phase
from kubedrill.core.machine.reducer import Decision
from kubedrill.core.machine.state import NOT_IN, CheckResult, Observation
from kubedrill.core.measure.milestone_table import MILESTONES
from kubedrill.core.measure.objectives import UNREAD
from kubedrill.core.measure.results import Verdict
from kubedrill.core.undo.health import Health, awaited

OF_MILESTONES: Final = {kind.name: kind.condition for kind in MILESTONES.values() if kind.condition}


@dataclass(frozen=True, slots=True)
class WantedCondition:
    """A condition as it should be; `status` None is Unknown."""

    type: ConditionType
    status: bool | None
    reason: str
    message: str = ""


def _steady(checks: Iterable[CheckResult]) -> WantedCondition:
    """That everything holds; a check that holds and gives a reason warns of something."""
    warns = next((c for c in checks if c.reason), None)
    reason, more = (warns.reason, f"; but {warns.message}") if warns else ("Steady", "")
    return WantedCondition(ConditionType.STEADY_STATE, True, reason, f"everything that is checked holds{more}")


def said(decision: Decision, seen: Observation) -> Iterator[WantedCondition]:
    """The conditions that this decision has something to say on; the others stay as they are."""
    state = decision.state
    if seen.refusal:
        yield WantedCondition(ConditionType.ACCEPTED, False, seen.refusal.reason, seen.refusal.message)
    elif state.phase is not Phase.PENDING:
        bad = next((c for c in seen.checks if not c.ok and c.hard), None)
        yield (
            WantedCondition(ConditionType.ACCEPTED, False, bad.reason, bad.message)
            if bad
            else WantedCondition(ConditionType.ACCEPTED, True, "Accepted")
        )
    soft = [c for c in seen.checks if not c.hard]
    if soft and state.phase in {*UNTOUCHED, Phase.ABORTED}:
        failing = next((c for c in soft if not c.ok), None)
        yield (
            WantedCondition(ConditionType.STEADY_STATE, failing.ok, failing.reason, failing.message)
            if failing
            else _steady(soft)
        )
    elif state.start_ex and state.phase is Phase.ARMED:
        yield WantedCondition(
            ConditionType.STEADY_STATE, True, "Steady", "everything that is checked held before the start"
        )
    if state.faults and all(f.step not in NOT_IN for f in state.faults):
        yield WantedCondition(ConditionType.INJECTED, True, "Injected", "every fault was injected")
    failed = [f for f in state.faults if f.step is FaultStep.FAILED]
    if failed:
        yield WantedCondition(
            ConditionType.INJECTED, False, "InjectionFailed", "; ".join(f"{f.name}: {f.message}" for f in failed)
        )
    if state.start_ex:
        yield _witness_says(seen)
    yield from _milestones_say(decision, seen)
    yield from _end_says(decision, seen)


def _witness_says(seen: Observation) -> WantedCondition:
    """Whether the API server's own webhook told of anything: without it, plain kubectl names nobody by itself."""
    if any(map(is_told, seen.facts)):
        return WantedCondition(
            ConditionType.WITNESS_SEEN, True, "Told", "the API server tells who asks for which write"
        )
    return WantedCondition(
        ConditionType.WITNESS_SEEN,
        False,
        "NothingTold",
        "the API server told of nobody's write yet; without the witness (kubectl drill witness on) changes are credited"
        " by field managers, words and the audit log",
    )


def _milestones_say(decision: Decision, seen: Observation) -> Iterator[WantedCondition]:
    state = decision.state
    over = state.end_ex and state.start_ex and not state.given_up
    for name, condition in OF_MILESTONES.items():
        reached = decision.assessment.milestone(name)
        if reached and reached.early:
            yield WantedCondition(condition, None, "Early", reached.evidence)
        elif reached:
            yield WantedCondition(condition, True, name.value, reached.evidence)
        elif over and seen.unread:
            yield WantedCondition(condition, None, "EvidenceUnread", f"{name.value}: {UNREAD}")
        elif over:
            yield WantedCondition(condition, False, "NotSeen", f"play ended before {name.value} was seen")


def _end_says(decision: Decision, seen: Observation) -> Iterator[WantedCondition]:
    state = decision.state
    if seen.stuck:
        yield WantedCondition(
            ConditionType.STALLED, True, "CannotPutBack", "; ".join(f"{n}: {w}" for n, w in seen.stuck.items())
        )
    elif state.start_ex:
        yield WantedCondition(ConditionType.STALLED, False, "Progressing")
    if state.start_ex and state.restored and all(r.restored for r in seen.records):
        rest = "; ".join(seen.waiting.values()) if seen.records else ""
        yield WantedCondition(
            ConditionType.RESTORED,
            True,
            "Restored",
            "every touched field is back or was kept for its new owner" + (f"; {rest}" if rest else ""),
        )
    elif state.start_ex:
        yield WantedCondition(
            ConditionType.RESTORED, False, "FaultsActive", "faults are active, or their undo is not verified yet"
        )
    yield from of_workloads(seen.health)
    if state.phase not in TERMINAL:
        yield WantedCondition(ConditionType.FINISHED, False, state.phase.value)
        return
    verdict = state.verdict
    if verdict is None:
        return
    if state.start_ex is None:
        yield WantedCondition(ConditionType.RESTORED, True, "NothingTouched", "nothing was touched")
    yield WantedCondition(ConditionType.FINISHED, True, verdict.reason, verdict.message)
    yield WantedCondition(ConditionType.SUCCEEDED, verdict.verdict is Verdict.PASSED, verdict.reason, verdict.message)


def of_workloads(health: tuple[Health, ...]) -> Iterator[WantedCondition]:
    """Whether the workloads that the drill touched have all their pods ready: told apart from their being restored."""
    if not health:
        return
    waiting = awaited(health)
    yield (
        WantedCondition(ConditionType.WORKLOADS_READY, False, "PodsNotReady", waiting)
        if waiting
        else WantedCondition(ConditionType.WORKLOADS_READY, True, "PodsReady", "; ".join(map(str, health)))
    )
