"""The plan of one drill: the scenario with everything derived and every duration divided by the pace.

`Drill` and `DrillScenario` say what people wrote; `DrillPlan` is what is acted upon. `derive` fills in what was
left out and says so, line by line, for `kubectl drill plan` and `status.derived`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final

from pydantic import PlainSerializer

from kubedrill.api.faults import Fault
from kubedrill.core.access import OPEN, MonitoringAccess
from kubedrill.core.evidence.about import About
from kubedrill.core.measure.results import Player
from kubedrill.core.paths import demand_host, service_host
from kubedrill.core.undo.operations import Target

KUBERNETES: Final = "kubernetes"
"""How people are known at the API server: by their user name there."""
FIELD_MANAGER: Final = "fieldManager"
"""And in an object's managedFields: by the name of the tool that wrote."""
Names = Annotated[frozenset[str], PlainSerializer(sorted)]
"""Names without an order, which have one where they are written: of one plan it is always the same text."""


@dataclass(frozen=True, slots=True)
class SteadyCheck:
    """A PromQL check: healthy while the value is below `below` or above `above` (one of them is set)."""

    name: str
    query: str
    below: float | None = None
    above: float | None = None


@dataclass(frozen=True, slots=True)
class RuleTiming:
    """What an alert's rule takes by itself: the monitoring's time, never the players'.

    `waits`: for how long its condition must hold before it fires (`for`). `lingers`: for how long it goes on firing
    once it no longer holds (`keep_firing_for`). `every`: how often it is evaluated; zero where that is not known.
    """

    waits: timedelta = timedelta(0)
    lingers: timedelta = timedelta(0)
    every: timedelta = timedelta(0)


NO_TIMING: Final = RuleTiming()
"""Of an alert without a rule, or of one whose rule is not known."""


@dataclass(frozen=True, slots=True)
class AlertWanted:
    """An alert that must fire; `within` the fault's effect.

    `timing` is its rule's, as it was loaded, and `rule` what tells that very rule from any other (empty: not known).
    """

    name: str
    starts_clock: bool
    within: timedelta
    timing: RuleTiming = NO_TIMING
    rule: str = ""


@dataclass(frozen=True, slots=True)
class RuleImpact:
    """The impact as one of several rules of an alert has it, and the labels that this rule gives its alerts."""

    query: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ImpactFall:
    """When the impact counts as falling: by `amount` or `percent` of its peak, the larger, within `window`.

    `alert` is the one that it is derived from, empty where the drill says the `query` itself; `rules` has each rule
    of that name. A derived impact is 0 while all is well, falls as `better` tells in words, and leaves 0 at
    `threshold` where that is known. The query is empty while the rule is not known, or where nothing can be derived of
    it: then `why_not` says why.
    """

    query: str
    window: timedelta
    amount: float
    percent: float
    alert: str = ""
    better: str = ""
    threshold: float | None = None
    why_not: str = ""
    rules: tuple[RuleImpact, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedStop:
    """What ends the drill at once: an expression that gives a series, or an alert that fires (one is set)."""

    name: str
    promql: str = ""
    alert: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.promql or f'{self.alert} fires'}"


@dataclass(frozen=True, slots=True)
class Limit:
    """An objective as it is measured: real time, i.e. divided by the pace."""

    name: str
    start: str
    to: str
    level: str
    within: timedelta
    anyone: bool


@dataclass(frozen=True, slots=True)
class InjectAt:
    """Something that players are told at T+`at` (real time)."""

    name: str
    at: timedelta
    channel: str
    sender: str
    body: str


@dataclass(frozen=True, slots=True)
class Participant(Player):
    """A player with the identities under which changes and actions are matched (empty when unknown)."""

    kubernetes: str = ""
    field_manager: str = ""

    @property
    def identities(self) -> Mapping[str, str]:
        """Under which name the player is known where, by the API's words for it; only where one is."""
        named = {KUBERNETES: self.kubernetes, FIELD_MANAGER: self.field_manager}
        return {key: name for key, name in named.items() if name}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a monitoring server answers: a Service, by its namespace, name and port; and how it is asked.

    `is_outside`: it is a host that is named by a URL, and in no namespace.
    """

    namespace: str
    name: str
    port: int
    access: MonitoringAccess = OPEN
    is_outside: bool = False

    @property
    def host(self) -> str:
        """The host by which it is reached.

        Raises:
            BadName: its names make none.
        """
        if not self.is_outside:
            return service_host(self.name, self.namespace)
        demand_host(self.name)
        return self.name

    @property
    def called(self) -> str:
        """What people call it."""
        return self.name if self.is_outside else f"{self.name}.{self.namespace}"

    def __str__(self) -> str:
        return f"{self.called}:{self.port}"


@dataclass(frozen=True, slots=True)
class FaultProfile:
    """What must be known of one fault to measure a drill, whatever its kind is: the kind says it, in its own file.

    `workloads` (`Deployment/web`) are those whose fields or pods it changes, `makes` the objects that it makes. `cause`
    is a regular expression that is found in the path (a JSON pointer) of each field of theirs whose change by a player
    is a fix (`/metadata/name`: that it is removed); while it is empty none is.
    `announces` are the alerts that the drill itself holds up. `asks` says what the facilitator does by hand.
    `people_only`: nothing in the cluster is broken, so what people say is all that there is. `services`
    (`namespace/name`) are those that it changes something in. `component` is what is really broken by it and `called`
    how, by all names that people have for that, ours first: the ground truth where the scenario leaves it out.
    """

    fault: str
    workloads: Names = frozenset()
    cause: str = ""
    announces: Names = frozenset()
    asks: str = ""
    people_only: bool = False
    services: Names = frozenset()
    makes: tuple[Target, ...] = ()
    component: str = ""
    called: tuple[str, ...] = ()

    @property
    def subjects(self) -> frozenset[str]:
        """What it changes or makes, as `Deployment/name`."""
        return self.workloads | {str(target) for target in self.makes}


@dataclass(frozen=True, slots=True)
class DrillPlan:
    """All that the reducer and the signals need to know of a drill's design. Durations are real time.

    `profiles` are of the `faults`, one each. `environment` and `roster` are the names of those that were used, empty
    for none. `namespace_label` is the label of metrics and alerts that names the namespace they are about, and
    `cluster_label` the one that says `cluster` where one monitoring watches several (empty: whichever counts).
    `allowed_services` (`namespace/name`) are those elsewhere that the environment lets the drill reach.
    `accepts_reconcilers`: a controller may take the faults out, and what it heals is the automation's doing.
    `people_receivers` are those of Alertmanager's receivers that reach people, as the environment says;
    `other_alertmanagers` those that are asked beside `alertmanager`.
    """

    title: str
    narrative: str
    target_namespace: str
    pace: int
    faults: tuple[Fault, ...]
    profiles: tuple[FaultProfile, ...]
    steady: tuple[SteadyCheck, ...]
    alerts: tuple[AlertWanted, ...]
    impact: ImpactFall
    recovered_window: timedelta
    wrap_up: timedelta
    arm_within: timedelta
    max_duration: timedelta
    objectives: tuple[Limit, ...]
    injects: tuple[InjectAt, ...]
    players: tuple[Participant, ...]
    facilitator: str
    severity: str
    component: str
    fault_class: str
    prometheus: Endpoint
    alertmanager: Endpoint
    derived: tuple[str, ...] = ()
    stop_when: tuple[PlannedStop, ...] = ()
    environment: str = ""
    roster: str = ""
    namespace_label: str = "namespace"
    allowed_services: tuple[str, ...] = ()
    accepts_reconcilers: bool = False
    cluster: str = ""
    cluster_label: str = "cluster"
    people_receivers: Names = frozenset()
    other_alertmanagers: tuple[Endpoint, ...] = ()

    @property
    def alertmanagers(self) -> tuple[Endpoint, ...]:
        """Every Alertmanager that is asked: one of a pair may know what the other does not."""
        return (self.alertmanager, *self.other_alertmanagers)

    @property
    def about(self) -> About:
        """What the alerts and metrics that count are about."""
        return About(self.target_namespace, self.namespace_label, self.cluster, self.cluster_label)

    @property
    def clock_alert(self) -> str:
        """The alert whose firing is T+0."""
        return next(a.name for a in self.alerts if a.starts_clock)

    @property
    def lingers(self) -> timedelta:
        """For how long at the most an expected alert still fires when all is well again."""
        return max(alert.timing.lingers for alert in self.alerts)

    def timing_of(self, alert: object) -> RuleTiming:
        """What an expected alert's rule takes by itself; nothing for any other alert."""
        return next((wanted.timing for wanted in self.alerts if wanted.name == alert), NO_TIMING)

    @property
    def workloads(self) -> frozenset[str]:
        """The workloads, as `Deployment/name`, whose fields the faults change."""
        return frozenset().union(*(p.workloads for p in self.profiles))

    @property
    def makes(self) -> tuple[Target, ...]:
        """The objects that the faults make."""
        return tuple(dict.fromkeys(target for p in self.profiles for target in p.makes))

    @property
    def subjects(self) -> frozenset[str]:
        """What the faults change or make, as `Deployment/name`."""
        return frozenset().union(*(p.subjects for p in self.profiles))

    @property
    def has_cause(self) -> bool:
        """Whether there is anything in the cluster that somebody can change to take a fault out."""
        return any(p.cause and p.subjects for p in self.profiles)

    @property
    def announces(self) -> frozenset[str]:
        """The alerts that the drill itself holds up, so that no player can silence them."""
        return frozenset().union(*(p.announces for p in self.profiles))

    @property
    def people_only(self) -> bool:
        """Whether nothing in the cluster is broken: then what the players declare is all that there is."""
        return all(p.people_only for p in self.profiles)
