"""A plan with what a test is about."""

from __future__ import annotations

from datetime import datetime, timedelta

from kubedrill.api.faults import Fault
from kubedrill.core.evidence.facts import Sample, Series
from kubedrill.core.plan.drill_plan import AlertWanted, DrillPlan, Endpoint, ImpactFall, Participant, SteadyCheck
from kubedrill.core.plan.trouble import AlertRule, Trouble
from kubedrill.plugins.faults.of_drill import profile

MINUTE = timedelta(minutes=1)
ERRORS = AlertRule("Errors", Trouble("(errors > 5) or (0 * errors)", "as errors falls", 5.0))
ALICE = Participant("alice", "L1", kubernetes="alice@example.com")


def measured(value: float, at: datetime) -> Series:
    """The impact, measured once."""
    return Series("impact", (Sample(at, value),))


def drill_plan(
    *,
    steady: tuple[SteadyCheck, ...] = (),
    impact: str = "",
    faults: tuple[Fault, ...] = (),
    alerts: tuple[str, ...] = ("High",),
    namespace: str = "shop",
) -> DrillPlan:
    return DrillPlan(
        title="t",
        narrative="",
        target_namespace=namespace,
        pace=1,
        faults=faults,
        profiles=tuple(profile(fault, namespace) for fault in faults),
        steady=steady,
        alerts=tuple(AlertWanted(name, n == 0, MINUTE) for n, name in enumerate(alerts)),
        impact=ImpactFall(impact, MINUTE, 10, 10),
        recovered_window=MINUTE,
        wrap_up=MINUTE,
        arm_within=MINUTE,
        max_duration=MINUTE,
        objectives=(),
        injects=(),
        players=(ALICE,),
        facilitator="",
        severity="",
        component="",
        fault_class="",
        prometheus=Endpoint(namespace, "prometheus", 9090),
        alertmanager=Endpoint(namespace, "alertmanager", 9093),
    )
