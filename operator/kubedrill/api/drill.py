"""Drill: one run of a scenario. Spec by the facilitator, status by the operator alone."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from pydantic import ConfigDict, Field

from kubedrill.api.base import (
    AlertName,
    ApiModel,
    Duration,
    Line,
    Name,
    ObjectName,
    PromQL,
    Term,
    TimeLimit,
    rules,
)
from kubedrill.api.drill_status import DrillStatus
from kubedrill.api.faults import FAULTS_LIST, ServiceRef
from kubedrill.api.roster import Identities, PlayerKind
from kubedrill.api.scenario import ObjectMeta, ScenarioSpec

FINALIZER = "kubedrill.dev/put-back"
ACCEPTS_UNVERIFIED = "kubedrill.dev/accepts-unverified"
"""Annotation on a Drill: who has decided that it may end although not everything could be verified to be restored.
Only the group kubedrill:break-glass may set it (manifests/base/policies.yaml)."""
DESIRED = "kubedrill.dev/desired"
"""Annotation on a Drill: the facilitator's word, Run or Stop, which wins over `spec.desired`. A stop is never taken
back (manifests/base/policies.yaml)."""
STOP_BECAUSE = "kubedrill.dev/stop-because"
"""Annotation on a Drill: why it was stopped."""
EVIDENCE_MARK = "kubedrill.dev/evidence-imported"
"""Annotation on a Drill, changed whenever evidence came after its end: its report is then written anew."""


class Desired(StrEnum):
    """What the facilitator wants of the drill."""

    HOLD = "Hold"
    PLAN = "Plan"
    RUN = "Run"
    STOP = "Stop"


class ReconciledTargets(StrEnum):
    """What becomes of a drill whose targets another controller keeps as it wants them."""

    REFUSE = "Refuse"
    ACCEPT = "Accept"


class PlayerSpec(ApiModel):
    """Somebody who plays: a name of the roster. What the drill itself says of them wins."""

    name: Name = Field(description="Name of the player: in the roster, or in this drill alone.")
    role: Term | None = Field(
        None, description="L1, L2, Engineering, IncidentCommander or Comms; the roster's when left out."
    )
    kind: PlayerKind | None = Field(None, description="Human, Agent or Script; the roster's when left out, else Human.")
    identities: Identities | None = Field(
        None, description="The names under which the player acts; the roster's when left out."
    )


class Monitoring(ApiModel):
    """Where this drill's monitoring answers, in place of what its environment says."""

    prometheus: ServiceRef | None = Field(None, description="Prometheus' Service; the environment's when left out.")
    alertmanager: ServiceRef | None = Field(
        None, description="Alertmanager's Service; the environment's when left out."
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
    alert: AlertName | None = Field(
        None, description="Met when this alert (alertname) fires about the target namespace, or about none."
    )


class DrillSpec(ApiModel):
    """One run of a scenario."""

    model_config = ApiModel.model_config | ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                {
                    "rule": "has(self.scenario) != has(self.scenarioRef)",
                    "message": "say exactly one of scenario and scenarioRef",
                },
                {
                    "rule": "self.targetNamespace == oldSelf.targetNamespace",
                    "fieldPath": ".targetNamespace",
                    "message": "the target namespace of a drill can't change: make another drill",
                },
                {
                    "rule": "has(self.scenario) == has(oldSelf.scenario) && (!has(self.scenario) ||"
                    " self.scenario == oldSelf.scenario)",
                    "message": "the scenario of a drill can't change: make another drill",
                },
                {
                    "rule": "has(self.scenarioRef) == has(oldSelf.scenarioRef) && (!has(self.scenarioRef) ||"
                    " self.scenarioRef == oldSelf.scenarioRef)",
                    "message": "the scenario of a drill can't change: make another drill",
                },
                {
                    "rule": "has(self.stopWhen) == has(oldSelf.stopWhen) && (!has(self.stopWhen) ||"
                    " self.stopWhen == oldSelf.stopWhen)",
                    "message": "the stop conditions of a drill can't change: make another drill",
                },
                {
                    "rule": "oldSelf.desired != 'Stop' || self.desired == 'Stop'",
                    "message": "a stopped drill can't go on: make another drill",
                },
            ]
        }
    )

    target_namespace: Name = Field(
        description="The namespace that is broken; it must have opted in (kubectl drill opt-in NAMESPACE)."
    )
    scenario_ref: ObjectName | None = Field(None, description="Name of a DrillScenario beside the drill.")
    scenario: ScenarioSpec | None = Field(None, description="The scenario itself, instead of scenarioRef.")
    environment: ObjectName | None = Field(
        None,
        description="Name of the DrillEnvironment beside the drill; when left out, the one that lists the target"
        " namespace.",
    )
    roster: ObjectName | None = Field(
        None,
        description="Name of the DrillRoster beside the drill that holds its players; when left out, the only one"
        " that there is.",
    )
    players: list[PlayerSpec] = Field(
        default_factory=list,
        max_length=50,
        json_schema_extra=FAULTS_LIST,
        description="Who plays: names of the roster, or people who are described here.",
    )
    facilitator: Line | None = Field(None, description="Who leads the drill.")
    desired: Desired = Field(
        Desired.RUN,
        description="Plan: check, try with a dry run, and store the plan (status.plan, status.rehearsal); nothing is"
        " started. Run: start when all is checked. Hold: check, then wait for kubectl drill start. Stop:"
        " restore everything now. What kubectl drill start and stop say (the annotation kubedrill.dev/desired) wins.",
    )
    stop_because: Line | None = Field(None, description="Why it was stopped.")
    stop_when: list[StopCondition] = Field(
        default_factory=list,
        max_length=10,
        json_schema_extra=FAULTS_LIST,
        description="Conditions that must not be met before the start, and that stop the drill when they are: what"
        " must stay healthy whatever is broken. One that can't be asked for a minute stops it, too.",
    )
    pace: int = Field(
        1,
        ge=1,
        le=60,
        description="Speeds the drill up: offsets, limits and windows are divided by it. What the cluster"
        " does by itself is not.",
    )
    max_duration: TimeLimit | None = Field(
        None,
        description="Everything is restored this long after the start at the latest, in scenario time;"
        " divided by the pace. Derived when left out: the longest limit, the recovery window, the wrap-up.",
    )
    wrap_up: Duration = Field(
        "10m",
        description="How long play goes on after recovery, for the all clear and tidying up; divided by the pace. If it"
        " does not recover, play ends once every limit is met or up and nobody has acted for this and recovered.window"
        " together (a hint is an act).",
    )
    arm_within: TimeLimit = Field(
        "3m",
        description="The fault must have its effect within this time, or the alert that starts the clock must fire"
        " about it; else the drill ends in Error: FaultNotEffective (Inconclusive where somebody took it out). Real"
        " time, not divided.",
    )
    reconciled_targets: ReconciledTargets = Field(
        ReconciledTargets.REFUSE,
        description="Another operator, Argo CD or Flux may keep what a fault changes, and take the fault out. Refuse:"
        " then the drill does not start, and says who it is. Accept: it starts; what the controller heals counts as the"
        " automation's doing, and does not end the drill in Error.",
    )
    ttl_after_finished: Duration | None = Field(
        None,
        description="The drill is deleted so long after its end, with its evidence; its report stays. Real time, not"
        " divided; it may be changed at any time. A drill stays when not everything is verified to be restored, or when"
        " it has no report. Meant for drills that a pipeline makes (generateName): one that Argo CD or Flux keeps in"
        " place is made anew by them, and runs again. Write minutes rather than seconds, for whoever follows it to see"
        " its end. It stays for good when left out.",
    )
    monitoring: Monitoring = Field(
        default_factory=Monitoring,
        description="Deprecated: say where monitoring answers once, in a DrillEnvironment. What is said here wins.",
    )


def _frozen_at_the_start(field: str) -> dict[str, str]:
    """The rule that refuses a change of a field of the spec once the drill has started.

    Started is what `status.startExTime` says: it is written by the very status write that commits the drill (to Armed,
    guarded by the resourceVersion of the spec that was read, before anything is touched), nothing earlier commits it,
    and it stays for good, which no phase does. An edit either comes before that write, which is then a conflict and
    decided anew, or is refused. The rule also runs on status writes, where the spec is the same on both sides.
    """
    now, before = f"self.spec.{field}", f"oldSelf.spec.{field}"
    same = f"has({now}) == has({before}) && (!has({now}) || {now} == {before})"
    return {
        "rule": f"!has(oldSelf.status) || !has(oldSelf.status.startExTime) || ({same})",
        "fieldPath": f".spec.{field}",
        "message": f"{field} can't change once the drill has started: make another drill",
    }


FROZEN_AT_THE_START: Final = tuple(
    _frozen_at_the_start(field)
    for field in (
        "environment",
        "roster",
        "players",
        "facilitator",
        "pace",
        "maxDuration",
        "wrapUp",
        "armWithin",
        "reconciledTargets",
        "monitoring",
    )
)
"""Rules for all that a drill is judged by and that no rule of the spec itself freezes from the beginning. They stand at
the root of the Drill, for only there a rule sees the status beside the spec."""


class Drill(ApiModel):
    """One run of a scenario: breaks the target namespace for real, measures, puts it back, reports."""

    api_version: str = "kubedrill.dev/v1alpha1"
    kind: str = "Drill"
    metadata: ObjectMeta
    spec: DrillSpec = Field(description="What the facilitator wants.")
    status: DrillStatus = Field(default_factory=DrillStatus, description="What the operator knows.")
