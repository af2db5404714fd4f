"""Kubernetes Events in the target namespace: `kubectl get events` shows players what the client says.

An Event is about the namespace and tells of no drill. Its name is made of the message's key, so a message that was
posted by an operator that died right after it is found, with its time, and not posted again. The API server keeps an
Event for an hour: an operator that was away for longer tells it a second time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import reduce
from typing import Any, Final

from kubedrill.core.evidence.facts import Interval
from kubedrill.core.evidence.timestamps import instant
from kubedrill.core.rights import Right
from kubedrill.kube.client import Kube
from kubedrill.kube.clock import ServerClock
from kubedrill.kube.events import NOTE_BYTES, EventText, event_name, is_already_said, post
from kubedrill.kube.paths import CORE_EVENTS
from kubedrill.kube.refusals import is_unstorable, words
from kubedrill.plugins.channels.base import ChannelKind, Delivery, Message, Outbound, numbered_parts

REASONS: Final[Mapping[str, str]] = {"Client": "ClientMessage", "Note": "Facilitator"}
SECOND: Final = timedelta(seconds=1)


async def deliver(kube: Kube, clock: ServerClock, message: Message, key: str) -> Delivery:
    """Posts the message's parts in order, each once."""
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": message.namespace}}
    told: list[Interval] = []
    for number, part in enumerate(numbered_parts(message.words, NOTE_BYTES), start=1):
        name = event_name(message.namespace, key, str(number))
        one = await _said(kube, clock, EventText(space, REASONS[message.kind], part), name)
        if one.at is None:
            return one
        told.append(one.at)
    return Delivery(reduce(Interval.hull, told))


async def _said(kube: Kube, clock: ServerClock, text: EventText, name: str) -> Delivery:
    sent = clock.now()
    answer = await post(kube, text, name, sent)
    if answer.ok:
        return Delivery(Interval(sent - clock.error, clock.now() + clock.error))
    if is_already_said(answer):
        return await _said_before(kube, clock, text, name)
    return Delivery(why=words(answer), for_good=is_unstorable(answer))


async def _said_before(kube: Kube, clock: ServerClock, text: EventText, name: str) -> Delivery:
    """When the Event that is there already was posted, if it says the same."""
    # as an object of v1: that is what a namespace's opt-in lets the operator read
    answer = await kube.get(CORE_EVENTS.one(text.namespace, name))
    if not answer.ok:
        return Delivery(why=f"whether it was told can't be read: {words(answer)}")
    if answer.body.get("message") != text.note:
        return Delivery(why=f"Event {name} is there already and says something else", for_good=True)
    return Delivery(_posted(answer.body, clock))


def _posted(event: Mapping[str, Any], clock: ServerClock) -> Interval:
    """Between the instant at which it was sent and the end of the second in which the API server stored it."""
    now = clock.now()
    created = instant(event["metadata"]["creationTimestamp"])
    sent = instant(event.get("eventTime") or event["metadata"]["creationTimestamp"])
    end = min(max(sent, created + SECOND), now)
    return Interval(min(sent, end) - clock.error, end + clock.error)


CHANNEL: Final = ChannelKind(
    name="kubernetesEvents",
    summary="Events in the target namespace, which kubectl get events shows.",
    outbound=Outbound(
        carries=frozenset(REASONS),
        deliver=deliver,
        rights=(Right("events.k8s.io", "events", "create"), Right("", "events", "get")),
    ),
)
