"""What the facilitator enters: what no machine can see. It is held against the drill before it is recorded."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, get_args

import click

from kubedrill.api.drill import EVIDENCE_MARK
from kubedrill.api.people import Action, Observable, Step
from kubedrill.cli.clock import now
from kubedrill.cli.connection import Access, CliError, connected, demand, path_of, run, with_access
from kubedrill.cli.exit_codes import ExitCode
from kubedrill.cli.facilitators.drill_at_hand import DrillAtHand, drill_at_hand
from kubedrill.cli.players.say import SEVERITIES, Word, say, who_am_i
from kubedrill.cli.typed_times import duration, moment
from kubedrill.kube.client import MERGE_PATCH, Kube

NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "Acknowledged": ("--by",),
    "SeverityAssessed": ("--by", "--severity"),
    "CommandAssumed": ("--by",),
    "EscalationRequested": ("--level",),
    "EscalationEngaged": ("--level",),
}
"""What has to be said of a milestone for it to be one: an acknowledgement is somebody's, an escalation has a level."""
Check = Callable[[Kube, DrillAtHand, str], Awaitable[None]]
"""Lets a word pass that a user says of a drill, or raises CliError."""


@click.command()
@click.argument("milestone")
@click.option("--at", "when", required=True, help="When it was: 14:07, 14:07:30 or a full time; e.g. 14:07±1m.")
@click.option("--by", "player", help="Which player did it.")
@click.option("--level", help="For escalations: L2, Engineering, …")
@click.option("--severity", type=click.Choice(SEVERITIES, case_sensitive=False), help="For SeverityAssessed.")
@click.option("--evidence", default="", help="How you know.")
@click.option("--drill", help="Which drill; the only one that is on when left out.")
@with_access
def observe(
    access: Access,
    milestone: str,
    when: str,
    player: str | None,
    level: str | None,
    severity: str | None,
    evidence: str,
    drill: str | None,
) -> None:
    """Enter that MILESTONE, e.g. ClientNotified, was reached. It never overwrites what a machine saw."""
    given = {"--by": player, "--level": level, "--severity": severity}
    _demand_observable(milestone, given)
    time, within = moment(when, now())
    observation = {"milestone": milestone, "time": time.isoformat(), "within": within, "player": player}
    fields = {
        "observation": {k: v for k, v in observation.items() if v},
        "message": evidence,
        "level": level or "",
        "severity": severity or "",
    }

    async def check(_kube: Kube, drill: DrillAtHand, user: str) -> None:
        drill.demand_start()
        if player:
            drill.demand_player(player)
        drill.demand_other_than(user, player or "")
        _demand_in_time(drill, time, duration(within), when)

    _enter(access, drill, Word(Action.OBSERVE, fields), check)


def _demand_observable(milestone: str, given: Mapping[str, str | None]) -> None:
    if milestone not in get_args(Observable):
        names = ", ".join(get_args(Observable))
        raise CliError(f"{milestone} is no milestone that somebody can have seen: {names}", ExitCode.BAD_INPUT)
    missing = [option for option in NEEDS.get(milestone, ()) if not given[option]]
    if missing:
        raise CliError(f"{milestone} needs {' and '.join(missing)}: without, it counts for nothing", ExitCode.BAD_INPUT)


def _demand_in_time(drill: DrillAtHand, time: datetime, within: timedelta, typed: str) -> None:
    """Let a time pass that may be one of the drill: what was before its start counts for nothing."""
    if drill.began is not None and time + within < drill.began:
        raise CliError(
            f"{typed} is {time.isoformat()}, and {drill.name} started only at {drill.began.isoformat()}",
            ExitCode.BAD_INPUT,
        )


@click.command()
@click.argument("fault")
@click.argument("step", type=click.Choice([s.value for s in Step], case_sensitive=False))
@click.option("--drill", help="Which drill; the only one that is on when left out.")
@with_access
def confirm(access: Access, fault: str, step: str, drill: str | None) -> None:
    """Say that the manual FAULT was done (do) or undone (undo)."""

    async def check(_kube: Kube, drill: DrillAtHand, _user: str) -> None:
        drill.demand_on("nothing is waited for any more")
        drill.demand_by_hand(fault)

    _enter(access, drill, Word(Action.CONFIRM, {"confirmation": {"fault": fault, "step": step}}), check)


@click.command()
@click.argument("change")
@click.option("--to", "player", required=True, help="The player whose doing it was.")
@click.option("--evidence", required=True, help='How you know, e.g. "merged PR 12".')
@click.option("--drill", help="Which drill; the only one that is on when left out.")
@with_access
def attribute(access: Access, change: str, player: str, evidence: str, drill: str | None) -> None:
    """Say whose doing CHANGE was: the id of an Interference, as `watch` and the report show it."""

    async def check(kube: Kube, drill: DrillAtHand, user: str) -> None:
        drill.demand_start()
        drill.demand_player(player)
        drill.demand_other_than(user, player)
        await drill.demand_change(kube, change)

    word = Word(Action.ATTRIBUTE, {"attribution": {"change": change, "player": player}, "message": evidence})
    _enter(access, drill, word, check)


@click.command()
@click.argument("message", nargs=-1, required=True)
@click.option("--drill", help="Which drill; the only one that is on when left out.")
@with_access
def hint(access: Access, message: tuple[str, ...], drill: str | None) -> None:
    """Record that the players were given the hint MESSAGE: what comes after it counts as assisted."""

    async def check(_kube: Kube, drill: DrillAtHand, _user: str) -> None:
        drill.demand_on("a hint helps nobody any more")

    _enter(access, drill, Word(Action.HINT, {"message": " ".join(message)}), check)


def _enter(access: Access, name: str | None, word: Word, check: Check) -> None:
    async def entered() -> dict[str, Any]:
        async with connected(access) as kube:
            drill = await drill_at_hand(kube, access.control, name)
            user = await who_am_i(kube)
            await check(kube, drill, user)
            made = await say(kube, access.control, Word(word.action, word.fields | {"drill": drill.name}), user)
            if drill.has_ended:
                await _told_again(kube, drill, made["metadata"]["name"])
            return made

    made = run(entered())
    click.echo(f"{made['metadata']['creationTimestamp']}  {made['spec']['drill']}: {word.action.value} is recorded")


async def _told_again(kube: Kube, drill: DrillAtHand, mark: str) -> None:
    """A drill that has ended is told that there is new evidence: its report is written anew."""
    change = {"metadata": {"annotations": {EVIDENCE_MARK: mark}}}
    path = path_of("drills", drill.control, drill.name)
    await demand(kube.call("PATCH", path, change, content_type=MERGE_PATCH), f"drill {drill.control}/{drill.name}")
