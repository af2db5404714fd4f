"""Gives an inject to the players, over every channel that carries its kind of message, and tells what came of it."""

from __future__ import annotations

from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.core.plan.drill_plan import InjectAt
from kubedrill.kube.client import Kube
from kubedrill.kube.clock import ServerClock
from kubedrill.plugins.channels import carriers
from kubedrill.plugins.channels.base import Message

CLIENT = "Client"


async def give(
    kube: Kube, clock: ServerClock, drill_uid: str, target_namespace: str, inject: InjectAt
) -> tuple[Fact, ...]:
    """The fact that it was given, or that it can't be; none while it is still to be tried again.

    It is delivered under the same key at every try, so whoever was told by an earlier one is not told again.
    """
    message = Message(target_namespace, inject.channel, inject.sender, inject.body)
    key = f"{drill_uid}/{inject.name}"
    tries = {name: await channel.deliver(kube, clock, message, key) for name, channel in carriers(message.kind).items()}
    if any(one.at is None and not one.for_good for one in tries.values()):
        return ()
    told = {name: one.at for name, one in tries.items() if one.at is not None}
    if not told:
        why = "; ".join(f"{name}: {one.why}" for name, one in tries.items()) or "no channel carries it"
        return (
            _of(
                inject, FactKind.NOTED, Interval.at(clock.now(), clock.error), f"could not be given: {why}", message=why
            ),
        )
    kind = FactKind.CLIENT_COMPLAINED if inject.channel == CLIENT else FactKind.NOTED
    return (_of(inject, kind, min(told.values()), f"given by {', '.join(told)}: {inject.body[:120]}"),)


def _of(inject: InjectAt, kind: FactKind, at: Interval, said: str, **detail: str) -> Fact:
    return Fact(
        kind,
        at,
        Source.OPERATOR,
        f"inject/{inject.name}",
        evidence=f"inject {inject.name} {said}",
        detail={"inject": inject.name, **detail},
    )
