"""From what people wrote to what is done: fills in what a drill leaves out and divides durations by the pace.

Each thing that is derived is said in a line of `DrillPlan.derived`, which `kubectl drill plan` and
`status.derived` show. The defaults are the limits of the hand-written drill that this project began with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from kubedrill.api.drill import DrillSpec, ReconciledTargets
from kubedrill.api.durations import format_duration, parse_duration
from kubedrill.api.faults import Fault
from kubedrill.api.scenario import Credit, Objective, ScenarioSpec
from kubedrill.core.measure.diagnosis import ground_truth
from kubedrill.core.plan.drill_plan import (
    NO_TIMING,
    AlertWanted,
    DrillPlan,
    FaultProfile,
    ImpactFall,
    InjectAt,
    Limit,
    PlannedStop,
    RuleImpact,
    RuleTiming,
    SteadyCheck,
)
from kubedrill.core.plan.setting import DrillSetting, alone
from kubedrill.core.plan.trouble import AlertRule, Trouble

Profiler = Callable[[Fault, str], FaultProfile]
_Paced = Callable[[str], timedelta]

DEFAULT_ALERT_WITHIN = timedelta(minutes=10)
BEYOND_ITS_WAIT = timedelta(minutes=5)
"""A rule that waits for longer than the default has so much more, to be evaluated and to see what it measures."""
ESCALATION_LIMITS: Mapping[str, str] = {"L2": "15m", "L3": "30m", "Engineering": "30m", "IncidentCommander": "15m"}
FIRST_RESPONDERS = frozenset({"L1"})
CLIENT_FACING = frozenset({"L1", "L2", "Comms", "IncidentCommander"})


def derive(
    spec: DrillSpec,
    scenario: ScenarioSpec,
    profile: Profiler,
    rules: Mapping[str, AlertRule] | None = None,
    setting: DrillSetting | None = None,
) -> DrillPlan:
    """The plan of a drill. `rules` are the loaded alert rules by name; what is not loaded derives nothing.

    `profile` tells of a fault in a target namespace what its kind says of it. `setting` is where it is played and who
    plays; left out, it is what the drill says itself.
    """
    setting = setting or alone(spec)
    said: list[str] = list(setting.said)
    pace = spec.pace

    def paced(text: str) -> timedelta:
        return parse_duration(text) / pace

    alerts = _alerts(scenario, rules or {}, paced, said)
    impact = _impact(scenario, next(a.name for a in alerts if a.starts_clock), rules or {}, paced, said)
    objectives = _objectives({p.role for p in setting.players}, scenario, paced, said)
    window, wrap_up, arm = paced(scenario.recovered.window), paced(spec.wrap_up), parse_duration(spec.arm_within)
    steady = tuple(SteadyCheck(c.name, c.query, c.below, c.above) for c in scenario.steady_state)
    said.append(
        "steady state, always: expected alerts silent, targets ready"
        + (f"; and {', '.join(c.name for c in steady)}" if steady else "")
    )
    truth = scenario.ground_truth
    profiles = tuple(profile(fault, spec.target_namespace) for fault in scenario.faults)
    component, fault_class = truth.component or "", truth.fault_class or ""
    if not (component and fault_class):
        right = " or ".join(map(str, ground_truth(profiles, component, fault_class)))
        said.append(f"ground truth: {right or 'not known, so any diagnosis that names something counts'}")
    return DrillPlan(
        title=scenario.title,
        narrative=scenario.narrative or "",
        target_namespace=spec.target_namespace,
        pace=pace,
        faults=tuple(scenario.faults),
        profiles=profiles,
        steady=steady,
        alerts=alerts,
        impact=impact,
        recovered_window=window,
        wrap_up=wrap_up,
        arm_within=arm,
        max_duration=_max_duration(spec, objectives, alerts, window + wrap_up, arm, said),
        objectives=objectives,
        injects=tuple(InjectAt(i.name, paced(i.at), i.channel.value, i.sender, i.body) for i in scenario.injects),
        players=setting.players,
        facilitator=spec.facilitator or "",
        severity=truth.severity or "",
        component=component,
        fault_class=fault_class,
        prometheus=setting.prometheus,
        alertmanager=setting.alertmanager,
        derived=tuple(said),
        stop_when=tuple(PlannedStop(c.name, c.promql or "", c.alert or "") for c in spec.stop_when),
        environment=setting.environment,
        roster=setting.roster,
        namespace_label=setting.namespace_label,
        cluster=setting.cluster,
        cluster_label=setting.cluster_label,
        allowed_services=setting.allowed_services,
        accepts_reconcilers=spec.reconciled_targets is ReconciledTargets.ACCEPT,
        people_receivers=setting.people_receivers,
        other_alertmanagers=setting.other_alertmanagers,
    )


def _alerts(
    scenario: ScenarioSpec, rules: Mapping[str, AlertRule], paced: _Paced, said: list[str]
) -> tuple[AlertWanted, ...]:
    clock = next((a.name for a in scenario.expected_alerts if a.starts_clock), None)
    if clock is None:
        clock = scenario.expected_alerts[0].name
        said.append(f"T+0: the firing of {clock}")
    found = []
    for alert in scenario.expected_alerts:
        rule = rules.get(alert.name)
        timing = rule.timing if rule else NO_TIMING
        if timing != NO_TIMING:
            said.append(f"{alert.name} {_taking(timing)}: the monitoring's time, not the players'")
        within = (
            paced(alert.within)
            if alert.within
            else max(DEFAULT_ALERT_WITHIN, timing.waits + max(BEYOND_ITS_WAIT, 2 * timing.every))
        )
        if alert.within is None:
            said.append(
                f"{alert.name} must fire within {format_duration(within)} of the fault's effect (real time: what the"
                " monitoring takes does not scale)"
            )
        found.append(AlertWanted(alert.name, alert.name == clock, within, timing, rule.identity if rule else ""))
    return tuple(found)


def _taking(timing: RuleTiming) -> str:
    parts = [f"is evaluated every {format_duration(timing.every)}"] if timing.every else []
    parts += [f"waits {format_duration(timing.waits)} before it fires (for)"] if timing.waits else []
    parts += [f"fires {format_duration(timing.lingers)} longer (keep_firing_for)"] if timing.lingers else []
    return ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1]


def _impact(
    scenario: ScenarioSpec, clock: str, rules: Mapping[str, AlertRule], paced: _Paced, said: list[str]
) -> ImpactFall:
    """What hurts the client: what the drill says, or the trouble that the alert which starts the clock is about."""
    fall = scenario.mitigated
    window, percent = paced(fall.window), float(fall.by_percent)
    if fall.query:
        return ImpactFall(fall.query, window, float(fall.by_amount), percent)
    rule = rules.get(clock)
    trouble = rule.whole if rule else Trouble()
    if not trouble.query:
        why = (
            f"can't be derived from {clock}: {trouble.why_not}" if rule else f"that of {clock}, once its rule is loaded"
        )
        said.append(f"impact: {why}")
    else:
        said.append(f"impact: {trouble.query}")
        said.append(f"the impact is 0 while {clock} has no reason to fire, and falls {trouble.better}")
    each = rule.each if rule and trouble.query else ()
    if len(each) > 1:
        said.append(f"{len(each)} rules are called {clock}: once one fires, the impact is that of the rule that did")
    return ImpactFall(
        trouble.query,
        window,
        0.0,  # of unknown unit: ten of it may be far too much
        percent,
        alert=clock,
        better=trouble.better,
        threshold=trouble.threshold,
        why_not=trouble.why_not,
        rules=tuple(RuleImpact(one.query, one.labels) for one in each),
    )


def _objectives(roles: set[str], scenario: ScenarioSpec, paced: _Paced, said: list[str]) -> tuple[Limit, ...]:
    objectives = tuple(scenario.objectives)
    if not objectives:
        objectives = default_objectives(roles, scenario.ground_truth.severity is not None)
        said.extend(
            f"objective {o.name}: {o.to}{f'[{o.level}]' if o.level else ''} within {o.within}" for o in objectives
        )
    return tuple(
        Limit(o.name, o.start, o.to, o.level or "", paced(o.within), o.by is Credit.ANYONE) for o in objectives
    )


def default_objectives(roles: set[str], severity_known: bool) -> tuple[Objective, ...]:
    """The seven objectives of the hand-written drill, for the roles that play."""
    chosen = [Objective(name="detection", to="Acknowledged", within="5m")]
    if severity_known:
        chosen.append(Objective(name="severity", to="SeverityAssessed", within="10m"))
    chosen += [
        Objective(name=f"escalation-{role.lower()}", to="EscalationEngaged", level=role, within=within)
        for role, within in ESCALATION_LIMITS.items()
        if role in roles - FIRST_RESPONDERS
    ]
    if roles & CLIENT_FACING:
        chosen.append(Objective(name="client-notification", to="ClientNotified", within="30m"))
    chosen += [
        Objective(name="mitigation", to="Mitigated", within="20m"),
        Objective(name="resolution", to="Recovered", within="60m", by=Credit.ANYONE),
    ]
    return tuple(chosen)


def _max_duration(
    spec: DrillSpec,
    objectives: tuple[Limit, ...],
    alerts: tuple[AlertWanted, ...],
    tail: timedelta,
    arm: timedelta,
    said: list[str],
) -> timedelta:
    if spec.max_duration is not None:
        return parse_duration(spec.max_duration) / spec.pace
    longest = max((o.within for o in objectives), default=timedelta(minutes=60) / spec.pace)
    total = arm + max(a.within for a in alerts) + longest + tail + max(a.timing.lingers for a in alerts)
    said.append(f"everything is restored {format_duration(total)} after the start at the latest (real time)")
    return total
