"""`restore`, the break-glass command: puts back what undo records tell of, with nothing else left.

No operator, no Drill and no CRD is needed, and none is in the way: it may run at any time, again, and beside all
of them. Whoever does it must be of the group `kubedrill:break-glass`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import click

from kubedrill.cli.connection import BREAK_GLASS, Access, CliError, connected, run, with_access
from kubedrill.cli.exit_codes import ExitCode
from kubedrill.cli.players.say import who_am_i
from kubedrill.cli.safety.give_up import accept, give_up
from kubedrill.cli.safety.one_record import (
    Effort,
    Ended,
    asked_of_people,
    described,
    is_drill_gone,
    needs_the_inside,
    put_back,
    told,
)
from kubedrill.cli.safety.restore_job import put_back_inside
from kubedrill.cli.safety.survey import Survey, surveyed
from kubedrill.cli.typed_times import duration
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.kube.clock import ServerClock
from kubedrill.protocol.outcomes import RevertOutcome
from kubedrill.protocol.outside import AWAITING_CONFIRMATION
from kubedrill.store import undo_records
from kubedrill.store.undo_records import RecordError, RecordRef, StoredRecord

CLOCK_ERROR: Final = timedelta(milliseconds=50)
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """What was asked for on the command line. `inside` are records to be put back by this process itself."""

    everything: bool
    overwrite: bool
    confirmed: tuple[str, ...]
    close: bool
    accept_unverified: bool
    image: str | None
    patience: str
    inside: tuple[str, ...]
    by: str | None

    def effort(self, by: str, clock: ServerClock) -> Effort:
        """How it is to be put back, by somebody."""
        return Effort(by, clock, duration(self.patience), frozenset(self.confirmed), self.overwrite)


@click.command()
@click.argument("name", required=False)
@click.option("--all", "everything", is_flag=True, help="Of every drill.")
@click.option("--overwrite", is_flag=True, help="Also restore what somebody has changed since.")
@click.option("--confirm", "confirmed", multiple=True, metavar="FAULT", help="This manual fault is undone by hand.")
@click.option("--close", is_flag=True, help="Delete the records although a Drill may wait for their outcome.")
@click.option(
    "--accept-unverified", is_flag=True, help="Let the drill end with what can't be verified, and delete such records."
)
@click.option("--image", help="What holds KubeDrill, for a Job; the operator's when left out.")
@click.option("--wait", "patience", default="2m", show_default=True, help="How long to try.")
@click.option("--in-cluster", "inside", multiple=True, hidden=True, metavar="RECORD")
@click.option("--by", hidden=True)
@with_access
def restore(access: Access, name: str | None, **options: Any) -> None:
    """Put back what drill NAME (or its uid) has changed, from the undo records alone; without NAME list them."""
    wanted = RestoreRequest(**options)
    work = _inside(access, wanted) if wanted.inside else _restored(access, name, wanted)
    sys.exit(run(work))


async def _restored(access: Access, name: str | None, wanted: RestoreRequest) -> ExitCode:
    async with connected(access) as kube:
        clock = server_clock(kube)
        effort = wanted.effort(await who_am_i(kube), clock)
        everything = await open_records(kube, access.control)
        found = everything.of(name) if name else everything
        stored, wrong = found.genuine, list(found.told())
        for one in stored:
            click.echo("\n".join(described(one.record, clock.now())))
        for line in wrong:
            click.echo(line, err=True)
        if not found.listing:
            click.echo(f"there is no undo record of {name or 'any drill'} in {access.control}")
        if name is None and not wanted.everything:
            if stored:
                click.echo("Nothing was touched. To restore: kubectl drill restore NAME, or --all")
            return ExitCode.NOT_RESTORED if wrong else ExitCode.PASSED
        ended = await put_all_back(kube, stored, effort, wanted.image)
        for end in ended:
            await _closed(kube, end, effort.by, force=wanted.close)
        if wanted.accept_unverified:
            await _given_up(kube, found, effort.by)
    return ExitCode.NOT_RESTORED if wrong else _told_why(ended, access.control)


async def _given_up(kube: Kube, found: Survey, by: str) -> None:
    try:
        await give_up(kube, found, by)
    except RecordError as trouble:
        raise CliError(f"{trouble}: nothing more is given up", ExitCode.REFUSED) from trouble


async def open_records(kube: Kube, namespace: str) -> Survey:
    """All undo records of a control namespace, those that can't be carried out too.

    Raises:
        Trouble: they can't be listed.
    """
    try:
        return await surveyed(kube, namespace)
    except RecordError as trouble:
        if trouble.answer.status not in (401, 403):
            raise CliError(f"{trouble}: whether anything is open is unknown") from trouble
        advice = _advice(f"list secrets -n {namespace}")
        raise CliError(f"{trouble}\n{advice}", ExitCode.REFUSED) from trouble


async def put_all_back(
    kube: Kube, stored: Iterable[StoredRecord], effort: Effort, image: str | None, say: Say = click.echo
) -> list[Ended]:
    """Revert records, all at the same time; what becomes of each is said when it is known.

    What people must undo by hand is asked for on a terminal, after everything else.
    """
    inside = [one for one in stored if needs_the_inside(one.record)]
    here = [one for one in stored if not needs_the_inside(one.record)]

    async def one_by_one(one: StoredRecord) -> list[Ended]:
        return _said([Ended(one, await put_back(kube, one.ref, effort))], say)

    async def by_job() -> list[Ended]:
        outcomes = await put_back_inside(kube, tuple(one.ref for one in inside), effort, image)
        return _said([Ended(one, outcome) for one, outcome in zip(inside, outcomes, strict=True)], say)

    efforts: list[Awaitable[list[Ended]]] = [one_by_one(one) for one in here]
    efforts += [by_job()] if inside else []
    ended = [one for some in await asyncio.gather(*efforts) for one in some]
    return [await _confirmed(kube, one, effort, say) for one in ended]


async def _confirmed(kube: Kube, ended: Ended, effort: Effort, say: Say) -> Ended:
    """What waits for somebody's hands is asked for, where there is somebody to ask."""
    if ended.outcome.reason != AWAITING_CONFIRMATION:
        return ended
    asked = asked_of_people(ended.stored.record)
    undone = [f for f, ask in asked.items() if is_terminal() and click.confirm(f"{f}: {ask.undo}. Is it done?")]
    if set(asked) - effort.confirmed - set(undone):
        options = " ".join(f"--confirm {fault}" for fault in asked)
        say(f"  when that is done: kubectl drill restore {ended.stored.record.drill.name} {options}")
        return ended
    confirmed = replace(effort, confirmed=effort.confirmed | set(undone))
    return _said([Ended(ended.stored, await put_back(kube, ended.stored.ref, confirmed))], say)[0]


def is_terminal() -> bool:
    """Whether a person can answer."""
    return sys.stdin.isatty()


async def _closed(kube: Kube, ended: Ended, by: str, *, force: bool) -> None:
    """Delete a record whose Drill is gone; else leave it, for its outcome to be taken over by the operator."""
    stored = ended.outcome.stored
    if stored is None:
        return
    name = stored.ref.name
    try:
        gone = await is_drill_gone(kube, stored.record)
        if not gone and not force:
            click.echo(f"{name} stays until the operator has taken its outcome over into the Drill (or --close)")
            return
        if not gone:
            click.echo(f"{name} is deleted before its outcome stands in the Drill: the report will lack it", err=True)
            await accept(kube, stored.record.drill.namespace, stored.record.drill.name, by)
        await undo_records.close(kube, stored)
    except (RecordError, Unreachable) as trouble:
        click.echo(f"{name} is restored, but could not be deleted: {trouble}", err=True)


def _told_why(ended: list[Ended], namespace: str) -> ExitCode:
    """The exit code, and which rights are missing."""
    failed = [one for one in ended if not one.restored]
    forbidden = [one for one in failed if one.forbidden]
    wanted = [f"patch secrets -n {namespace}"]
    for target in (one.stored.record.target for one in forbidden):
        wanted += [f"patch {target.plural}.{target.group} -n {target.namespace}"] if target else []
    if forbidden:
        click.echo(_advice(*dict.fromkeys(wanted)), err=True)
    if not failed:
        return ExitCode.PASSED
    return ExitCode.REFUSED if len(forbidden) == len(failed) else ExitCode.NOT_RESTORED


def _advice(*questions: str) -> str:
    asked = "".join(f"\n  kubectl auth can-i {question} --as=YOU --as-group={BREAK_GLASS}" for question in questions)
    return (
        f"This needs the group {BREAK_GLASS} (manifests/base/break-glass.yaml; in a target namespace its rights come"
        f" with kubectl drill opt-in). Who may impersonate says --as=YOU --as-group={BREAK_GLASS}. What it may:{asked}"
    )


async def _inside(access: Access, wanted: RestoreRequest) -> ExitCode:
    """In the Job: revert the named records, and print how each stands, for the command that waits outside."""
    async with connected(access) as kube:
        clock = server_clock(kube)
        effort = wanted.effort(wanted.by or await who_am_i(kube), clock)
        refs = [RecordRef(access.control, name) for name in wanted.inside]
        outcomes = await asyncio.gather(*(put_back(kube, ref, effort) for ref in refs))
    click.echo(json.dumps({ref.name: _standing(outcome) for ref, outcome in zip(refs, outcomes, strict=True)}))
    return ExitCode.PASSED


def _standing(outcome: RevertOutcome) -> dict[str, str]:
    return {"state": outcome.state, "reason": outcome.reason, "message": outcome.message}


def _said(ended: list[Ended], say: Say) -> list[Ended]:
    for one in ended:
        say("\n".join(told(one)))
    return ended


def server_clock(kube: Kube) -> ServerClock:
    """The API server's time, from its own answers to whatever is asked."""
    clock = ServerClock(CLOCK_ERROR)
    kube.on_answer = clock.heard
    return clock
