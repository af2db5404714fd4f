"""`doctor`: what is missing before a drill can run, told before anything is touched."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import click

from kubedrill.api.base import API_VERSION
from kubedrill.api.conditions import ConditionType
from kubedrill.api.drill import Drill
from kubedrill.api.people import Action
from kubedrill.api.stored import understood
from kubedrill.cli.clock import now
from kubedrill.cli.connection import BREAK_GLASS, SERVICE_ACCOUNT, Access, connected, demand, path_of, run, with_access
from kubedrill.cli.exit_codes import ExitCode
from kubedrill.cli.manifest import Document, load, the_drill_in
from kubedrill.cli.safety.installed import KINDS, drills
from kubedrill.cli.safety.survey import surveyed
from kubedrill.cli.setup.plan import beside, previewed
from kubedrill.cli.setup.preview import Preview
from kubedrill.cli.setup.surroundings import SettingRefused, asked, scenario_of
from kubedrill.core.machine.state import CheckResult
from kubedrill.core.plan.drill_plan import DrillPlan, Endpoint
from kubedrill.kube.client import Kube
from kubedrill.kube.paths import DEPLOYMENTS, OWN_GROUP
from kubedrill.kube.refusals import is_admission
from kubedrill.plugins.channels import looked_at
from kubedrill.store.undo_records import RecordError

NOBODY: Final = "nobody"
"""A user name that is no one's: who speaks under it speaks for another."""
SIGNS: Final = {True: "✓", False: "✗", None: "?"}


@click.command()
@click.argument("name", required=False)
@click.option("-f", "--filename", "files", multiple=True, help="A drill's file, instead of NAME.")
@with_access
def doctor(access: Access, name: str | None, files: tuple[str, ...]) -> None:
    """Say what is missing: in the cluster, and for drill NAME or the one in FILE. Touches nothing."""
    documents = load(files)

    async def work() -> list[CheckResult]:
        async with connected(access) as kube:
            return [check async for check in _checks(kube, access, name, documents)]

    checks = run(work())
    for check in checks:
        click.echo(f"{SIGNS[check.ok]} {check.name}" + (f": {check.message}" if check.message else ""))
    sys.exit(ExitCode.PASSED if all(c.ok for c in checks) else ExitCode.REFUSED)


async def _checks(
    kube: Kube, access: Access, name: str | None, documents: tuple[Document, ...]
) -> AsyncIterator[CheckResult]:
    installed = await _installed(kube)
    yield installed
    yield await _operator_runs(kube, access.control)
    yield await _undo_records(kube, access.control)
    if not installed.ok:
        return
    yield await _whose_words(kube, access.control)
    if not (name or documents):
        return
    if name:
        body = await demand(kube.get(path_of("drills", access.control, name)), f"drill {access.control}/{name}")
        drill = understood(Drill, body)
    else:
        drill = the_drill_in(documents)[1]
    control = drill.metadata.namespace or access.control
    scenario = beside(documents, drill) or await scenario_of(kube, drill, control)
    try:
        preview, note = await previewed(kube, drill, scenario, control, documents)
    except SettingRefused as refused:
        yield CheckResult("environment", ok=False, reason=refused.refusal.reason, message=refused.refusal.message)
        return
    yield CheckResult("asked", ok=True, message=note or "the operator, which has tried it with a dry run")
    yield CheckResult("environment", ok=True, message=_used(preview.drill_plan))
    for check in preview.checks:
        yield check
    for check in await _channels(kube, preview):
        yield check


def _used(drill_plan: DrillPlan) -> str:
    """Which environment and roster the drill is played with, and where its monitoring is."""
    found = drill_plan.environment or f"none lists {drill_plan.target_namespace}"
    roster = f", roster {drill_plan.roster}" if drill_plan.roster else ""
    servers = map(str, (drill_plan.prometheus, drill_plan.alertmanager))
    return f"{found}{roster}; Prometheus {' and Alertmanager '.join(servers)}"


async def _installed(kube: Kube) -> CheckResult:
    answer = await kube.get(OWN_GROUP)
    known = {r["name"] for r in answer.body.get("resources", ())} if answer.ok else set()
    missing = [kind for kind in KINDS if kind not in known]
    if missing:
        message = f"the cluster has no {', '.join(missing)}: kubectl apply -f crds"
        return CheckResult("installed", ok=False, reason="NotInstalled", message=message)
    return CheckResult("installed", ok=True)


async def _operator_runs(kube: Kube, control: str) -> CheckResult:
    answer = await kube.get(DEPLOYMENTS.one(control, SERVICE_ACCOUNT))
    if answer.status == 403:
        return CheckResult("operator", ok=None, reason="Unknown", message=f"you may not see deployments in {control}")
    if not answer.ok or not (answer.body.get("status") or {}).get("readyReplicas"):
        return CheckResult("operator", ok=False, reason="NotReady", message=f"no operator is ready in {control}")
    return CheckResult("operator", ok=True)


async def _whose_words(kube: Kube, control: str) -> CheckResult:
    """Whether nobody can speak for another: it is tried, by a dry run in the name of nobody."""
    name = "whose-words"
    spec = {"actor": NOBODY, "action": Action.NOTE.value, "message": "asked by kubectl drill doctor"}
    body = {"apiVersion": API_VERSION, "kind": "PlayerAction", "metadata": {"generateName": "doctor-"}, "spec": spec}
    answer = await kube.call("POST", path_of("playeractions", control), body, query=[("dryRun", "All")])
    if answer.ok:
        message = "anybody may speak for anybody: kubectl apply -k manifests/base, for the policy kubedrill-own-words"
        return CheckResult(name, ok=False, reason="NotInstalled", message=message)
    if not is_admission(answer):
        return CheckResult(name, ok=None, reason="Unknown", message=f"it can't be tried: {answer.message}")
    return CheckResult(name, ok=True)


async def _undo_records(kube: Kube, control: str) -> CheckResult:
    """Whether everything that was broken is, or will be, put back: from the records, else from the Drills' status."""
    name = "undo-records"
    try:
        found = await surveyed(kube, control)
    except RecordError as trouble:
        if trouble.answer.status not in (401, 403):
            return CheckResult(
                name, ok=None, reason="Unknown", message=f"{trouble}: whether anything is open is unknown"
            )
        stalled = [d["metadata"]["name"] for d in await drills(kube, control) if _is_stalled(d)]
        message = f"{', '.join(stalled)} can't be restored: kubectl drill restore, as {BREAK_GLASS}" if stalled else ""
        return CheckResult(name, ok=not stalled, reason="Stalled" if stalled else "", message=message)
    wrong = list(found.told())
    wrong += [
        f"{one.record.drill.name}: {one.record.subject} should be back since {one.record.deadline:%H:%M:%SZ}:"
        f" kubectl drill restore {one.record.drill.name}"
        for one in found.overdue(now())
    ]
    if wrong:
        return CheckResult(name, ok=False, reason="NotPutBack", message="\n    ".join(wrong))
    return CheckResult(name, ok=True, message=f"{len(found.genuine)} open" if found.genuine else "")


def _is_stalled(drill: Mapping[str, Any]) -> bool:
    conditions = (drill.get("status") or {}).get("conditions") or ()
    return any(c["type"] == ConditionType.STALLED and c["status"] == "True" for c in conditions)


async def _channels(kube: Kube, preview: Preview) -> tuple[CheckResult, ...]:
    """What the channels to people look at: by the operator, which has the way in; from here where it has not looked."""
    if preview.channels is not None:
        return preview.channels

    async def ask(endpoint: Endpoint, path: str) -> Any:
        return await asked(kube, endpoint, path)

    return await looked_at(ask, preview.drill_plan)
