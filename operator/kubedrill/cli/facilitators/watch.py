"""`watch`: a drill as a live tree on a terminal, as plain lines elsewhere, to its verdict and exit code."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any, Final

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text
from rich.tree import Tree

from kubedrill.cli.clock import now
from kubedrill.cli.connection import Access, CliError, connected, run, with_access
from kubedrill.cli.exit_codes import ExitCode, exit_code
from kubedrill.cli.facilitators.status_view import news, title, tree
from kubedrill.cli.facilitators.watch_stream import DrillUpdate, condition, follow
from kubedrill.cli.typed_times import duration
from kubedrill.kube.client import Kube

REDRAWN: Final = 1.0
STYLES: Final = {"✓": "green", "✗": "red", "?": "yellow"}


@click.command()
@click.argument("name")
@click.option("--plain", is_flag=True, help="Plain lines on a terminal too.")
@click.option("--restore-wait", default="10m", show_default=True, help="How long it may be stuck while restoring.")
@with_access
def watch(access: Access, name: str, *, plain: bool, restore_wait: str) -> None:
    """Follow drill NAME until its verdict; the exit code tells it (0 passed, 1 missed, 4 stopped, …)."""
    limit = duration(restore_wait)

    async def work() -> DrillUpdate:
        async with connected(access) as kube:
            return await watched(kube, access.control, name, live=sys.stdout.isatty() and not plain, stuck=limit)

    sys.exit(ended(run(work())))


def ended(seen: DrillUpdate) -> ExitCode:
    """Say how a drill ended; its exit code."""
    if seen.gone and condition(seen.drill, "Finished") != "True":
        click.echo("The drill was deleted.")
        return ExitCode.STOPPED
    code = exit_code(seen.drill)
    score = f" ({seen.status['score']})" if seen.status.get("score") else ""
    click.echo(f"{seen.status.get('message') or seen.status.get('verdict', 'No verdict')}{score}")
    if seen.status.get("startExTime"):
        click.echo(f"Its report: kubectl drill report {seen.drill['metadata']['name']} -o DIR")
    return code


async def watched(kube: Kube, namespace: str, name: str, *, live: bool, stuck: timedelta) -> DrillUpdate:
    """Show a drill until it has ended; its last state.

    Raises:
        Trouble: it could not be put back for longer than `stuck` (exit code: not restored).
    """
    states = _unless_stuck(follow(kube, namespace, name), stuck)
    async with aclosing(states):
        return await (_drawn(states) if live else _told(states))


async def _told(states: AsyncGenerator[DrillUpdate, None]) -> DrillUpdate:
    last = DrillUpdate({})
    async for seen in states:
        if not last.drill:
            click.echo(title(seen.drill))
        for line in news(last.drill, seen.drill):
            click.echo(f"{now():%H:%M:%S} {line}")
        last = seen
    return last


async def _drawn(states: AsyncGenerator[DrillUpdate, None]) -> DrillUpdate:
    last = DrillUpdate({})
    with Live(console=Console(), auto_refresh=False, transient=False) as screen:

        async def tick() -> None:
            while True:
                await asyncio.sleep(REDRAWN)
                if last.drill:
                    screen.update(drawing(last.drill, now()), refresh=True)

        ticking = asyncio.create_task(tick())
        try:
            async for seen in states:
                last = seen
                screen.update(drawing(last.drill, now()), refresh=True)
        finally:
            ticking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ticking
    return last


def drawing(drill: Any, at: datetime) -> RenderableType:
    """The tree of a drill with its colours."""
    root = Tree(Text(title(drill), style="bold"), guide_style="dim")
    for branch in tree(drill, at):
        node = root.add(Text(branch.text, style="bold red" if branch.text.startswith("Fault active") else "bold"))
        for leaf in branch.leaves:
            node.add(Text(leaf, style=STYLES.get(leaf[:1], "")))
    return Group(root)


async def _unless_stuck(
    states: AsyncGenerator[DrillUpdate, None], limit: timedelta
) -> AsyncGenerator[DrillUpdate, None]:
    """The states, until a drill is called stalled for longer than the limit."""
    since: datetime | None = None
    latest = DrillUpdate({})
    following = aiter(states)
    coming: asyncio.Task[DrillUpdate] | None = None
    try:
        while True:
            coming = coming or asyncio.ensure_future(anext(following))
            done, _ = await asyncio.wait({coming}, timeout=REDRAWN)
            if done:
                try:
                    latest = coming.result()
                except StopAsyncIteration:
                    return
                finally:
                    coming = None
                yield latest
            stalled = bool(latest.drill) and condition(latest.drill, "Stalled") == "True"
            since = (since or now()) if stalled else None
            if since is not None and now() - since > limit:
                raise CliError(f"could not be restored: {latest.status.get('message', '')}", ExitCode.NOT_RESTORED)
    finally:
        if coming is not None:
            coming.cancel()
            with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                await coming
