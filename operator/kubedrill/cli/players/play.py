"""`play`: scripted players act a drill, each under an own identity, as people would: they wait for the page.

They know nothing of the Drill, which players can't read. What they did and when is written down on this
machine's clock, request sent and answered, so that what the operator measured can be held against it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

import click

from kubedrill.api.durations import parse_duration
from kubedrill.cli.clock import now, until_the_next_look
from kubedrill.cli.connection import Access, CliError, connected, run, said_by
from kubedrill.cli.players.say import say, who_am_i
from kubedrill.cli.players.script import Page, Script, ScriptPlayer, ScriptStep, When, load_script
from kubedrill.kube.answers import NoAnswer, list_of
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.kube.paths import PODS
from kubedrill.plugins.sources import prometheus


@click.command()
@click.argument("script", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--truth", type=click.Path(path_type=Path, dir_okay=False), help="Write what was done, JSON lines.")
@click.option("-n", "--namespace", help="Target namespace, instead of the script's.")
@click.option("--pace", type=click.IntRange(1, 60), help="The drill's pace, instead of the script's.")
def play(script: Path, truth: Path | None, namespace: str | None, pace: int | None) -> None:
    """Act SCRIPT as its players, from the page on."""
    changes = {"namespace": namespace or None, "pace": pace}
    play_ = load_script(script).model_copy(update={k: v for k, v in changes.items() if v is not None})
    failed = run(_acted(play_, truth))
    if failed:
        raise CliError(f"{failed} of {len(play_.steps)} steps failed")


@dataclass(slots=True)
class ScriptedPlayer:
    """A player with a connection of their own; `name` is their user name at the API server."""

    player: ScriptPlayer
    kube: Kube
    name: str


@dataclass(slots=True)
class Stage:
    """A play that is on. `zero` is T+0: when the paged alert fired."""

    script: Script
    actors: Mapping[str, ScriptedPlayer]
    truth: TextIO | None = None
    zero: datetime = field(default_factory=now)

    def due(self, step: ScriptStep) -> datetime:
        """When a step is to be done at the earliest."""
        return self.zero + parse_duration(step.at) / self.script.pace

    def write(self, **entry: Any) -> None:
        """Add a line to the truth, and tell it."""
        line = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in entry.items()}
        if self.truth is not None:
            self.truth.write(json.dumps(line) + "\n")
            self.truth.flush()


async def _acted(script: Script, truth: Path | None) -> int:
    async with AsyncExitStack() as stack:
        actors = {name: await stack.enter_async_context(_actor(player)) for name, player in script.players.items()}
        if truth is not None:
            truth.parent.mkdir(parents=True, exist_ok=True)
        file = stack.enter_context(truth.open("w", encoding="utf-8")) if truth else None
        stage = Stage(script, actors, file)
        await _paged(stage)
        outcomes = await asyncio.gather(*(_part(stage, name) for name in actors))
    return sum(outcomes)


@asynccontextmanager
async def _actor(player: ScriptPlayer) -> AsyncIterator[ScriptedPlayer]:
    async with connected(Access(None, player.context, player.user)) as kube:
        yield ScriptedPlayer(player, kube, await who_am_i(kube))


async def _paged(stage: Stage) -> None:
    """Wait for the page, as anybody with a pager does; T+0 is when its alert fired.

    Raises:
        Trouble: it does not come in time.
    """
    page, started = stage.script.page, now()
    kube = next(iter(stage.actors.values())).kube
    click.echo(f"waiting for the page of {page.alert}")
    while now() - started < parse_duration(page.within):
        found = fired(await _pages(kube, stage.script.namespace, page), page.alert, started)
        if found is not None:
            stage.zero = found
            stage.write(event="paged", alert=page.alert, zero=found, seen=now())
            click.echo(f"{now():%H:%M:%S} paged: {page.alert} fired at {found:%H:%M:%S}")
            return
        await until_the_next_look(often=True)
    raise CliError(f"no page of {page.alert} within {page.within}")


async def _pages(kube: Kube, namespace: str, page: Page) -> list[Any]:
    try:
        return list_of(
            await said_by(kube, namespace, page.service, page.port, f"/{page.path.lstrip('/')}"), "the pages"
        )
    except NoAnswer:
        return []


def fired(pages: list[Any], alert: str, since: datetime) -> datetime | None:
    """When the alert of the first page about it fired; pages of before `since` are of another time."""
    starts = (
        datetime.fromisoformat(a["startsAt"])
        for page in pages
        for a in page["body"].get("alerts", ())
        if a.get("labels", {}).get("alertname") == alert and a.get("status") == "firing"
    )
    return min((s for s in starts if s >= since), default=None)


async def _part(stage: Stage, name: str) -> int:
    """All steps of one player, in order; how many of them failed."""
    failed = 0
    for number, step in enumerate(stage.script.steps, 1):
        if step.player != name:
            continue
        wait = (stage.due(step) - now()).total_seconds()
        if wait > 0:
            await asyncio.sleep(wait)
        failed += not await _done(stage, number, step)
    return failed


async def _done(stage: Stage, number: int, step: ScriptStep) -> bool:
    """Do one step and write down what became of it."""
    actor = stage.actors[step.player]
    what = step.do if step.do is not None else "kubectl " + " ".join(step.kubectl or ())
    if step.when is not None and not await _holds(actor.kube, stage.script.namespace, step.when):
        stage.write(event="step", step=number, player=step.player, what=what, ok=False, answer="timed out")
        click.echo(f"{now():%H:%M:%S} {step.player}: {what}: timed out waiting for {step.when.promql}")
        return False
    if step.do is not None:
        sent, ok, answer = await _spoken(actor, stage.script.namespace, step)
    else:
        sent, ok, answer = await _run_kubectl(actor, stage.script.namespace, step)
    stage.write(
        event="step", step=number, player=step.player, user=actor.name, what=what, planned=stage.due(step),
        sent=sent, answered=now(), clock="this machine", ok=ok, answer=answer,
    )  # fmt: skip
    offset = (sent - stage.zero) * stage.script.pace
    click.echo(f"{sent:%H:%M:%S} T+{_minutes(offset)} {step.player}: {what}{'' if ok else f' FAILED: {answer}'}")
    return ok


async def _spoken(actor: ScriptedPlayer, namespace: str, step: ScriptStep) -> tuple[datetime, bool, str]:
    word, sent = step.word(), now()
    try:
        made = await say(actor.kube, namespace, word, actor.name)
    except (CliError, Unreachable) as error:
        return sent, False, str(error)
    return sent, True, str(made["metadata"]["name"])


async def _run_kubectl(actor: ScriptedPlayer, namespace: str, step: ScriptStep) -> tuple[datetime, bool, str]:
    identity = ["--as", actor.player.user] if actor.player.user else []
    context = ["--context", actor.player.context] if actor.player.context else []
    arguments = list(step.kubectl or ())
    if any("{crashed}" in a for a in arguments):
        pod = await _crashed(actor.kube, namespace)
        arguments = [a.replace("{crashed}", pod) for a in arguments]
    sent = now()
    process = await asyncio.create_subprocess_exec(
        "kubectl", "-n", namespace, *context, *identity, *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=os.environ,
    )  # fmt: skip
    output, _ = await process.communicate()
    return sent, process.returncode == 0, output.decode(errors="replace")[-500:].strip()


async def _crashed(kube: Kube, namespace: str) -> str:
    """A pod of which a container was killed last; one that does not exist when there is none."""
    answer = await kube.get(PODS.of(namespace))
    for pod in answer.body.get("items", []):
        for container in (pod.get("status") or {}).get("containerStatuses", ()):
            states = [container.get("lastState") or {}, container.get("state") or {}]
            if any((s.get("terminated") or {}).get("reason") == "OOMKilled" for s in states):
                return str(pod["metadata"]["name"])
    return "no-pod-has-crashed"


async def _holds(kube: Kube, namespace: str, when: When) -> bool:
    """Wait for a condition; whether it came true in time."""
    deadline = now() + parse_duration(when.within)
    while now() < deadline:
        with contextlib.suppress(NoAnswer):
            asked = (when.service, when.port, "/api/v1/query", [("query", when.promql)])
            if any(True for _ in prometheus.vector(await said_by(kube, namespace, *asked))):
                return True
        await until_the_next_look(often=True)
    return False


def _minutes(offset: timedelta) -> str:
    minutes, seconds = divmod(round(offset.total_seconds()), 60)
    return f"{minutes}:{seconds:02}"
