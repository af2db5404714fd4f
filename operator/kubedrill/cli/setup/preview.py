"""What a drill would be judged by and do, and how that is said: from the operator, or as it is seen from here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from kubedrill.api.durations import format_duration
from kubedrill.api.faults import Fault
from kubedrill.cli.exit_codes import ExitCode
from kubedrill.cli.setup.surroundings import PreflightReadings
from kubedrill.core.machine.state import CheckResult
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.core.plan.preflight import preflight
from kubedrill.protocol.in_words import planned_in_words


@dataclass(frozen=True, slots=True)
class Preview:
    """The plan with its faults as they are settled, what each fault would do, and the checks as they are now.

    A fault that can't be planned does nothing; `faults-possible` among the checks says why. `unread` says what
    could not be looked at; empty: nothing. `channels` is what the operator has looked at of those to people; None: it
    has not.
    """

    drill_plan: DrillPlan
    does: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    checks: tuple[CheckResult, ...] = ()
    unread: str = ""
    channels: tuple[CheckResult, ...] | None = None

    @property
    def exit_code(self) -> ExitCode:
        """Whether it would start now, whatever it is that refuses it."""
        if any(check.ok is False for check in self.checks):
            return ExitCode.REFUSED
        return ExitCode.PASSED if all(check.ok for check in self.checks) else ExitCode.INCONCLUSIVE


def seen_from_here(sight: PreflightReadings) -> Preview:
    """The preview as whoever asks sees it."""
    plans, refusals, drill_plan = sight.plans, sight.around.refusals, sight.drill_plan
    settled = {name: plan.settled.to_wire() for name, plan in plans.items()}
    faults = tuple(
        Fault.model_validate({"name": f.name, f.kind: settled[f.name]}) if f.name in settled else f
        for f in drill_plan.faults
    )
    does = {
        f.name: tuple(planned_in_words(f, plans[f.name], sight.objects))
        if f.name in plans
        else (f"REFUSED, {refusals[f.name].reason}: {refusals[f.name].message}",)
        for f in drill_plan.faults
    }
    return Preview(replace(drill_plan, faults=faults), does, preflight(drill_plan, sight.around), sight.unread)


def told(name: str, preview: Preview) -> Iterator[str]:
    """The plan in words."""
    drill_plan = preview.drill_plan
    pace = f", {drill_plan.pace} times as fast" if drill_plan.pace > 1 else ""
    yield f"{name}: {drill_plan.title} (in {drill_plan.target_namespace}{pace})"
    yield ""
    yield "Derived, because the drill leaves it out:"
    yield from (f"  {line}" for line in drill_plan.derived)
    yield ""
    yield "Objectives (in scenario time):"
    yield from (f"  {line}" for line in _objectives(drill_plan))
    if drill_plan.stop_when:
        yield ""
        yield "Stopped at once, and everything restored, when any of these is met:"
        yield from (f"  {condition}" for condition in drill_plan.stop_when)
    if preview.checks:
        yield from _would(preview)


def _would(preview: Preview) -> Iterator[str]:
    """What would happen if it started now."""
    yield ""
    yield "What would be done, and how it is undone:"
    for fault in preview.drill_plan.faults:
        yield f"  {fault.name}:"
        yield from (f"    {line}" for line in preview.does.get(fault.name) or ("REFUSED: see below",))
    failing = [c for c in preview.checks if not c.ok]
    yield from (f"  Note: {c.message}" for c in preview.checks if c.ok and c.message)
    yield from (f"  Note: {c.message}" for c in preview.channels or () if not c.ok)
    yield ""
    yield _whether_it_would_start(preview)
    yield from (f"  {c.reason}: {c.message}" for c in failing)
    if preview.unread:
        yield f"Not checked: {preview.unread}"


def _whether_it_would_start(preview: Preview) -> str:
    match preview.exit_code:
        case ExitCode.REFUSED:
            return "It would not start now:"
        case ExitCode.INCONCLUSIVE:
            return "Whether it would start now can't be told:"
        case _:
            return "All checks pass now."


def _objectives(drill_plan: DrillPlan) -> Iterator[str]:
    for o in drill_plan.objectives:
        level = f"[{o.level}]" if o.level else ""
        yield f"{o.name}: {o.start} → {o.to}{level} within {format_duration(o.within * drill_plan.pace)}"
