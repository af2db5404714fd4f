"""DrillScenario: the reusable design of a drill. All that it leaves out is derived (core.plan) and shown."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import ConfigDict, Field

from kubedrill.api.base import (
    AlertName,
    ApiModel,
    Duration,
    Line,
    Name,
    ObjectName,
    PromQL,
    SeverityLevel,
    Term,
    Text,
    TimeLimit,
    rules,
)
from kubedrill.api.faults import FAULTS_LIST, Fault, fault_kinds

NAMED: dict[str, Any] = FAULTS_LIST
# The names of core.measure.results.MilestoneName: a typo in an objective would otherwise never be reached.
Milestone = Literal[
    "Injected",
    "FaultEffective",
    "ImpactStarted",
    "AlertPending",
    "AlertFired",
    "Notified",
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
    "Mitigated",
    "MitigatedDeclared",
    "Recovered",
    "ResolvedDeclared",
    "AllClearSent",
]


def _told(faults: dict[str, Any]) -> None:
    """What `kubectl explain` says of a scenario's faults: it names every kind that there is."""
    *others, last = fault_kinds()
    faults |= NAMED
    faults["description"] = (
        f"What is broken, all at once when the drill starts. One kind each: {', '.join(others)} or {last}."
        " Each is restored whatever happens."
    )


class GroundTruth(ApiModel):
    """The right answers, for the facilitator only."""

    component: Line | None = Field(None, description="What is really broken, e.g. ai-agents-worker.")
    fault_class: Line | None = Field(None, description="How it is broken, e.g. OutOfMemory.")
    severity: SeverityLevel | None = Field(
        None, description="The right severity, P1 (worst) to P5. The first level said at or above it counts."
    )


class ExpectedAlert(ApiModel):
    """An alert that must fire because of the fault; preflight demands that it is loaded and silent."""

    name: AlertName = Field(description="The alert's name (alertname).")
    starts_clock: bool = Field(
        default=False,
        description="Its firing is T+0. Exactly one alert starts the clock; the first one when none says so.",
    )
    within: TimeLimit | None = Field(
        None,
        description="It must fire within this time after the fault was effective; 10m when left out. Divided"
        " by the pace.",
    )


class Check(ApiModel):
    """A condition on a PromQL expression: exactly one of `below` and `above`. No data is not healthy."""

    model_config = ApiModel.model_config | ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": rules(
                ("has(self.below) != has(self.above)", "say exactly one of below and above"),
            )
        }
    )
    name: Name = Field(description="Name of the check.")
    query: PromQL = Field(description="PromQL expression with one value; the sum when it has several.")
    below: int | None = Field(None, description="Healthy when the value is below this.")
    above: int | None = Field(None, description="Healthy when the value is above this.")


class Mitigated(ApiModel):
    """When the impact counts as falling."""

    query: PromQL | None = Field(
        None,
        description="The impact (what hurts the client), e.g. jobs queued and in flight; it must fall when things get"
        " better. Derived when left out: what the alert that starts the clock finds wrong in the target namespace.",
    )
    window: Duration = Field(
        "2m", description="For how long it must fall; divided by the pace, never under 15 samples."
    )
    by_amount: int = Field(
        0, ge=0, description="It must fall by this amount of what query gives (0: the percentage alone counts) …"
    )
    by_percent: int = Field(10, ge=1, le=100, description="… or by this percentage of its peak, whichever is more.")


class Recovered(ApiModel):
    """When everything counts as well again."""

    window: Duration = Field("15m", description="For how long every steady-state check must hold; divided by the pace.")


class Credit(StrEnum):
    """Whose doing counts for an objective."""

    PLAYER = "Player"
    ANYONE = "Anyone"


class Objective(ApiModel):
    """A limit on the time between two milestones."""

    name: Name = Field(description="Name of the objective.")
    start: Milestone = Field("AlertFired", alias="from", description="Milestone at which the time starts.")
    to: Milestone = Field(description="Milestone at which it stops, e.g. Acknowledged or EscalationEngaged.")
    level: Term | None = Field(None, description="For escalations: the role that is called, e.g. L2.")
    within: TimeLimit = Field(description="The limit, in scenario time; divided by the pace.")
    by: Credit = Field(Credit.PLAYER, description="Whose doing counts.")


class Channel(StrEnum):
    """How an inject reaches people."""

    CLIENT = "Client"
    NOTE = "Note"


class Inject(ApiModel):
    """Something the players are told at a time (master scenario events list)."""

    name: Name = Field(description="Name of the inject.")
    at: Duration = Field(description="When, after the alert fired (T+0), in scenario time; divided by the pace.")
    channel: Channel = Field(
        Channel.CLIENT, description="Client: a message from the client. Note: from the facilitator."
    )
    sender: Line = Field("", alias="from", description="Who it is from.")
    body: Text = Field(description="What it says.")


class ScenarioSpec(ApiModel):
    """The design of a drill."""

    title: Line = Field(description="One line for people.")
    narrative: Text | None = Field(None, description="The story, as the players may know it afterwards.")
    ground_truth: GroundTruth = Field(
        default_factory=GroundTruth, description="The right answers; never shown to players."
    )
    steady_state: list[Check] = Field(
        default_factory=list,
        max_length=20,
        json_schema_extra=NAMED,
        description="What must hold before the drill starts and again when it has recovered. Always checked"
        " too: expected alerts silent, targets ready.",
    )
    faults: list[Fault] = Field(
        min_length=1,
        max_length=20,
        json_schema_extra=_told,
    )
    expected_alerts: list[ExpectedAlert] = Field(
        min_length=1,
        max_length=10,
        json_schema_extra=NAMED
        | {
            "x-kubernetes-validations": rules(
                ("self.filter(a, a.startsClock).size() <= 1", "only one alert can start the clock (startsClock)"),
            )
        },
        description="Alerts that must fire because of the faults.",
    )
    injects: list[Inject] = Field(
        default_factory=list,
        max_length=50,
        json_schema_extra=NAMED,
        description="What players are told, and when.",
    )
    mitigated: Mitigated = Field(default_factory=Mitigated, description="When the impact counts as falling.")
    recovered: Recovered = Field(default_factory=Recovered, description="When all counts as well again.")
    objectives: list[Objective] = Field(
        default_factory=list,
        max_length=30,
        json_schema_extra=NAMED,
        description="Limits on times. Derived when left out: detection 5m, severity 10m, escalation of"
        " each role that plays (L2 15m, Engineering 30m), client-notification 30m (when Comms or L2 play),"
        " mitigation 20m, resolution 60m.",
    )


class ObjectMeta(ApiModel):
    """The parts of metadata that we read."""

    model_config = ApiModel.model_config | ConfigDict(extra="ignore")
    name: ObjectName
    namespace: Name | None = None
    uid: str | None = None
    resource_version: str | None = None
    generation: int | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    finalizers: tuple[str, ...] = ()
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class DrillScenario(ApiModel):
    """The reusable design of a drill: what breaks, what must be noticed, what is asked of people."""

    api_version: str = "kubedrill.dev/v1alpha1"
    kind: str = "DrillScenario"
    metadata: ObjectMeta
    spec: ScenarioSpec = Field(description="The design.")


__all__ = [
    "Channel",
    "Check",
    "Credit",
    "DrillScenario",
    "ExpectedAlert",
    "GroundTruth",
    "Inject",
    "Milestone",
    "Mitigated",
    "ObjectMeta",
    "Objective",
    "Recovered",
    "ScenarioSpec",
]
