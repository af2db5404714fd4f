"""How the facilitator starts and stops a drill."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import click

from kubedrill.api.drill import Desired
from kubedrill.api.durations import format_duration
from kubedrill.cli.clock import now, until_the_next_look
from kubedrill.cli.connection import Access, CliError, connected, demand, path_of, run, with_access
from kubedrill.cli.exit_codes import ExitCode
from kubedrill.cli.facilitators.drill_at_hand import DrillAtHand, drill_at_hand
from kubedrill.cli.facilitators.stop_all import all_stopped
from kubedrill.cli.facilitators.stop_and_start import say_what_is_wanted
from kubedrill.cli.facilitators.watch_stream import condition
from kubedrill.cli.standing import ENDED, WAITING, how_it_ended, phase_of
from kubedrill.cli.typed_times import duration
from kubedrill.core.machine.desired import desired_of
from kubedrill.kube.client import Kube


@click.command()
@click.argument("name")
@with_access
def start(access: Access, name: str) -> None:
    """Start drill NAME, which is held: it is checked once more, then the faults are injected."""
    says = run(_started(access, name))
    click.echo(f"{name} {says}. Follow it: kubectl drill watch {name}")


@click.command()
@click.argument("name", required=False)
@click.option("--all", "everything", is_flag=True, help="Every drill that has not ended.")
@click.option("--because", default="", help="Why: a real incident, out of time, …; it is told to everybody.")
@click.option("--wait", "patience", default="60s", show_default=True, help="How long to wait until all is back.")
@with_access
def stop(access: Access, name: str | None, because: str, patience: str, *, everything: bool) -> None:
    """Stop drill NAME now: its faults are taken back, its alerts resolved. A stop is final."""
    if (name is None) is not everything:
        raise CliError("say which drill is to be stopped, or --all", ExitCode.BAD_INPUT)
    limit = duration(patience)
    click.echo(run(all_stopped(access, because, limit) if name is None else _stopped(access, name, because, limit)))


async def _started(access: Access, name: str) -> str:
    """Starts a drill; in a word, what it does now.

    Raises:
        CliError: there is none of that name, or it was stopped or has ended: neither can be started again.
    """
    async with connected(access) as kube:
        drill = await drill_at_hand(kube, access.control, name)
        if drill.has_ended:
            raise CliError(f"{how_it_ended(drill.body)} and can't be started: make another drill", ExitCode.BAD_INPUT)
        if desired_of(drill.body) is Desired.STOP:
            what = f"drill {access.control}/{name}"
            raise CliError(f"{what}: a stopped drill can't go on: make another drill", ExitCode.BAD_INPUT)
        if phase_of(drill.body) not in WAITING:
            return "has started already"
        await say_what_is_wanted(kube, access.control, name, Desired.RUN)
    return "starts"


async def _stopped(access: Access, name: str, because: str, limit: timedelta) -> str:
    async with connected(access) as kube:
        _demand_to_stop(await drill_at_hand(kube, access.control, name))
        await say_what_is_wanted(kube, access.control, name, Desired.STOP, because)
        status = await until_ended(kube, access.control, name, limit)
    if status.get("startExTime") is None:
        return f"{name} is stopped. Nothing had been touched."
    return "\n".join(stopped_in_words(name, status))


def _demand_to_stop(drill: DrillAtHand) -> None:
    """Let a drill pass that can be stopped, or was: what has come to its end by itself is stopped by nobody.

    One of which not everything is verified to be restored is let pass: what is wrong is told as of a stop.
    """
    restored = drill.began is None or (drill.status.get("restore") or {}).get("complete", False)
    if drill.has_ended and restored and phase_of(drill.body) != "Stopped":
        raise CliError(f"{how_it_ended(drill.body)}: there is nothing to stop", ExitCode.BAD_INPUT)


def stopped_in_words(name: str, status: Mapping[str, Any]) -> Iterator[str]:
    """What is so after a stop and what is still awaited, in one line; then what others changed, and notes."""
    if status.get("phase") not in ENDED:
        yield f"{name} is restored. Still awaited: {status.get('message') or 'its end'}."
        return
    restore = status.get("restore") or {}
    fields = restore.get("fields", [])
    kept = [f for f in fields if f.get("outcome") not in ("Restored", "Untouched")]
    unready = [w for w in restore.get("workloads", []) if w["ready"] < w["wanted"]]
    waiting = "; ".join(f"{w['target']}: {w['ready']} of {w['wanted']} pods ready" for w in unready)
    line = f"{name} is stopped and restored ({len(fields) - len(kept)} of {len(fields)} fields)."
    yield line + (f" Still awaited: {waiting}." if waiting else "")
    yield from (f"  {f['outcome']}: {f['target']} {f['path']} is {f.get('now', '')}" for f in kept)
    yield from (f"  {w['target']}: {w['message']}" for w in unready if w.get("message"))
    yield from (f"  note: {note}" for note in restore.get("notes", []))


async def until_ended(kube: Kube, namespace: str, name: str, limit: timedelta) -> dict[str, Any]:
    """The status of a drill once it has ended and everything is restored; or, at the limit, once it is restored.

    Raises:
        Trouble: it is not restored within the limit (exit code: not restored).
    """
    deadline = now() + limit
    while True:
        body = await demand(kube.get(path_of("drills", namespace, name)), f"drill {namespace}/{name}")
        status: dict[str, Any] = body.get("status") or {}
        back = status.get("startExTime") is None or (status.get("restore") or {}).get("complete", False)
        if status.get("phase") in ENDED and back:
            return status
        if status.get("phase") in ENDED:
            raise CliError(
                f"{name} has ended, but not everything is verified to be back: {status.get('message')}. See"
                f" kubectl drill report {name}",
                ExitCode.NOT_RESTORED,
            )
        if now() > deadline:
            if condition(body, "Restored") == "True":
                return status
            raise CliError(
                f"{name} is not restored after {format_duration(limit)}: {status.get('message', 'no word of it')}."
                " The operator goes on trying.",
                ExitCode.NOT_RESTORED,
            )
        await until_the_next_look()
