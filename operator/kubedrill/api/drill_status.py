"""What the operator says of a Drill: its status, written by the operator alone."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from kubedrill.api.base import (
    ApiModel,
    Line,
    Name,
    ObjectName,
    Text,
    Time,
    Word,
)
from kubedrill.api.faults import FAULTS_LIST


class ConditionStatus(ApiModel):
    """A condition in the usual Kubernetes form."""

    type: Word = Field(description="Which condition.")
    status: Word = Field(description="True, False or Unknown.")
    reason: Word = Field(description="One word for programs.")
    message: Annotated[str, Field(max_length=1024)] = Field("", description="A sentence for people.")
    last_transition_time: Time = Field(description="When the status last changed.")
    observed_generation: int = Field(0, description="The generation of the spec that this speaks of.")


class MilestoneStatus(ApiModel):
    """A milestone that was reached, as an interval."""

    name: Line = Field(description="Acknowledged, EscalationEngaged[L2], …")
    not_before: Time = Field(description="It did not happen before this.")
    not_after: Time = Field(description="It did not happen after this.")
    source: Word = Field(description="What tells so.")
    actor: Line = Field("", description="Who did it.")
    by: Word = Field("", description="Whose doing it was: Player, Automation, Operator, Stranger, Unknown or Nobody.")
    evidence: Line = Field("", description="One sentence that can be checked.")


class ObjectiveStatus(ApiModel):
    """An objective as measured so far."""

    name: Line = Field(description="Its name.")
    verdict: Word = Field(description="Met, Missed, Indeterminate, Pending or NotStarted.")
    limit: Line = Field(description="The limit, divided by the pace; the monitoring's own as it was written.")
    lower: Line = Field("", description="It took at least this long.")
    upper: Line = Field("", description="It took at most this long; empty: longer than lower.")
    reason: Line = Field("", description="Why, where it is not plain.")
    of_monitoring: bool = Field(False, description="It is the monitoring's, which goes at no pace: its times are real.")


class FaultStep(StrEnum):
    """How far a fault is. A stored undo record wins over this. Unverified: it may be in, and its record is lost."""

    PLANNED = "Planned"
    STARTED = "Started"
    INJECTED = "Injected"
    REVERTING = "Reverting"
    REVERTED = "Reverted"
    FAILED = "Failed"
    UNVERIFIED = "Unverified"


class FaultStatus(ApiModel):
    """How far one fault is."""

    name: Name = Field(description="Its name.")
    target: Line = Field("", description="What it touches.")
    step: FaultStep = Field(
        FaultStep.PLANNED,
        description="Planned, Started, Injected, Reverting, Reverted, Failed or Unverified (its undo record is lost).",
    )
    record: Line = Field("", description="Its undo record.")
    message: Annotated[str, Field(max_length=1024)] = Field("", description="What to know about it.")


class FieldStatus(ApiModel):
    """What became of one touched field."""

    target: Line = Field(description="The object.")
    path: Line = Field(description="The field.")
    before: Line = Field("", description="Its value before the drill.")
    after: Line = Field("", description="The value the drill gave it.")
    now: Line = Field("", description="Its value when it was restored.")
    outcome: Word = Field(
        description="Restored, Untouched, Superseded, KeptPlayerEdit, Gone, CarriedOver, NotRestored or Unverified"
        " (its undo record is lost or can't be read)."
    )
    who: Line = Field("", description="Who changed it, when not we.")
    when: Line = Field("", description="When that was.")


class InterferenceStatus(ApiModel):
    """A change of which nobody knows whether a player made it, until the facilitator attributes it."""

    id: Line = Field(description="What `kubectl drill attribute` calls it.")
    who: Line = Field("", description="Who did it, as far as is known.")
    by: Word = Field("", description="Stranger: somebody who is none of the players. Unknown: it may be one of them.")
    not_before: Time | None = Field(None, description="It did not happen before this.")
    not_after: Time | None = Field(None, description="It did not happen after this.")
    what: Annotated[str, Field(max_length=512)] = Field("", description="What was changed, and what tells so.")
    attribute: Annotated[str, Field(max_length=512)] = Field(
        "", description="The command by which the facilitator says whose doing it was."
    )


class WorkloadStatus(ApiModel):
    """How a workload does that the drill touched: restored is one thing, its pods being ready another."""

    target: Line = Field(description="The workload.")
    wanted: int = Field(0, description="How many pods it wants.")
    ready: int = Field(0, description="How many pods of its present template are ready.")
    message: Line = Field("", description="What its controller complains of.")


class RestoreStatus(ApiModel):
    """What was put back."""

    complete: bool = Field(default=False, description="Whether every undo is verified.")
    time: Time | None = Field(None, description="When the last one was.")
    fields: list[FieldStatus] = Field(default_factory=list, max_length=200, description="Field by field.")
    notes: Annotated[list[Line], Field(max_length=20)] = Field(default_factory=list, description="What else to know.")
    workloads: list[WorkloadStatus] = Field(
        default_factory=list, max_length=20, description="How the workloads do that the drill touched, since its end."
    )


class PlanStatus(ApiModel):
    """Where the plan is that the drill is judged by."""

    name: ObjectName = Field(description="Name of the immutable ConfigMap that holds it, beside the drill.")
    hash: Line = Field(description="SHA-256 of its text: a plan that is not this one is not carried out.")


class CheckStatus(ApiModel):
    """A check of the preflight."""

    name: Line = Field(description="Which check.")
    passed: bool | None = Field(None, description="Whether it passed; left out while that is unknown.")
    reason: Word | None = Field(None, description="Why it has not, in one word for programs.")
    message: Annotated[str, Field(max_length=1024)] = Field("", description="Why it has not, in a sentence.")


class RehearsedFaultStatus(ApiModel):
    """What a fault would do."""

    name: Name = Field(description="Its name.")
    does: Annotated[list[Annotated[str, Field(max_length=512)]], Field(max_length=30)] = Field(
        default_factory=list, description="What would be done and how it is undone, line by line."
    )


class RehearsalStatus(ApiModel):
    """What would happen if the drill started now."""

    checks: list[CheckStatus] = Field(default_factory=list, max_length=60, description="All checks of the preflight.")
    channels: list[CheckStatus] = Field(
        default_factory=list,
        max_length=20,
        description="What the operator has looked at of its channels to people. It keeps no drill from starting.",
    )
    faults: list[RehearsedFaultStatus] = Field(
        default_factory=list, max_length=20, description="What each fault would do."
    )


class DrillStatus(ApiModel):
    """What the operator knows. People read phase and conditions; `machine` is the reducer's own."""

    phase: Word | None = Field(None, description="A summary for people; derived, never an input.")
    verdict: Word | None = Field(None, description="Passed, Failed, Inconclusive, Error or Stopped.")
    message: Text | None = Field(None, description="What happens now, or how it ended, in a sentence.")
    clock: Line | None = Field(None, description="T+ in scenario time.")
    next: Line | None = Field(None, description="What comes next, and the time left.")
    observed_generation: int | None = Field(None, description="The generation last acted upon.")
    start_ex_time: Time | None = Field(None, description="When the first fault was started.")
    clock_start_time: Time | None = Field(
        None, description="T+0: when the expected alert fired (the middle of its bounds)."
    )
    end_ex_time: Time | None = Field(None, description="When play ended.")
    conditions: list[ConditionStatus] = Field(
        default_factory=list,
        max_length=20,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
        description="Accepted, SteadyState, Injected, FaultEffective, AlertFired, Detected, Mitigated,"
        " Recovered, Restored, WorkloadsReady, Finished, Succeeded, Stalled.",
    )
    faults: list[FaultStatus] = Field(
        default_factory=list,
        max_length=20,
        json_schema_extra=FAULTS_LIST,
        description="How far each fault is.",
    )
    milestones: list[MilestoneStatus] = Field(default_factory=list, max_length=60, description="Milestones reached.")
    objectives: list[ObjectiveStatus] = Field(
        default_factory=list, max_length=40, description="Objectives, as measured, after the alerts' own limits."
    )
    interference: list[InterferenceStatus] = Field(
        default_factory=list,
        max_length=20,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"]},
        description="Unattributed changes, by nobody knows whom or by somebody who does not play: what they caused is"
        " open until the facilitator attributes them.",
    )
    restore: RestoreStatus | None = Field(None, description="What was restored.")
    score: Line | None = Field(None, description="Met of applicable, by the published formula.")
    evidence: Annotated[list[Line], Field(max_length=100)] = Field(
        default_factory=list,
        description="Names of the evidence segments (ConfigMaps) that this status cites.",
    )
    derived: Annotated[list[Line], Field(max_length=60)] = Field(
        default_factory=list, description="What the scenario left out and what was derived instead."
    )
    plan: PlanStatus | None = Field(
        None, description="The plan that the drill is judged by, as it was stored before anything was touched."
    )
    rehearsal: RehearsalStatus | None = Field(
        None, description="While desired is Plan: what would happen if the drill started now."
    )
    report_name: ObjectName | None = Field(None, description="Name of the DrillReport.")
    machine: dict[str, Any] | None = Field(
        None,
        json_schema_extra={"x-kubernetes-preserve-unknown-fields": True},
        description="The reducer's own state; not for people.",
    )
