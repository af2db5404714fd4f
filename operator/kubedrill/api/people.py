"""PlayerAction (what a player says) and DrillReport (the after-action report)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field

from kubedrill.api.base import (
    ApiModel,
    Duration,
    Line,
    Name,
    ObjectName,
    SeverityLevel,
    Term,
    Text,
    Time,
    Word,
    rules,
)
from kubedrill.api.scenario import ObjectMeta


class Action(StrEnum):
    """What a player can say. Each is a verb of `kubectl drill`, or the facilitator's."""

    ACK = "Acknowledge"
    SEVERITY = "AssessSeverity"
    ESCALATE = "Escalate"
    ENGAGE = "Engage"
    COMMAND = "AssumeCommand"
    NOTIFY = "NotifyClient"
    DIAGNOSE = "Diagnose"
    CONTAIN = "Contain"
    FIX = "Fix"
    MITIGATED = "DeclareMitigated"
    RESOLVE = "DeclareResolved"
    ALL_CLEAR = "SendAllClear"
    LEAD = "TakeLead"
    POSTMORTEM = "AssignPostmortem"
    NOTE = "Note"
    # The facilitator's: only in the control namespace, each with a right of its own (FACILITATORS).
    OBSERVE = "Observe"
    CONFIRM = "Confirm"
    ATTRIBUTE = "Attribute"
    HINT = "Hint"


FACILITATORS: Final = frozenset({Action.OBSERVE, Action.CONFIRM, Action.ATTRIBUTE, Action.HINT})
"""What facilitators say. Each takes a right of its own: the verb of its name, in small letters, on `playeractions`."""


class Diagnosis(ApiModel):
    """What a player thinks is broken."""

    component: Line | None = Field(None, description="What is broken.")
    fault_class: Line | None = Field(None, description="How it is broken.")


Observable = Literal[
    "AlertPending",
    "AlertFired",
    "Paged",
    "Acknowledged",
    "SeverityAssessed",
    "CommandAssumed",
    "EscalationRequested",
    "EscalationEngaged",
    "ClientComplained",
    "ClientNotified",
    "FirstContainment",
    "CauseIdentified",
    "FixApplied",
    "ImpactStarted",
    "Mitigated",
    "MitigatedDeclared",
    "Recovered",
    "ResolvedDeclared",
    "AllClearSent",
]
"""The milestones that a person can have seen reached."""


class FacilitatorObservation(ApiModel):
    """What the facilitator saw or heard, entered afterwards; it never overwrites a machine's fact."""

    milestone: Observable = Field(description="Which milestone it was, e.g. ClientNotified.")
    time: Time = Field(description="When it was.")
    within: Duration = Field("1m", description="How far off the time may be, either way.")
    player: Line | None = Field(None, description="Which player did it.")


class Step(StrEnum):
    """Which half of a manual fault was done."""

    DO = "Do"
    UNDO = "Undo"


class Confirmation(ApiModel):
    """The facilitator's word that a manual fault was done or undone."""

    fault: Name = Field(description="Name of the fault in the scenario.")
    step: Step = Field(description="Do or Undo.")


class Attribution(ApiModel):
    """Who made an unattributed change."""

    change: Line = Field(description="Id of the Interference fact, as `kubectl drill watch` and the report show it.")
    player: Name = Field(description="The player whose doing it was.")


class PlayerActionSpec(ApiModel):
    """What a player says, once; it never changes."""

    model_config = ApiModel.model_config | ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": rules(
                ("self == oldSelf", "a player's word can't be changed; say another"),
                ("self.action != 'AssessSeverity' || has(self.severity)", "say which severity: P1 to P5"),
                ("self.action != 'Escalate' || has(self.level)", "say the level that is called, e.g. L2"),
                (
                    "self.action != 'Diagnose' || has(self.diagnosis) || has(self.message)",
                    "say what the cause is: component, faultClass or a message",
                ),
                ("self.action != 'Observe' || has(self.observation)", "say what was seen (observation)"),
                ("self.action != 'Confirm' || has(self.confirmation)", "say what is done (confirmation)"),
                ("self.action != 'Attribute' || has(self.attribution)", "say whose it was (attribution)"),
            )
        }
    )
    drill: ObjectName | None = Field(None, description="Which drill; left out: the one that is on in this namespace.")
    actor: Line = Field(description="The user name at the API server of who says it.")
    action: Action = Field(description="What is said.")
    severity: SeverityLevel | None = Field(None, description="For AssessSeverity, or Observe of it: P1 (worst) to P5.")
    level: Term | None = Field(None, description="For Escalate and Engage: who is called or has joined, e.g. L2.")
    message: Text | None = Field(None, description="In the player's own words.")
    diagnosis: Diagnosis | None = Field(None, description="For Diagnose.")
    observation: FacilitatorObservation | None = Field(None, description="For Observe.")
    confirmation: Confirmation | None = Field(None, description="For Confirm.")
    attribution: Attribution | None = Field(None, description="For Attribute.")


class PlayerAction(ApiModel):
    """What a player says, in the target namespace: one immutable object per action."""

    api_version: str = "kubedrill.dev/v1alpha1"
    kind: str = "PlayerAction"
    metadata: ObjectMeta
    spec: PlayerActionSpec = Field(description="What is said.")


class DrillReportSpec(ApiModel):
    """The after-action report."""

    drill: ObjectName = Field(description="The drill it is about.")
    drill_uid: Line = Field(description="That drill's UID.")
    title: Line = Field(description="The scenario's title.")
    headline: Text = Field(description="The drill in one sentence.")
    verdict: Word = Field(description="Passed, Failed, Inconclusive, Error or Stopped.")
    completed: Time = Field(description="When it was written.")
    record: Annotated[list[ObjectName], Field(max_length=100)] = Field(
        default_factory=list,
        description="ConfigMaps that hold the drill's record, from which the formats are rendered.",
    )


class DrillReport(ApiModel):
    """The after-action report of a drill."""

    api_version: str = "kubedrill.dev/v1alpha1"
    kind: str = "DrillReport"
    metadata: ObjectMeta
    spec: DrillReportSpec = Field(description="The report.")
