"""Following a drill: each of its states as the API server tells them, through broken watches, to its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from kubedrill.cli.clock import now
from kubedrill.cli.connection import CliError, demand, path_of
from kubedrill.cli.exit_codes import ExitCode
from kubedrill.kube.client import Kube, Unreachable

RENEWED: Final = 60
"""Seconds after which a watch is renewed, so that a dead one is not waited for."""
PATIENCE: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class DrillUpdate:
    """A drill as it was at one moment; `gone` when this was its last."""

    drill: Mapping[str, Any]
    gone: bool = False

    @property
    def status(self) -> Mapping[str, Any]:
        """Its status, empty before the operator's first visit."""
        return self.drill.get("status") or {}

    @property
    def ended(self) -> bool:
        """Whether nothing more is to come."""
        return self.gone or condition(self.drill, "Finished") == "True"


def condition(drill: Mapping[str, Any], kind: str) -> str:
    """The status of one condition: True, False or Unknown."""
    conditions = (drill.get("status") or {}).get("conditions") or ()
    return next((str(c["status"]) for c in conditions if c["type"] == kind), "Unknown")


async def follow(kube: Kube, namespace: str, name: str) -> AsyncGenerator[DrillUpdate, None]:
    """Each state of a drill, the present one first, until it has ended or is deleted.

    Raises:
        Trouble: there is no such drill, or the API server does not answer for a minute.
    """
    last: DrillUpdate | None = None
    answered = now()
    while True:
        try:
            listing = await _listed(kube, namespace, name)
            answered = now()
            if not listing["items"]:
                if last is None:
                    raise CliError(f"there is no drill {name} in {namespace}", ExitCode.BAD_INPUT)
                yield DrillUpdate(last.drill, gone=True)
                return
            last = DrillUpdate(listing["items"][0])
            yield last
            async with aclosing(_changes(kube, namespace, name, listing)) as changes:
                async for last in changes:
                    yield last
        except Unreachable as error:
            await _or_give_up(error, answered)
        if last is not None and last.ended:
            return


async def _listed(kube: Kube, namespace: str, name: str) -> dict[str, Any]:
    query = [("fieldSelector", f"metadata.name={name}")]
    return await demand(kube.get(path_of("drills", namespace), query=query), f"drills of {namespace}")


async def _changes(
    kube: Kube, namespace: str, name: str, listing: Mapping[str, Any]
) -> AsyncGenerator[DrillUpdate, None]:
    """What one watch tells: until it breaks or the drill has ended."""
    if DrillUpdate(listing["items"][0]).ended:
        return
    watch = kube.watch(
        path_of("drills", namespace),
        listing["metadata"]["resourceVersion"],
        [("fieldSelector", f"metadata.name={name}")],
        RENEWED,
    )
    async with aclosing(watch) as events:
        async for event in events:
            if event["type"] == "ERROR":
                return
            if event["type"] == "BOOKMARK":
                continue
            seen = DrillUpdate(event["object"], gone=event["type"] == "DELETED")
            yield seen
            if seen.ended:
                return


async def _or_give_up(error: Unreachable, answered: datetime) -> None:
    if now() - answered > PATIENCE:
        raise CliError(f"the API server does not answer: {error}") from error
    await asyncio.sleep(1)
