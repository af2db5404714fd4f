"""`stop --all`: every drill of a control namespace is stopped, and waited for until everything is put back.

It needs no more rights than the watchdog has, so that whoever removes KubeDrill can let its own account do it first.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

import click

from kubedrill.api.drill import Desired
from kubedrill.api.durations import format_duration
from kubedrill.cli.clock import now, until_the_next_look
from kubedrill.cli.connection import Access, CliError, connected
from kubedrill.cli.exit_codes import ExitCode
from kubedrill.cli.facilitators.stop_and_start import say_what_is_wanted
from kubedrill.cli.safety.installed import active
from kubedrill.cli.standing import phase_of
from kubedrill.core.undo.record import RecordState
from kubedrill.kube.client import Kube
from kubedrill.store.undo_records import Listing, RecordError, list_records

MOST_NAMED: Final = 5


async def all_stopped(access: Access, because: str, limit: timedelta) -> str:
    """Stops every drill; what is so then, in a line.

    An operator that is gone ends no drill, and that is no reason to wait: what counts is that nothing is broken any
    more, which the watchdog sees to as well.

    Raises:
        CliError: something is not restored within the limit (exit code: not restored), or can't be asked about.
    """
    async with connected(access) as kube:
        control = access.control
        names = [drill["metadata"]["name"] for drill in await active(kube, control)]
        for name in names:
            await say_what_is_wanted(kube, control, name, Desired.STOP, because)
            click.echo(f"stopping {name}")
        deadline = now() + limit
        while True:
            going = {drill["metadata"]["name"]: phase_of(drill) for drill in await active(kube, control)}
            broken = list(_open(await _records(kube, control)))
            if not going and not broken:
                return f"{len(names)} stopped; everything of {control} is restored."
            if now() > deadline:
                break
            await until_the_next_look()
    if broken:
        raise CliError(
            f"{_some(broken)}: not restored after {format_duration(limit)}. The operator and the watchdog go on trying;"
            " kubectl drill doctor says what is in the way",
            ExitCode.NOT_RESTORED,
        )
    return f"everything of {control} is restored. Not ended, for want of an operator: {_some(sorted(going))}."


async def _records(kube: Kube, control: str) -> Listing:
    try:
        return await list_records(kube, control)
    except RecordError as trouble:
        raise CliError(f"whether everything is restored can't be told: {trouble}", ExitCode.NOT_RESTORED) from trouble


def _open(listing: Listing) -> Iterator[str]:
    """What is not put back, or may not be."""
    for one in listing.readable:
        if one.record.state is not RecordState.REVERTED:
            yield f"{one.record.drill.name}: {one.record.subject}"
    yield from (f"{one.ref.name}, which can't be read" for one in listing.unreadable)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
