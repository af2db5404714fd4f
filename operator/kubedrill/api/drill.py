"""Drill: one run of a scenario. Spec by the facilitator, status by the operator alone."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from kubedrill.api.base import (
    ApiModel,
    Duration,
    Line,
    Name,
    ObjectName,
    PromQL,
    Term,
    Text,
    Time,
    Word,
    rules,
)
from kubedrill.api.faults import FAULTS_LIST, ServiceRef
from kubedrill.api.scenario import ObjectMeta, ScenarioSpec

FINALIZER = "kubedrill.dev/put-back"
ACCEPTS_UNVERIFIED = "kubedrill.dev/accepts-unverified"
"""Annotation on a Drill: who has decided that it may end although not everything could be verified to be restored.
Only the group kubedrill:break-glass may set it (manifests/base/policies.yaml)."""
EVIDENCE_MARK = "kubedrill.dev/evidence-imported"
"""Annotation on a Drill, changed whenever evidence came after its end: its report is then written anew."""


class Desired(StrEnum):
    """What the facilitator wants of the drill."""

    HOLD = "Hold"
    RUN = "Run"
    STOP = "Stop"


class PlayerKind(StrEnum):
    """What a player is."""

    HUMAN = "Human"
    AGENT = "Agent"
    SCRIPT = "Script"


class Identities(ApiModel):
    """The names under which a player acts; a change by none of them is a stranger's."""

    kubernetes: Line | None = Field(
        None,
        description="User name at the API server, e.g. alice@example.com or system:serviceaccount:ns:name.",
    )
    field_manager: Line | None = Field(None, description="Field manager that this player alone uses.")
    pagerduty: Line | None = Field(None, description="User at PagerDuty.")
    slack: Line | None = Field(None, description="User at Slack.")
    email: Line | None = Field(None, description="E-mail address.")


class PlayerSpec(ApiModel):
    """Somebody who plays."""

    name: Name = Field(description="Name of the player in this drill.")
    role: Term = Field(description="L1, L2, Engineering, IncidentCommander or Comms.")
    kind: PlayerKind = Field(PlayerKind.HUMAN, description="Human, Agent or Script.")
    identities: Identities = Field(
        default_factory=Identities, description="The names under which the player acts."
    )


class Monitoring(ApiModel):
    """Where the target namespace's monitoring answers."""

    prometheus: ServiceRef = Field(
        default_factory=lambda: ServiceRef(name="prometheus", port=9090),
        description="Prometheus' Service; prometheus:9090 in the target namespace when left out.",
    )
    alertmanager: ServiceRef = Field(
        default_factory=lambda: ServiceRef(name="alertmanager", port=9093),
        description="Alertmanager's Service; alertmanager:9093 in the target namespace when left out.",
    )


class StopCondition(ApiModel):
    """What must not be while the drill is on: exactly one of `promql` and `alert`."""

    model_config = ApiModel.model_config | ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": rules(
                ("has(self.promql) != has(self.alert)", "say exactly one of promql and alert"),
            )
        }
    )
    name: Name = Field(description="Name of the condition.")
    promql: PromQL | None = Field(
        None,
        description="Met, like an alert's expression, when it gives any series at all: write a comparison, e.g."
        " sum(rate(errors[1m])) > 5.",
    )
    alert: Term | None = Field(
        None, description="Met when this alert (alertname) fires about the target namespace, or about none."
    )


class DrillSpec(ApiModel):
    """One run of a scenario."""

    model_config = ApiModel.model_config | ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                {"rule": "has(self.scenario) != has(self.scenarioRef)",
                 "message": "say exactly one of scenario and scenarioRef"},
                {"rule": "self.targetNamespace == oldSelf.targetNamespace", "fieldPath": ".targetNamespace",
                 "message": "the target namespace of a drill can't change: make another drill"},
                {"rule": "has(self.scenario) == has(oldSelf.scenario) && (!has(self.scenario) ||"
                         " self.scenario == oldSelf.scenario)",
                 "message": "the scenario of a drill can't change: make another drill"},
                {"rule": "has(self.scenarioRef) == has(oldSelf.scenarioRef) && (!has(self.scenarioRef) ||"
                         " self.scenarioRef == oldSelf.scenarioRef)",
                 "message": "the scenario of a drill can't change: make another drill"},
                {"rule": "has(self.stopWhen) == has(oldSelf.stopWhen) && (!has(self.stopWhen) ||"
                         " self.stopWhen == oldSelf.stopWhen)",
                 "message": "the stop conditions of a drill can't change: make another drill"},
                {"rule": "oldSelf.desired != 'Stop' || self.desired == 'Stop'",
                 "message": "a stopped drill can't go on: make another drill"},
            ]
        }
    )

    target_namespace: Name = Field(
        description="The namespace that is broken; it must have opted in (kubectl drill opt-in NAMESPACE)."
    )
    scenario_ref: ObjectName | None = Field(None, description="Name of a DrillScenario beside the drill.")
    scenario: ScenarioSpec | None = Field(None, description="The scenario itself, instead of scenarioRef.")
    players: list[PlayerSpec] = Field(
        default_factory=list, max_length=50, json_schema_extra=FAULTS_LIST, description="Who plays."
    )
    facilitator: Line | None = Field(None, description="Who leads the drill.")
    desired: Desired = Field(
        Desired.RUN,
        description="Run: start when all is checked. Hold: check, then wait for kubectl drill start. Stop:"
        " put everything back now.",
    )
    stop_because: Line | None = Field(None, description="Why it was stopped.")
    stop_when: list[StopCondition] = Field(
        default_factory=list, max_length=10, json_schema_extra=FAULTS_LIST,
        description="Conditions that must not be met before the start, and that stop the drill when they are: what"
        " must stay healthy whatever is broken. One that can't be asked for a minute stops it, too.",
    )
    pace: int = Field(
        1, ge=1, le=60,
        description="Speeds the drill up: offsets, limits and windows are divided by it. What the cluster"
        " does by itself is not.",
    )
    max_duration: Duration | None = Field(
        None,
        description="Everything is put back this long after the start at the latest, in scenario time;"
        " divided by the pace. Derived when left out: the longest limit, the recovery window, the wrap-up.",
    )
    wrap_up: Duration = Field(
        "10m",
        description="How long play goes on after recovery, for the all clear and tidying up; divided by the"
        " pace.",
    )
    arm_within: Duration = Field(
        "3m", description="The fault must have an effect within this time, or the drill ends in Error:"
        " FaultNotEffective. Real time, not divided."
    )
    monitoring: Monitoring = Field(default_factory=Monitoring, description="Where monitoring answers.")


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
    evidence: Line = Field("", description="One sentence that can be checked.")


class ObjectiveStatus(ApiModel):
    """An objective as measured so far."""

    name: Line = Field(description="Its name.")
    verdict: Word = Field(description="Met, Missed, Indeterminate, Pending or NotStarted.")
    limit: Line = Field(description="The limit, divided by the pace.")
    lower: Line = Field("", description="It took at least this long.")
    upper: Line = Field("", description="It took at most this long; empty: longer than lower.")
    reason: Line = Field("", description="Why, where it is not plain.")


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
    now: Line = Field("", description="Its value when it was put back.")
    outcome: Word = Field(
        description="Restored, Untouched, Superseded, KeptPlayerEdit, Gone, CarriedOver, NotRestored or Unverified"
        " (its undo record is lost or can't be read)."
    )
    who: Line = Field("", description="Who changed it, when not we.")
    when: Line = Field("", description="When that was.")


class InterferenceStatus(ApiModel):
    """A change by somebody who is not a player, until the facilitator attributes it."""

    id: Line = Field(description="What `kubectl drill attribute` calls it.")
    who: Line = Field("", description="Who did it, as far as is known.")
    what: Annotated[str, Field(max_length=512)] = Field("", description="What was changed, and what tells so.")


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
    notes: Annotated[list[Line], Field(max_length=20)] = Field(
        default_factory=list, description="What else to know."
    )
    workloads: list[WorkloadStatus] = Field(
        default_factory=list, max_length=20, description="How the workloads do that the drill touched, since its end."
    )


class DrillStatus(ApiModel):
    """What the operator knows. People read phase and conditions; `machine` is the reducer's own."""

    phase: Word | None = Field(None, description="A summary for people; derived, never an input.")
    verdict: Word | None = Field(None, description="Passed, Failed, Inconclusive, Error or Stopped.")
    message: Text | None = Field(None, description="What happens now, or how it ended, in a sentence.")
    clock: Line | None = Field(None, description="T+ in scenario time.")
    next: Line | None = Field(None, description="The next objective and the time left.")
    observed_generation: int | None = Field(None, description="The generation last acted upon.")
    start_ex_time: Time | None = Field(None, description="When the first fault was started.")
    clock_start_time: Time | None = Field(None, description="T+0: when the expected alert fired (not after).")
    end_ex_time: Time | None = Field(None, description="When play ended.")
    conditions: list[ConditionStatus] = Field(
        default_factory=list, max_length=20,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
        description="Accepted, SteadyState, Injected, FaultEffective, AlertFired, Detected, Mitigated,"
        " Recovered, Restored, WorkloadsReady, Finished, Succeeded, Stalled.",
    )
    faults: list[FaultStatus] = Field(
        default_factory=list, max_length=20, json_schema_extra=FAULTS_LIST,
        description="How far each fault is.",
    )
    milestones: list[MilestoneStatus] = Field(
        default_factory=list, max_length=60, description="Milestones reached."
    )
    objectives: list[ObjectiveStatus] = Field(
        default_factory=list, max_length=40, description="Objectives, as measured, after the alerts' own limits."
    )
    interference: list[InterferenceStatus] = Field(
        default_factory=list, max_length=20,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"]},
        description="Changes by somebody who is not a player: what they caused is open until they are attributed.",
    )
    restore: RestoreStatus | None = Field(None, description="What was put back.")
    score: Line | None = Field(None, description="Met of applicable, by the published formula.")
    evidence: Annotated[list[Line], Field(max_length=100)] = Field(
        default_factory=list,
        description="Names of the evidence segments (ConfigMaps) that this status cites.",
    )
    derived: Annotated[list[Line], Field(max_length=60)] = Field(
        default_factory=list, description="What the scenario left out and what was derived instead."
    )
    report_name: ObjectName | None = Field(None, description="Name of the DrillReport.")
    machine: dict[str, Any] | None = Field(
        None, json_schema_extra={"x-kubernetes-preserve-unknown-fields": True},
        description="The reducer's own state; not for people.",
    )


class Drill(ApiModel):
    """One run of a scenario: breaks the target namespace for real, measures, puts it back, reports."""

    api_version: str = "kubedrill.dev/v1alpha1"
    kind: str = "Drill"
    metadata: ObjectMeta
    spec: DrillSpec = Field(description="What the facilitator wants.")
    status: DrillStatus = Field(default_factory=DrillStatus, description="What the operator knows.")
