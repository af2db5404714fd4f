"""What the facilitator does while a drill is on: start, stop, and enter what machines can't see."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import click

from kubedrill.api.drill import EVIDENCE_MARK, Desired
from kubedrill.api.durations import format_duration, parse_duration
from kubedrill.api.people import Action, Step
from kubedrill.cli.clock import now
from kubedrill.cli.connection import Access, CliError, connected, demand, path_of, run, with_access
from kubedrill.cli.exit_codes import ExitCode
from kubedrill.cli.facilitators.watch_stream import condition
from kubedrill.cli.players.say import Word, say
from kubedrill.core.machine.desired import desired_of, the_word
from kubedrill.kube.client import MERGE_PATCH, Kube

ENDED: Final = ("Completed", "Stopped", "Aborted")
FACILITATOR: Final = "kubectl-drill-facilitator"
"""The field manager of what facilitators say: of nobody who applies manifests."""
_AT: Final = re.compile(r"(?P<time>.+?)(?:\s*(?:±|\+-|\+/-)\s*(?P<within>\S+))?")


@click.command()
@click.argument("name")
@with_access
def start(access: Access, name: str) -> None:
    """Start drill NAME, which is held: it is checked once more, then the faults are injected."""
    run(_started(access, name))
    click.echo(f"{name} starts. Follow it: kubectl drill watch {name}")


@click.command()
@click.argument("name")
@click.option("--because", default="", help="Why: a real incident, out of time, …; it is told to everybody.")
@click.option("--wait", "patience", default="60s", show_default=True, help="How long to wait until all is back.")
@with_access
def stop(access: Access, name: str, because: str, patience: str) -> None:
    """Stop drill NAME now: its faults are taken back, its alerts resolved. A stop is final."""
    limit = duration(patience)
    click.echo(run(_stopped(access, name, because, limit)))


async def _started(access: Access, name: str) -> None:
    what = f"drill {access.control}/{name}"
    async with connected(access) as kube:
        drill = await demand(kube.get(path_of("drills", access.control, name)), what)
        if desired_of(drill) is Desired.STOP:
            raise CliError(f"{what}: a stopped drill can't go on: make another drill", ExitCode.BAD_INPUT)
        await say_what_is_wanted(kube, access.control, name, Desired.RUN)


async def say_what_is_wanted(kube: Kube, namespace: str, name: str, desired: Desired, because: str = "") -> None:
    """Say to a drill that it is to run or to stop, in a way that Argo CD and Flux don't take back."""
    path, query = path_of("drills", namespace, name), [("fieldManager", FACILITATOR)]
    word = kube.call("PATCH", path, the_word(desired, because), content_type=MERGE_PATCH, query=query)
    await demand(word, f"drill {namespace}/{name}")


async def _stopped(access: Access, name: str, because: str, limit: timedelta) -> str:
    async with connected(access) as kube:
        await say_what_is_wanted(kube, access.control, name, Desired.STOP, because)
        status = await until_ended(kube, access.control, name, limit)
    if status.get("startExTime") is None:
        return f"{name} is stopped. Nothing had been touched."
    return "\n".join(stopped_in_words(name, status))


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
        await asyncio.sleep(0.5)


@click.command()
@click.argument("milestone")
@click.option("--at", "when", required=True, help="When it was: 14:07, 14:07:30 or a full time; e.g. 14:07±1m.")
@click.option("--by", "player", help="Which player did it.")
@click.option("--level", help="For escalations: L2, Engineering, …")
@click.option("--evidence", default="", help="How you know.")
@click.option("--drill", help="Which drill; the only one that is on when left out.")
@with_access
def observe(
    access: Access,
    milestone: str,
    when: str,
    player: str | None,
    level: str | None,
    evidence: str,
    drill: str | None,
) -> None:
    """Enter that MILESTONE, e.g. ClientNotified, was reached. It never overwrites what a machine saw."""
    time, within = moment(when, now())
    observation = {"milestone": milestone, "time": time.isoformat(), "within": within, "player": player}
    fields = {
        "observation": {k: v for k, v in observation.items() if v},
        "message": evidence,
        "level": level or "",
    }
    _entered(access, drill, Word(Action.OBSERVE, fields))


@click.command()
@click.argument("fault")
@click.argument("step", type=click.Choice([s.value for s in Step], case_sensitive=False))
@click.option("--drill", help="Which drill; the only one that is on when left out.")
@with_access
def confirm(access: Access, fault: str, step: str, drill: str | None) -> None:
    """Say that the manual FAULT was done (do) or undone (undo)."""
    _entered(access, drill, Word(Action.CONFIRM, {"confirmation": {"fault": fault, "step": step}}))


@click.command()
@click.argument("change")
@click.option("--to", "player", required=True, help="The player whose doing it was.")
@click.option("--evidence", required=True, help='How you know, e.g. "merged PR 12".')
@click.option("--drill", help="Which drill; the only one that is on when left out.")
@with_access
def attribute(access: Access, change: str, player: str, evidence: str, drill: str | None) -> None:
    """Say whose doing CHANGE was: the id of an Interference, as `watch` and the report show it."""
    fields = {"attribution": {"change": change, "player": player}, "message": evidence}
    _entered(access, drill, Word(Action.ATTRIBUTE, fields))


@click.command()
@click.argument("message", nargs=-1, required=True)
@click.option("--drill", help="Which drill; the only one that is on when left out.")
@with_access
def hint(access: Access, message: tuple[str, ...], drill: str | None) -> None:
    """Record that the players were given the hint MESSAGE: what comes after it counts as assisted."""
    _entered(access, drill, Word(Action.HINT, {"message": " ".join(message)}))


def _entered(access: Access, drill: str | None, word: Word) -> None:
    async def enter() -> dict[str, Any]:
        async with connected(access) as kube:
            name = drill or await the_drill(kube, access.control)
            made = await say(kube, access.control, Word(word.action, word.fields | {"drill": name}))
            await _retold(kube, access.control, name, made["metadata"]["name"])
            return made

    made = run(enter())
    click.echo(f"{made['metadata']['creationTimestamp']}  {made['spec']['drill']}: {word.action.value} is recorded")


async def _retold(kube: Kube, namespace: str, name: str, mark: str) -> None:
    """A drill that has ended is told that there is new evidence: its report is written anew."""
    path = path_of("drills", namespace, name)
    found = await demand(kube.get(path), f"drill {namespace}/{name}")
    if (found.get("status") or {}).get("phase") in ENDED:
        change = {"metadata": {"annotations": {EVIDENCE_MARK: mark}}}
        await demand(kube.call("PATCH", path, change, content_type=MERGE_PATCH), f"drill {namespace}/{name}")


async def the_drill(kube: Kube, namespace: str) -> str:
    """The name of the only drill that is on in a control namespace.

    Raises:
        Trouble: there is none, or more than one.
    """
    body = await demand(kube.get(path_of("drills", namespace)), f"drills of {namespace}")
    on = [d["metadata"]["name"] for d in body["items"] if (d.get("status") or {}).get("phase") not in ENDED]
    if len(on) != 1:
        those = f"these are on: {', '.join(on)}" if on else "none is on"
        raise CliError(f"say which drill with --drill: {those} in {namespace}", ExitCode.BAD_INPUT)
    return str(on[0])


def moment(text: str, today: datetime) -> tuple[datetime, str]:
    """A time as people write it (`14:07`, `14:07:30`, RFC 3339, each with `±1m`) and how far it may be off.

    A time of day is the last one that has been, in the local time zone.

    Raises:
        Trouble: it can't be read.
    """
    match = _AT.fullmatch(text.strip())
    time, within = (match["time"].strip(), match["within"]) if match else ("", None)
    duration(within or "1m")
    try:
        if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", time):
            hour, minute, *second = (int(part) for part in time.split(":"))
            at = today.astimezone().replace(hour=hour, minute=minute, second=second[0] if second else 0, microsecond=0)
            return (at if at <= today else at - timedelta(days=1)), within or "1m"
        at = datetime.fromisoformat(time)
    except ValueError as error:
        raise CliError(
            f"{text!r} is not a time: write 14:07, 14:07:30 or 2026-03-02T14:07:00Z, perhaps with ±1m",
            ExitCode.BAD_INPUT,
        ) from error
    return at if at.tzinfo else at.astimezone(), within or "1m"


def duration(text: str) -> timedelta:
    """A duration that somebody typed.

    Raises:
        Trouble: it is none.
    """
    try:
        return parse_duration(text)
    except ValueError as error:
        raise CliError(str(error), ExitCode.BAD_INPUT) from error
