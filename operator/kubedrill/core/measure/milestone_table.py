"""The milestones in one table: what each is, what tells of it, whose it is, and how it is said.

Status, reports, findings, `watch`, what players and facilitators may say, and the page of the docs take it from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kubedrill.api.conditions import ConditionType
from kubedrill.api.people import Action
from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.measure.results import MilestoneName


class Charged(StrEnum):
    """Whose a milestone is, and so to whom the time belongs that leads to it."""

    SYSTEM = "system"
    MONITORING = "monitoring"
    PEOPLE = "people"
    CLIENT = "client"


@dataclass(frozen=True, slots=True)
class MilestoneKind:
    """One row of the table.

    `fact` is what tells of it, `means` when it is reached. `action` and `verb` are how a player says it, and
    `observable` whether the facilitator may say that it was seen. `only_people_tell`: that nobody did proves nothing.
    `station` is what the bar of a report calls it, where it has a place there; `condition` that of the status.
    """

    name: MilestoneName
    fact: FactKind
    who: Charged
    means: str
    action: Action | None = None
    verb: str = ""
    observable: bool = True
    only_people_tell: bool = False
    has_level: bool = False
    station: str = ""
    condition: ConditionType | None = None


_SYSTEM, _MONITORING, _PEOPLE, _NAME = Charged.SYSTEM, Charged.MONITORING, Charged.PEOPLE, MilestoneName
_ROWS: Final = (
    MilestoneKind(
        _NAME.INJECTED,
        FactKind.FAULT_INJECTED,
        _SYSTEM,
        "the fault was written to its target",
        observable=False,
        station="fault",
    ),
    MilestoneKind(
        _NAME.FAULT_EFFECTIVE,
        FactKind.FAULT_EFFECTIVE,
        _SYSTEM,
        "the fault was seen to bite: pods are OOM-killed, the queue is loaded; or the alert that starts the clock fired"
        " about it",
        observable=False,
        station="effect",
        condition=ConditionType.FAULT_EFFECTIVE,
    ),
    MilestoneKind(
        _NAME.IMPACT_STARTED,
        FactKind.IMPACT_STARTED,
        _SYSTEM,
        "what hurts the client was first seen out of bounds",
    ),
    MilestoneKind(
        _NAME.ALERT_PENDING,
        FactKind.ALERT_PENDING,
        _MONITORING,
        "the expected alert's condition became true",
    ),
    MilestoneKind(
        _NAME.ALERT_FIRED,
        FactKind.ALERT_FIRING,
        _MONITORING,
        "the expected alert fired: T+0",
        station="alert",
        condition=ConditionType.ALERT_FIRED,
    ),
    MilestoneKind(
        _NAME.NOTIFIED,
        FactKind.NOTIFIED,
        _MONITORING,
        "Alertmanager told the operator, over its webhook",
        observable=False,
        station="notified",
    ),
    MilestoneKind(
        _NAME.PAGED,
        FactKind.PAGE_SENT,
        _MONITORING,
        "people were told: Alertmanager told the operator over a receiver that the environment names as people's, or"
        " somebody saw it",
        station="page",
    ),
    MilestoneKind(
        _NAME.ACKNOWLEDGED,
        FactKind.ACKNOWLEDGED,
        _PEOPLE,
        "the first player said so; an automation's acknowledgement is not one",
        action=Action.ACK,
        verb="ack",
        station="ack",
        condition=ConditionType.DETECTED,
    ),
    MilestoneKind(
        _NAME.SEVERITY_ASSESSED,
        FactKind.SEVERITY_ASSESSED,
        _PEOPLE,
        "a player first named a level at or above the ground truth; wrong ones are kept as findings",
        action=Action.SEVERITY,
        verb="severity",
        only_people_tell=True,
    ),
    MilestoneKind(
        _NAME.COMMAND_ASSUMED,
        FactKind.COMMAND_ASSUMED,
        _PEOPLE,
        "a player took command",
        action=Action.COMMAND,
        verb="command",
        only_people_tell=True,
    ),
    MilestoneKind(
        _NAME.ESCALATION_REQUESTED,
        FactKind.ESCALATION_REQUESTED,
        _PEOPLE,
        "a player called that level",
        action=Action.ESCALATE,
        verb="escalate",
        only_people_tell=True,
        has_level=True,
    ),
    MilestoneKind(
        _NAME.ESCALATION_ENGAGED,
        FactKind.ESCALATION_ENGAGED,
        _PEOPLE,
        "a player whose role that is said that they are there; that somebody joined as another level, the facilitator"
        " enters",
        action=Action.ENGAGE,
        verb="engage",
        only_people_tell=True,
        has_level=True,
    ),
    MilestoneKind(
        _NAME.CLIENT_COMPLAINED,
        FactKind.CLIENT_COMPLAINED,
        Charged.CLIENT,
        "the client told us (an inject)",
    ),
    MilestoneKind(
        _NAME.CLIENT_NOTIFIED,
        FactKind.CLIENT_NOTIFIED,
        _PEOPLE,
        "the first word to the client",
        action=Action.NOTIFY,
        verb="notify",
        only_people_tell=True,
    ),
    MilestoneKind(
        _NAME.FIRST_CONTAINMENT,
        FactKind.CONTAINMENT_ATTEMPTED,
        _PEOPLE,
        "a player's first change, whether it helped or not",
        action=Action.CONTAIN,
        verb="contain",
    ),
    MilestoneKind(
        _NAME.CAUSE_IDENTIFIED,
        FactKind.CAUSE_IDENTIFIED,
        _PEOPLE,
        "a player [named the cause](#what-is-a-right-diagnosis): the component or how it is broken, and nothing that is"
        " wrong",
        action=Action.DIAGNOSE,
        verb="diagnose",
        only_people_tell=True,
        station="cause",
    ),
    MilestoneKind(
        _NAME.FIX_APPLIED,
        FactKind.FIX_APPLIED,
        _PEOPLE,
        "a player's first change to what the fault had changed",
        action=Action.FIX,
        verb="fix",
        station="fix",
    ),
    MilestoneKind(
        _NAME.MITIGATED,
        FactKind.IMPACT_FALLING,
        _SYSTEM,
        "the impact starts to fall, and goes on falling for the window",
        station="impact falls",
        condition=ConditionType.MITIGATED,
    ),
    MilestoneKind(
        _NAME.MITIGATED_DECLARED,
        FactKind.MITIGATED_DECLARED,
        _PEOPLE,
        "a player said that it gets better",
        action=Action.MITIGATED,
        verb="mitigated",
        only_people_tell=True,
    ),
    MilestoneKind(
        _NAME.RECOVERED,
        FactKind.STEADY_AGAIN,
        _SYSTEM,
        "every steady-state check holds, the cause is gone and the alert is silent, for the window",
        station="recovered",
        condition=ConditionType.RECOVERED,
    ),
    MilestoneKind(
        _NAME.RESOLVED_DECLARED,
        FactKind.RESOLVED_DECLARED,
        _PEOPLE,
        "a player said that it works again",
        action=Action.RESOLVE,
        verb="resolve",
        only_people_tell=True,
    ),
    MilestoneKind(
        _NAME.ALL_CLEAR_SENT,
        FactKind.ALL_CLEAR_SENT,
        _PEOPLE,
        "a player told everybody that it is over",
        action=Action.ALL_CLEAR,
        verb="all-clear",
        only_people_tell=True,
    ),
)
MILESTONES: Final[Mapping[MilestoneName, MilestoneKind]] = {row.name: row for row in _ROWS}


def of(who: Charged) -> frozenset[MilestoneName]:
    """The milestones that are somebody's."""
    return frozenset(row.name for row in _ROWS if row.who is who)


def table() -> str:
    """The table as it stands in the docs."""
    lines = [
        "| milestone | whose | reached when | said with | the facilitator may observe it |",
        "|---|---|---|---|---|",
    ]
    for row in _ROWS:
        name = f"{row.name}[level]" if row.has_level else row.name
        verb = f"`kubectl drill {row.verb}`" if row.verb else ""
        lines.append(f"| {name} | {row.who} | {row.means} | {verb} | {'yes' if row.observable else 'no'} |")
    return "\n".join(lines)
