"""The preflight: everything that must be so before anything is touched, as a chain of small pure checks.

Each check answers with a `Check`: passed, failed (with a reason and what to do) or unknown. `hard` failures
won't go away by waiting; the others (not steady yet, monitoring does not answer) are waited for a while.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from kubedrill.api.durations import format_duration
from kubedrill.core.machine.state import CheckResult
from kubedrill.core.measure.windows import IMPACT
from kubedrill.core.plan.codec import PLAN_BYTES, plan_to_json
from kubedrill.core.plan.drill_plan import DrillPlan, SteadyCheck
from kubedrill.core.plan.surroundings import StopReading, Surroundings

OFTEN: Final = timedelta(seconds=5)
"""What is measured at least so often needs no word about it."""


PASSING: Final = frozenset({"RolloutInProgress"})
"""Refusals that go away by themselves: they are waited for like an unsteady baseline."""


def preflight(drill_plan: DrillPlan, around: Surroundings) -> tuple[CheckResult, ...]:
    """All checks, in the order in which a person would want to read the failures."""
    checks = [check(drill_plan, around) for check in CHAIN]
    return (*checks, *(steady(c, around) for c in drill_plan.steady))


def opted_in(drill_plan: DrillPlan, around: Surroundings) -> CheckResult:
    """The namespace names this control namespace in its label, and its RoleBinding gives us the rights."""
    name, namespace = "opted-in", drill_plan.target_namespace
    if around.namespace_found is None:
        return CheckResult(name, None, "NamespaceUnknown", f"namespace {namespace} could not be read")
    if not around.namespace_found:
        return CheckResult(name, False, "NamespaceNotFound", f"there is no namespace {namespace}", hard=True)
    if around.namespace_control != around.control_namespace:
        told = f"it names {around.namespace_control}" if around.namespace_control else "its label is missing"
        return CheckResult(
            name,
            False,
            "NamespaceNotOptedIn",
            f"namespace {namespace} has not opted in to drills from namespace {around.control_namespace} ({told}):"
            f" kubectl drill opt-in {namespace}",
            hard=True,
        )
    if around.missing_rights is None:
        return CheckResult(name, None, "RightsUnknown", "the operator's rights could not be read")
    if around.missing_rights:
        return CheckResult(
            name,
            False,
            "RightsMissing",
            f"the operator may not {', '.join(around.missing_rights)} in {namespace}: kubectl drill opt-in {namespace}",
            hard=True,
        )
    return CheckResult(name, True)


def not_busy(drill_plan: DrillPlan, around: Surroundings) -> CheckResult:
    """One active drill per target namespace: a second one would take the first one's values for the original."""
    holders = around.other_drills or around.busy_records
    if holders:
        return CheckResult(
            "not-busy",
            False,
            "TargetBusy",
            f"another drill is on in {drill_plan.target_namespace}: {', '.join(holders)}",
            hard=True,
        )
    return CheckResult("not-busy", True)


def faults_possible(_drill_plan: DrillPlan, around: Surroundings) -> CheckResult:
    """Every fault could be planned against what is there; of what may not be seen nobody says that it is not there."""
    if around.hidden:
        message = f"the operator may not see {', '.join(around.hidden)} yet, so what the faults would do can't be told"
        return CheckResult("faults-possible", None, "TargetUnknown", message)
    if around.refusals:
        first = next(iter(around.refusals.values()))
        message = "; ".join(f"fault {name}: {r.message}" for name, r in around.refusals.items())
        return CheckResult(
            "faults-possible",
            False,
            first.reason,
            message,
            hard=any(r.reason not in PASSING for r in around.refusals.values()),
        )
    return CheckResult("faults-possible", True)


def left_alone(drill_plan: DrillPlan, around: Surroundings) -> CheckResult:
    """No controller keeps what the faults change: it may take them out before anybody plays, unless accepted."""
    name, keepers = "left-alone", around.keepers
    kept = "; ".join(map(str, keepers.reconcilers))
    if kept and not drill_plan.accepts_reconcilers:
        message = (
            f"{kept}: the fault may be taken out before anybody plays. Pause that for the drill, or say"
            " reconciledTargets: Accept (docs/how-to/drill-what-is-reconciled.md)"
        )
        return CheckResult(name, False, "TargetReconciled", message, hard=True)
    if keepers.just_written and not drill_plan.accepts_reconcilers:
        told = "; ".join(keepers.just_written)
        return CheckResult(name, False, "JustChanged", f"{told}: waiting whether that goes on")
    accepted = f"{kept}: accepted, what it heals is the automation's doing" if kept else ""
    return CheckResult(name, True, message="; ".join(filter(None, (accepted, *keepers.releases))))


def monitoring_answers(drill_plan: DrillPlan, around: Surroundings) -> CheckResult:
    """Prometheus answers: without it nothing can be measured, and no data is not healthy."""
    if not around.monitoring_error:
        return CheckResult("monitoring", True)
    shared = f"DrillEnvironment {drill_plan.environment}" if drill_plan.environment else "a DrillEnvironment"
    where = f"Where Prometheus answers is said in spec.prometheus of {shared}, or in this drill's"
    message = f"{around.monitoring_error}. {where} spec.monitoring.prometheus"
    return CheckResult("monitoring", None, "PrometheusUnreachable", message)


def alerts_loaded(drill_plan: DrillPlan, around: Surroundings) -> CheckResult:
    """The rules of expected and of stopping alerts are loaded (those that the drill announces itself need none)."""
    if around.rules_loaded is None:
        return CheckResult("alerts-loaded", None, "RulesUnknown", "the alert rules could not be read")
    wanted = dict.fromkeys([*(a.name for a in drill_plan.alerts), *(c.alert for c in drill_plan.stop_when if c.alert)])
    missing = [name for name in wanted if name not in around.rules_loaded | around.announced]
    if missing:
        return CheckResult(
            "alerts-loaded",
            False,
            "AlertRuleNotLoaded",
            f"no alert rule {', '.join(missing)} is loaded in Prometheus {drill_plan.prometheus.called}",
            hard=True,
        )
    return CheckResult("alerts-loaded", True)


def alerts_in_time(drill_plan: DrillPlan, _around: Surroundings) -> CheckResult:
    """Each expected alert can fire within its limit, and before the drill is over, by its rule's own timing."""
    name = "alerts-in-time"
    for alert in drill_plan.alerts:
        takes, every = alert.timing.waits + alert.timing.every, format_duration(alert.timing.every)
        rule = f"{alert.name} fires {format_duration(alert.timing.waits)} after its condition at the earliest (for)"
        rule += f", evaluated every {every}" if alert.timing.every else ""
        if timedelta(0) < alert.within < takes:
            scenario = f" ({format_duration(alert.within * drill_plan.pace)} in the scenario)" * (drill_plan.pace > 1)
            return CheckResult(
                name,
                False,
                "AlertLimitTooShort",
                f"{rule}, so it can't fire within {format_duration(alert.within)}{scenario}: raise within of this"
                " expected alert, or leave it out; or drill on a rule that waits less",
                hard=True,
            )
        if takes > drill_plan.max_duration:
            return CheckResult(
                name,
                False,
                "DrillTooShort",
                f"{rule}, and the drill is over after {format_duration(drill_plan.max_duration)}: raise maxDuration",
                hard=True,
            )
    return CheckResult(name, True)


def alerts_silent(drill_plan: DrillPlan, around: Surroundings) -> CheckResult:
    """No expected alert fires or is pending already: its firing would prove nothing."""
    name = "alerts-silent"
    if around.firing is None:
        return CheckResult(name, None, "AlertsUnknown", "firing alerts could not be read")
    firing = [a.name for a in drill_plan.alerts if a.name in around.firing]
    if firing:
        return CheckResult(name, False, "AlertAlreadyFiring", f"{', '.join(firing)} fires already")
    pending = [a.name for a in drill_plan.alerts if a.name in around.pending]
    if pending:
        message = f"{', '.join(pending)} is pending already: when it fires, that is not because of the drill"
        return CheckResult(name, False, "AlertAlreadyPending", message)
    return CheckResult(name, True)


def alerts_told(_drill_plan: DrillPlan, around: Surroundings) -> CheckResult:
    """People would be told of the alerts. Where they would not, it is said: it may be meant, so that no pager rings."""
    return CheckResult("alerts-told", True, "NobodyTold" if around.withheld else "", "; ".join(around.withheld))


def impact_measured(drill_plan: DrillPlan, around: Surroundings) -> CheckResult:
    """What hurts the client can be measured, there is data of it, and a derived one says that all is well."""
    name, impact = IMPACT, drill_plan.impact
    if drill_plan.people_only or impact.alert in around.announced:
        return CheckResult(name, True)
    if impact.why_not:
        message = (
            f"what hurts the client can't be derived from {impact.alert}: {impact.why_not}. Say it in"
            " mitigated.query, as an expression that falls when things get better"
        )
        return CheckResult(name, False, "ImpactNotDerived", message, hard=True)
    if not impact.query or around.monitoring_error:
        return CheckResult(name, True)  # the checks of the rules and of the monitoring say it
    if not around.impact.samples:
        return CheckResult(name, None, "NoImpactData", _no_data(drill_plan))
    now = around.impact.samples[-1].value
    if impact.alert and now > 0:
        message = f"the impact is {now:g} already, and must be 0: {impact.alert} has reason to fire"
        return CheckResult(name, False, "ImpactAlready", message)
    every = around.impact.step
    rarely = f", measured every {format_duration(every)}" if every > OFTEN else ""
    return CheckResult(name, True, message=f"the impact is {now:g} now{rarely}")


def _no_data(drill_plan: DrillPlan) -> str:
    """That the impact has no data, and what may be the reason."""
    impact, label, namespace = drill_plan.impact, drill_plan.namespace_label, drill_plan.target_namespace
    said = f"no data for the impact: {impact.query}"
    if not impact.alert:
        return said
    other = next(
        (m[1] for m in re.finditer(r'(\w+)=~?"' + re.escape(namespace) + '"', impact.query) if m[1] != label), ""
    )
    if other:
        return (
            f"{said}. The rule names the namespace in the label {other}, and {label} is what is looked at: set"
            f" labels.namespace to {other} in a DrillEnvironment"
        )
    return (
        f"{said}. Where no series means that all is well, say mitigated.query with `or vector(0)` at its end; where the"
        f" namespace is not in the label {label}, set labels.namespace in a DrillEnvironment"
    )


def stop_conditions_clear(drill_plan: DrillPlan, around: Surroundings) -> CheckResult:
    """Every stop condition can be asked for, and none is met: such a drill would be stopped at once."""
    name, read = "stop-conditions", {r.name: r for r in around.stops}
    readings = [read.get(c.name) or StopReading(c.name, None, "it was not asked for") for c in drill_plan.stop_when]
    for reason, wrong, hard in (
        ("StopConditionInvalid", [r for r in readings if r.refused], True),
        ("StopConditionMet", [r for r in readings if r.met], False),
        ("StopConditionUnknown", [r for r in readings if r.met is None], False),
    ):
        if wrong:
            message = "; ".join(f"stop condition {r.name}: {r.said}" for r in wrong)
            return CheckResult(name, None if reason == "StopConditionUnknown" else False, reason, message, hard=hard)
    return CheckResult(name, True)


def plan_fits(drill_plan: DrillPlan, _around: Surroundings) -> CheckResult:
    """The plan can be stored: what a drill is judged by is frozen before anything is touched."""
    size = len(plan_to_json(drill_plan).encode())
    if size > PLAN_BYTES:
        message = (
            f"the drill's plan has {size} bytes, and at most {PLAN_BYTES} can be stored: shorten its narrative, its"
            " injects' bodies and its queries"
        )
        return CheckResult("plan-fits", False, "PlanTooLong", message, hard=True)
    return CheckResult("plan-fits", True)


def targets_ready(_drill_plan: DrillPlan, around: Surroundings) -> CheckResult:
    """The workloads that are to be hit are whole."""
    if around.not_ready:
        return CheckResult("targets-ready", False, "TargetNotReady", "; ".join(around.not_ready))
    return CheckResult("targets-ready", True)


def steady(check: SteadyCheck, around: Surroundings) -> CheckResult:
    """A steady-state check held at every sample of the look-back; an empty one fails closed."""
    series = around.series.get(check.name)
    if series is None or not series.samples:
        return CheckResult(check.name, None, "NoData", f"steady state {check.name}: no data for {check.query}")
    bad = [s for s in series.samples if not holds(check, s.value)]
    if bad:
        wanted = f"below {check.below:g}" if check.below is not None else f"above {check.above:g}"
        return CheckResult(
            check.name, False, "NotSteady", f"steady state {check.name}: {bad[-1].value:g}, must be {wanted}"
        )
    return CheckResult(check.name, True)


def holds(check: SteadyCheck, value: float) -> bool:
    """Whether a value is healthy."""
    return (check.below is None or value < check.below) and (check.above is None or value > check.above)


CHAIN: Final[tuple[Callable[[DrillPlan, Surroundings], CheckResult], ...]] = (
    plan_fits,  # what it is judged by can be kept
    opted_in,  # the namespace's own admin allows it
    not_busy,  # nobody else drills here
    faults_possible,  # the targets are there and can be hit as asked
    left_alone,  # and nobody takes the faults out again
    monitoring_answers,  # we would see what happens
    alerts_loaded,  # the alert can fire
    alerts_in_time,  # in the time that it is given
    alerts_silent,  # and its firing would mean something
    alerts_told,  # and people would be told of it
    impact_measured,  # we would see how bad it is, and that it gets better
    stop_conditions_clear,  # nothing that must stay well is unwell already
    targets_ready,  # the baseline is whole
)
