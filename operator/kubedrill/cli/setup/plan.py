"""`plan` and `lint`: what a drill's file says and would do, with everything that it leaves out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import click
import yaml

from kubedrill.api.drill import Drill
from kubedrill.api.durations import format_duration
from kubedrill.api.scenario import DrillScenario, ScenarioSpec
from kubedrill.cli.connection import Access, connected, run, with_access
from kubedrill.cli.exit_codes import ExitCode
from kubedrill.cli.manifest import Document, load, the_drill_in
from kubedrill.cli.setup.surroundings import PreflightReadings, look, scenario_of, setting_of
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.core.plan.preflight import preflight
from kubedrill.plugins.faults import discover
from kubedrill.plugins.operations.catalogue import kind_of


@click.command()
@click.option("-f", "--filename", "files", multiple=True, required=True, help="The file; - for standard input.")
def lint(files: tuple[str, ...]) -> None:
    """Check the drills, scenarios, environments and rosters in FILE without a cluster."""
    for document in load(files):
        click.echo(f"{document.kind} {document.model.metadata.name}: well formed")


@click.command()
@click.option("-f", "--filename", "files", multiple=True, required=True, help="The drill, and its scenario.")
@click.option("--expand", is_flag=True, help="Print the drill with everything written out, as YAML.")
@with_access
def plan(access: Access, files: tuple[str, ...], *, expand: bool) -> None:
    """Show what the drill in FILE would do and how it is undone. Reads the cluster, touches nothing."""
    documents = load(files)
    _, drill = the_drill_in(documents)

    async def work() -> tuple[ScenarioSpec, PreflightReadings]:
        async with connected(access) as kube:
            control = drill.metadata.namespace or access.control
            scenario = beside(documents, drill) or await scenario_of(kube, drill, control)
            setting = await setting_of(kube, drill, control, documents)
            return scenario, await look(kube, drill, scenario, control, setting)

    scenario, sight = run(work())
    if expand:
        click.echo(yaml.safe_dump(expanded(drill, scenario, sight), sort_keys=False, width=110), nl=False)
    else:
        click.echo("\n".join(told(drill, sight)))
    sys.exit(ExitCode.REFUSED if sight.around.refusals else ExitCode.PASSED)


def beside(documents: tuple[Document, ...], drill: Drill) -> ScenarioSpec | None:
    """The scenario that a drill names, when it is among the documents."""
    named = (d.model for d in documents if isinstance(d.model, DrillScenario))
    return next((s.spec for s in named if s.metadata.name == drill.spec.scenario_ref), None)


def told(drill: Drill, sight: PreflightReadings) -> Iterator[str]:
    """The plan in words."""
    drill_plan = sight.drill_plan
    pace = f", {drill_plan.pace} times as fast" if drill_plan.pace > 1 else ""
    yield f"{drill.metadata.name}: {drill_plan.title} (in {drill_plan.target_namespace}{pace})"
    yield ""
    yield "Derived, because the drill leaves it out:"
    yield from (f"  {line}" for line in drill_plan.derived)
    yield ""
    yield "Objectives (in scenario time):"
    yield from (f"  {line}" for line in _objectives(drill_plan))
    if drill_plan.stop_when:
        yield ""
        yield "Stopped at once, and everything restored, when any of these is met:"
        yield from (f"  {condition}" for condition in drill_plan.stop_when)
    yield ""
    yield "What would be done, and how it is undone:"
    for fault in drill_plan.faults:
        yield f"  {fault.name}:"
        yield from (f"    {line}" for line in _fault(fault.name, sight))
    failing = [c for c in preflight(drill_plan, sight.around) if not c.ok]
    yield ""
    yield "It would not start now:" if failing else "All checks pass now."
    yield from (f"  {c.reason}: {c.message}" for c in failing)
    if sight.unread:
        yield f"Not checked: {sight.unread}"


def _objectives(drill_plan: DrillPlan) -> Iterator[str]:
    for o in drill_plan.objectives:
        level = f"[{o.level}]" if o.level else ""
        yield f"{o.name}: {o.start} → {o.to}{level} within {format_duration(o.within * drill_plan.pace)}"


def _fault(name: str, sight: PreflightReadings) -> Iterator[str]:
    plan = sight.plans.get(name)
    if plan is None:
        refusal = sight.around.refusals[name]
        yield f"REFUSED, {refusal.reason}: {refusal.message}"
        return
    fault = next(f for f in sight.drill_plan.faults if f.name == name)
    yield from discover()[fault.kind].describe(fault.params, plan)
    for operation in plan.operations:
        yield from kind_of(operation).planned(operation, sight.objects)


def expanded(drill: Drill, scenario: ScenarioSpec, sight: PreflightReadings) -> dict[str, Any]:
    """The drill with everything written out that it leaves to be derived; it means the same."""
    drill_plan, pace = sight.drill_plan, sight.drill_plan.pace

    def said(real: timedelta) -> str:
        return format_duration(real * pace)

    spec = drill.spec.to_wire()
    spec.pop("scenarioRef", None)
    written = scenario.to_wire() | {
        "faults": [_written_fault(fault.name, fault.kind, sight) or fault.to_wire() for fault in drill_plan.faults],
        "expectedAlerts": [
            {"name": a.name, "startsClock": a.starts_clock, "within": said(a.within)} for a in drill_plan.alerts
        ],
        "mitigated": scenario.mitigated.to_wire()
        | ({"query": drill_plan.impact.query} if drill_plan.impact.query else {}),
        "recovered": {"window": said(drill_plan.recovered_window)},
        "objectives": [
            {
                "name": o.name,
                "from": o.start,
                "to": o.to,
                "within": said(o.within),
                "by": _by(anyone=o.anyone),
            }
            | ({"level": o.level} if o.level else {})
            for o in drill_plan.objectives
        ],
    }
    spec |= {"scenario": written, "maxDuration": said(drill_plan.max_duration), "wrapUp": said(drill_plan.wrap_up)}
    meta = {"name": drill.metadata.name} | ({"namespace": n} if (n := drill.metadata.namespace) else {})
    return {"apiVersion": drill.api_version, "kind": drill.kind, "metadata": meta, "spec": spec}


def _written_fault(name: str, kind: str, sight: PreflightReadings) -> dict[str, Any] | None:
    plan = sight.plans.get(name)
    return {"name": name, kind: plan.settled.to_wire()} if plan else None


def _by(*, anyone: bool) -> str:
    return "Anyone" if anyone else "Player"
