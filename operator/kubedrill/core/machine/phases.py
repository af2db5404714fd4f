"""The phases of a drill and the table of the ways between them.

Rule 1: everything that moves a drill from one phase to another stands in `TABLE`; nothing else does.
Rule 2: the first guard that answers wins; its reason becomes the condition, the Event and the report's line.
Rule 3: whatever was injected, the only way to an end leads through Recovering, and the only way out of
Recovering is that everything is put back (or that break-glass has given up what can't be verified).

`python -m kubedrill.core.machine.phases` prints the table and its diagram; `docs/reference/phases.md` is made of that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Phase(StrEnum):
    """Where a drill is."""

    PENDING = "Pending"
    PREFLIGHT = "Preflight"
    HELD = "Held"
    ARMED = "Armed"
    IN_PLAY = "InPlay"
    RECOVERING = "Recovering"
    HOT_WASH = "HotWash"
    COMPLETED = "Completed"
    STOPPED = "Stopped"
    ABORTED = "Aborted"


TERMINAL: Final = frozenset({Phase.COMPLETED, Phase.STOPPED, Phase.ABORTED})
UNTOUCHED: Final = frozenset({Phase.PENDING, Phase.PREFLIGHT, Phase.HELD})
"""Phases in which nothing was touched yet."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A way out of a phase: the name of its guard in `core.machine.guards`, and where it leads."""

    guard: str
    to: Phase


TABLE: Final[Mapping[Phase, tuple[Transition, ...]]] = {
    Phase.PENDING: (
        Transition("record_without_status", Phase.RECOVERING),
        Transition("stop_wanted", Phase.STOPPED),
        Transition("refused", Phase.ABORTED),
        Transition("cannot_go_on", Phase.ABORTED),
        Transition("accepted", Phase.PREFLIGHT),
    ),
    Phase.PREFLIGHT: (
        Transition("record_without_status", Phase.RECOVERING),
        Transition("stop_wanted", Phase.STOPPED),
        Transition("refused", Phase.ABORTED),
        Transition("cannot_go_on", Phase.ABORTED),
        Transition("unfit", Phase.ABORTED),
        Transition("fit_to_hold", Phase.HELD),
        Transition("fit", Phase.ARMED),
    ),
    Phase.HELD: (
        Transition("record_without_status", Phase.RECOVERING),
        Transition("stop_wanted", Phase.STOPPED),
        Transition("cannot_go_on", Phase.ABORTED),
        Transition("released", Phase.PREFLIGHT),
        Transition("to_be_planned_anew", Phase.PREFLIGHT),
    ),
    Phase.ARMED: (
        Transition("stop_wanted", Phase.RECOVERING),
        Transition("undo_unverified", Phase.RECOVERING),
        Transition("stop_condition", Phase.RECOVERING),
        Transition("cannot_go_on", Phase.RECOVERING),
        Transition("past_deadline", Phase.RECOVERING),
        Transition("injection_failed", Phase.RECOVERING),
        Transition("taken_out_by_a_controller", Phase.RECOVERING),
        Transition("effective", Phase.IN_PLAY),
        Transition("shown_by_the_alert", Phase.IN_PLAY),
        Transition("taken_out_before_effect", Phase.RECOVERING),
        Transition("not_effective", Phase.RECOVERING),
    ),
    Phase.IN_PLAY: (
        Transition("stop_wanted", Phase.RECOVERING),
        Transition("undo_unverified", Phase.RECOVERING),
        Transition("stop_condition", Phase.RECOVERING),
        Transition("cannot_go_on", Phase.RECOVERING),
        Transition("taken_out_by_a_controller", Phase.RECOVERING),
        Transition("over_without_effect", Phase.RECOVERING),
        Transition("hold_runs_out", Phase.RECOVERING),
        Transition("taken_out_before_alert", Phase.RECOVERING),
        Transition("alert_never_fired", Phase.RECOVERING),
        Transition("play_over", Phase.RECOVERING),
        Transition("decided", Phase.RECOVERING),
        Transition("past_deadline", Phase.RECOVERING),
    ),
    Phase.RECOVERING: (Transition("all_put_back", Phase.HOT_WASH),),
    Phase.HOT_WASH: (
        Transition("report_of_stopped", Phase.STOPPED),
        Transition("report_of_aborted", Phase.ABORTED),
        Transition("report_written", Phase.COMPLETED),
    ),
    Phase.COMPLETED: (),
    Phase.STOPPED: (),
    Phase.ABORTED: (),
}


def page() -> str:
    """The table as a page of the docs: a diagram, then the rows in the order in which they are asked."""
    edges = [(phase, edge) for phase, all_edges in TABLE.items() for edge in all_edges]
    drawn = [f"    {phase} --> {edge.to}: {edge.guard.replace('_', ' ')}" for phase, edge in edges]
    rows = [f"| {phase} | {edge.guard.replace('_', ' ')} | {edge.to} |" for phase, edge in edges]
    return "\n".join(
        (
            "# The phases of a drill",
            "",
            "Made by `make generate` from `core/machine/phases.py`. The first answer wins.",
            "",
            "```mermaid",
            "stateDiagram-v2",
            "    [*] --> Pending",
            *drawn,
            "```",
            "",
            "| phase | when | next |",
            "|---|---|---|",
            *rows,
            "",
        )
    )


if __name__ == "__main__":
    import sys

    sys.stdout.write(page())
