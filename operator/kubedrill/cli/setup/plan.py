"""`plan` and `lint`: what a drill's file says and would do, with everything that it leaves out."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

import click
import yaml

from kubedrill.api.drill import Drill
from kubedrill.api.durations import format_duration
from kubedrill.api.environment import DrillEnvironment
from kubedrill.api.roster import DrillRoster
from kubedrill.api.scenario import DrillScenario, ScenarioSpec
from kubedrill.cli.connection import Access, CliError, connected, run, with_access
from kubedrill.cli.exit_codes import ExitCode
from kubedrill.cli.manifest import Document, load, the_drill_in
from kubedrill.cli.setup.asking import NotAsked, ask, stored
from kubedrill.cli.setup.preview import Preview, seen_from_here, told
from kubedrill.cli.setup.surroundings import look, scenario_of, setting_of
from kubedrill.core.measure.diagnosis import causes
from kubedrill.kube.client import Kube


@click.command()
@click.option("-f", "--filename", "files", multiple=True, required=True, help="The file; - for standard input.")
def lint(files: tuple[str, ...]) -> None:
    """Check the drills, scenarios, environments and rosters in FILE without a cluster."""
    for document in load(files):
        click.echo(f"{document.kind} {document.called}: well formed")


@click.command()
@click.argument("name", required=False)
@click.option("-f", "--filename", "files", multiple=True, help="The drill, and its scenario, instead of NAME.")
@click.option("--expand", is_flag=True, help="Print the drill with everything written out, as YAML.")
@with_access
def plan(access: Access, name: str | None, files: tuple[str, ...], *, expand: bool) -> None:
    """Show what the drill in FILE would do and how it is undone, or the stored plan of drill NAME.

    The operator is asked: it checks, tries with a dry run, and starts nothing. Where there is none, or you may not ask
    it, you see what you may read yourself, and why. It ends with 0 when all checks pass now, with 3 when the drill
    would not start, with 7 when that can't be told.
    """
    if bool(name) == bool(files) or (name and expand):
        raise CliError("say -f FILE, or the NAME of a drill (without --expand)", ExitCode.BAD_INPUT)
    if name:
        lines, code = run(_stored(access, name))
        click.echo("\n".join(lines))
        sys.exit(code)
    documents = load(files)
    document, drill = the_drill_in(documents)

    async def work() -> tuple[ScenarioSpec, Preview, str]:
        async with connected(access) as kube:
            control = drill.metadata.namespace or access.control
            scenario = beside(documents, drill) or await scenario_of(kube, drill, control)
            return scenario, *await previewed(kube, drill, scenario, control, documents)

    scenario, preview, note = run(work())
    if expand:
        click.echo(yaml.safe_dump(expanded(document, drill, scenario, preview), sort_keys=False, width=110), nl=False)
    else:
        click.echo("\n".join((*((note, "") if note else ()), *told(document.called, preview))))
    sys.exit(preview.exit_code)


async def previewed(
    kube: Kube, drill: Drill, scenario: ScenarioSpec, control: str, documents: tuple[Document, ...]
) -> tuple[Preview, str]:
    """What the operator says of a drill, else what is seen from here; then why it is seen from here."""
    try:
        return await asked_of(kube, drill, scenario, control, documents), ""
    except NotAsked as why:
        setting = await setting_of(kube, drill, control, documents)
        sight = await look(kube, drill, scenario, control, setting)
        return seen_from_here(sight), f"Looked from here, as you, without a dry run: {why}"


async def asked_of(
    kube: Kube, drill: Drill, scenario: ScenarioSpec, control: str, documents: tuple[Document, ...]
) -> Preview:
    """What the operator says; it knows of an environment and a roster only what stands in the cluster.

    Raises:
        NotAsked: it could not be asked.
    """
    beside_it = [d for d in documents if isinstance(d.model, DrillEnvironment | DrillRoster)]
    if beside_it:
        raise NotAsked(f"{beside_it[0].kind} {beside_it[0].model.metadata.name} is in the file, not in the cluster")
    return await ask(kube, drill, scenario, control)


async def _stored(access: Access, name: str) -> tuple[list[str], ExitCode]:
    async with connected(access) as kube:
        preview, where = await stored(kube, access.control, name)
    said = [f"As it is stored in ConfigMap {where} in {access.control}:", "", *told(name, preview)]
    return said, preview.exit_code


def beside(documents: tuple[Document, ...], drill: Drill) -> ScenarioSpec | None:
    """The scenario that a drill names, when it is among the documents."""
    named = (d.model for d in documents if isinstance(d.model, DrillScenario))
    return next((s.spec for s in named if s.metadata.name == drill.spec.scenario_ref), None)


def expanded(document: Document, drill: Drill, scenario: ScenarioSpec, preview: Preview) -> dict[str, Any]:
    """The drill with everything written out that it leaves to be derived; it means the same.

    Not a derived impact: that is of what the alert fires about, which no query can say beforehand.
    """
    drill_plan, pace = preview.drill_plan, preview.drill_plan.pace

    def said(real: timedelta) -> str:
        return format_duration(real * pace)

    spec = drill.spec.to_wire()
    spec.pop("scenarioRef", None)
    written = scenario.to_wire() | {
        "faults": [fault.to_wire() for fault in drill_plan.faults],
        "expectedAlerts": [
            {"name": a.name, "startsClock": a.starts_clock, "within": said(a.within)} for a in drill_plan.alerts
        ],
        "mitigated": scenario.mitigated.to_wire(),
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
    truth = causes(drill_plan)
    if len(truth) == 1:  # of several faults one has to be named, and there is no way to write that down
        named = {"component": truth[0].component, "faultClass": (truth[0].called or ("",))[0]}
        written["groundTruth"] = {**{k: v for k, v in named.items() if v}, **written.get("groundTruth", {})}
    spec |= {"scenario": written, "maxDuration": said(drill_plan.max_duration), "wrapUp": said(drill_plan.wrap_up)}
    meta = {k: v for k in ("name", "generateName", "namespace") if (v := document.wire["metadata"].get(k))}
    return {"apiVersion": drill.api_version, "kind": drill.kind, "metadata": meta, "spec": spec}


def _by(*, anyone: bool) -> str:
    return "Anyone" if anyone else "Player"
