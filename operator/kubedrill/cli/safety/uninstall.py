"""`uninstall`: everything is put back first, then KubeDrill is removed so that nothing of it resists deletion."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final

import click

from kubedrill.api.drill import FINALIZER, Desired
from kubedrill.cli.clock import until_the_next_look
from kubedrill.cli.connection import OPT_IN_LABEL, Access, CliError, connected, demand, run, with_access
from kubedrill.cli.exit_codes import ExitCode
from kubedrill.cli.facilitators.stop_and_start import say_what_is_wanted
from kubedrill.cli.players.say import who_am_i
from kubedrill.cli.safety import installed
from kubedrill.cli.safety.one_record import Effort, Ended, described
from kubedrill.cli.safety.restore import open_records, put_all_back, server_clock
from kubedrill.cli.setup.opt_in import given
from kubedrill.cli.typed_times import duration
from kubedrill.core.paths import ApiPath
from kubedrill.kube.client import MERGE_PATCH, Answer, Kube
from kubedrill.kube.paths import NAMESPACES
from kubedrill.protocol.drills import remove_finalizer
from kubedrill.store import undo_records
from kubedrill.store.undo_records import RecordError, StoredRecord

ENDING: Final = 60.0
"""Seconds for which a pod may take to end."""
HOLDS_ON: Final = 15.0
"""Seconds for which a policy that was removed may still be in force."""
_POLICY: Final = "ValidatingAdmissionPolicy"


@dataclass(frozen=True, slots=True)
class UninstallRequest:
    """What was asked for on the command line."""

    crds: bool
    whole_namespace: bool
    leave_faults: bool
    dry_run: bool
    image: str | None
    patience: str


@click.command()
@click.option("--crds", is_flag=True, help="The CRDs too, and with them all drills and all reports.")
@click.option("--namespace-too", "whole_namespace", is_flag=True, help="The control namespace too.")
@click.option("--leave-faults", is_flag=True, help="Go on although something can't be restored.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--image", help="What holds KubeDrill, for a Job that restores; the operator's when left out.")
@click.option("--wait", "patience", default="2m", show_default=True, help="How long to wait until all is back.")
@with_access
def uninstall(access: Access, **options: Any) -> None:
    """Stop every drill, put everything back, and remove KubeDrill. Reports stay, unless --crds."""
    sys.exit(run(_uninstalled(access, UninstallRequest(**options))))


async def _uninstalled(access: Access, wanted: UninstallRequest) -> ExitCode:
    control = access.control
    if wanted.whole_namespace and wanted.leave_faults:
        raise CliError("--leave-faults keeps undo records, which --namespace-too would delete", ExitCode.BAD_INPUT)
    async with connected(access) as kube:
        effort = Effort(await who_am_i(kube), server_clock(kube), duration(wanted.patience))
        if wanted.crds:
            await _refuse_drills_elsewhere(kube, control)
        opted_in = await installed.opted_in(kube, control)
        if wanted.dry_run:
            await _foretell(kube, control, effort, opted_in, wanted)
            return ExitCode.PASSED
        await _stopped(kube, control, effort.patience)
        await _put_back(kube, control, effort, wanted)
        await _removed(kube, (*installed.policies(), *installed.workloads(control)))
        await _until_nothing_runs(kube, control)
        if not wanted.leave_faults and (await open_records(kube, control)).listing:
            raise CliError("a drill began meanwhile, its undo records are open: run it again", ExitCode.NOT_RESTORED)
        await _let_go(kube, control)
        for namespace in opted_in:
            await _withdrawn(kube, namespace, control)
        await _removed(kube, (*await installed.helm_records(kube, control), *installed.belongings(control)))
        await _removed(kube, installed.definitions() if wanted.crds else ())
        await _removed(kube, (NAMESPACES.one(control),) if wanted.whole_namespace else ())
    kept = "" if wanted.crds else " Drills and reports stay: kubectl drill uninstall --crds removes them too."
    click.echo(f"KubeDrill is removed.{kept}")
    return ExitCode.PASSED


async def _stopped(kube: Kube, control: str, patience: timedelta) -> None:
    """Every active drill is told to stop; waits for the operator, if there is one, to put everything back."""
    for drill in await installed.active(kube, control):
        name = drill["metadata"]["name"]
        await say_what_is_wanted(kube, control, name, Desired.STOP, "KubeDrill is removed")
        click.echo(f"stopping {name}")
    loop = asyncio.get_running_loop()
    until = loop.time() + patience.total_seconds()
    while loop.time() < until and await installed.operator_runs(kube, control):
        if not (await open_records(kube, control)).listing and not await installed.active(kube, control):
            return
        await until_the_next_look()


async def _until_nothing_runs(kube: Kube, control: str) -> None:
    """From here on nobody injects: what has no undo record by now is not broken.

    Raises:
        Trouble: a pod stays, or nobody says whether one does.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + ENDING
    while pods := await installed.pods(kube, control):
        if loop.time() > until:
            raise CliError(f"{', '.join(pods)} does not end: run it again when it has", ExitCode.NOT_RESTORED)
        await until_the_next_look()


async def _put_back(kube: Kube, control: str, effort: Effort, wanted: UninstallRequest) -> None:
    """What the operator has left is put back by ourselves, and its records closed: nobody will take them over.

    Raises:
        Trouble: something can't be, and is not to be left.
    """
    found = await open_records(kube, control)
    if not found.listing:
        return
    stored = found.genuine
    # they would refuse us their records; it is said below when they are to be put on again
    await _removed(kube, installed.policies())
    failed = [*(one.ref.name for one in found.unreadable), *(one.ref.name for one in found.foreign)]
    if stored:
        await _once_policies_let_go(partial(_rehearsed, kube, stored[0]))
    ended = await put_all_back(kube, stored, effort, wanted.image)
    failed += [one.stored.ref.name for one in ended if not one.restored or not await _closed(kube, one)]
    if failed and not wanted.leave_faults:
        raise CliError(
            f"{', '.join(failed)} could not be restored, so operator, watchdog and rights stay. The policies are put on"
            " again by kubectl apply -k manifests/base. To remove KubeDrill and leave the faults: --leave-faults",
            ExitCode.NOT_RESTORED,
        )
    for name in failed:
        click.echo(f"left broken: what undo record {name} tells of; it stays in {control}", err=True)


async def _closed(kube: Kube, ended: Ended) -> bool:
    """A record whose end nobody will take over is deleted; whether it is gone."""
    try:
        return ended.outcome.stored is None or await undo_records.close(kube, ended.outcome.stored)
    except RecordError as trouble:
        click.echo(f"✗ {trouble}", err=True)
        return False


async def _rehearsed(kube: Kube, stored: StoredRecord) -> Answer:
    """Whether a record could be written; nothing is."""
    return await kube.call("PATCH", stored.ref.path, {}, content_type=MERGE_PATCH, query=[("dryRun", "All")])


async def _let_go(kube: Kube, control: str) -> None:
    """Our finalizer is taken off every Drill, so that each can be deleted."""
    for drill in await installed.drills(kube, control):
        name = drill["metadata"]["name"]
        if FINALIZER not in drill["metadata"].get("finalizers", ()):
            continue
        answer = await _once_policies_let_go(partial(remove_finalizer, kube, drill))
        if not answer.ok and answer.status != 404:
            raise CliError(f"the finalizer of drill {name}: {answer.message}", ExitCode.REFUSED)
        click.echo(f"drill {name} can be deleted")


async def _withdrawn(kube: Kube, namespace: str, control: str) -> None:
    """An opt-in is taken back: the rights in a namespace, then its label."""
    await _removed(kube, given(namespace, control))
    change = {"metadata": {"labels": {OPT_IN_LABEL: None}}}
    path = NAMESPACES.one(namespace)
    await demand(kube.call("PATCH", path, change, content_type=MERGE_PATCH), f"namespace {namespace}")
    click.echo(f"{namespace} is opted out")


async def _removed(kube: Kube, paths: Iterable[ApiPath]) -> None:
    """Objects are deleted, those that are gone already are passed over.

    Raises:
        Trouble: one can't be; running it again goes on from there.
    """
    for path in paths:
        answer = await _once_policies_let_go(partial(kube.call, "DELETE", path, {"propagationPolicy": "Background"}))
        if answer.ok:
            click.echo(f"{installed.short(path)} is removed")
        elif answer.status != 404:
            code = ExitCode.REFUSED if answer.status in (401, 403) else ExitCode.ERROR
            raise CliError(f"{installed.short(path)} could not be removed: {answer.message}", code)


async def _once_policies_let_go(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """An answer that is not the last word of a policy which was removed a moment ago."""
    loop = asyncio.get_running_loop()
    until = loop.time() + HOLDS_ON
    while True:
        answer = await ask()
        if answer.status != 403 or _POLICY not in answer.message or loop.time() > until:
            return answer
        await until_the_next_look()


async def _refuse_drills_elsewhere(kube: Kube, control: str) -> None:
    """The CRDs may serve other control namespaces."""
    elsewhere = {drill["metadata"]["namespace"] for drill in await installed.drills(kube)} - {control}
    if elsewhere:
        message = f"the CRDs hold drills of {', '.join(sorted(elsewhere))} too: uninstall there first"
        raise CliError(message, ExitCode.REFUSED)


async def _foretell(kube: Kube, control: str, effort: Effort, opted_in: list[str], wanted: UninstallRequest) -> None:
    """Says what would be done."""
    for drill in await installed.active(kube, control):
        click.echo(f"would stop {drill['metadata']['name']}")
    found = await open_records(kube, control)
    for one in found.genuine:
        click.echo("would restore what the operator has not:\n" + "\n".join(described(one.record, effort.clock.now())))
    for line in found.told():
        click.echo(f"would refuse to go on: {line}")
    for drill in await installed.drills(kube, control):
        if FINALIZER in drill["metadata"].get("finalizers", ()):
            click.echo(f"would take {FINALIZER} off {drill['metadata']['name']}")
    for namespace in opted_in:
        click.echo(f"would opt {namespace} out")
    paths = (*installed.policies(), *installed.workloads(control), *await installed.helm_records(kube, control))
    paths += installed.belongings(control)
    paths += installed.definitions() if wanted.crds else ()
    paths += (NAMESPACES.one(control),) if wanted.whole_namespace else ()
    for path in paths:
        if (await kube.get(path)).status != 404:
            click.echo(f"would remove {installed.short(path)}")
