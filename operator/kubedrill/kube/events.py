"""Kubernetes Events, each said once: its name is made of what it is about, so a second one meets the first.

The API server keeps an Event for an hour (`--event-ttl`); what is said again after that is said twice.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from kubedrill.api.base import API_VERSION, GROUP
from kubedrill.core.machine.bounds import cut_bytes
from kubedrill.kube.client import Answer, Kube
from kubedrill.kube.paths import EVENTS

LOG = logging.getLogger(__name__)
NOTE_BYTES: Final = 1024
"""The API server counts bytes, not characters (`noteLengthLimit` of events.k8s.io/v1)."""
ALREADY_EXISTS: Final = "AlreadyExists"


@dataclass(frozen=True, slots=True)
class EventText:
    """What an Event says: about which object, in a word (`reason`) and a sentence (`note`); `by` is the process."""

    regarding: Mapping[str, Any]
    reason: str
    note: str
    warning: bool = False
    by: str = "operator"

    @property
    def namespace(self) -> str:
        """Where it is posted: the object's own namespace, or the Namespace that it is about."""
        meta = self.regarding["metadata"]
        return str(meta.get("namespace") or meta["name"])


def event_name(about: str, *key: str) -> str:
    """The name of the Event about an object that `key` alone tells from all others; it tells nobody what the key is."""
    digest = hashlib.sha256("\0".join(key).encode("utf-8", "replace")).hexdigest()[:20]
    return f"{about[:40].rstrip('.-')}-{digest}"


def is_already_said(answer: Answer) -> bool:
    """Whether the Event was there before: another try, or another process, has said it."""
    return answer.status == 409 and answer.reason == ALREADY_EXISTS


async def post(kube: Kube, text: EventText, name: str, now: datetime) -> Answer:
    """Says something in an Event of this name, cut to what one takes; the API server's answer."""
    meta = text.regarding["metadata"]
    stamp = now.isoformat(timespec="microseconds").replace("+00:00", "Z")
    answer = await kube.call(
        "POST",
        EVENTS.of(text.namespace),
        {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": text.namespace},
            "eventTime": stamp,
            "reportingController": GROUP,
            "reportingInstance": text.by,
            "action": text.reason,
            "reason": text.reason,
            "note": cut_bytes(text.note, NOTE_BYTES),
            "type": "Warning" if text.warning else "Normal",
            # the namespace must be the Event's own, that of a Namespace too, or the Event is refused
            "regarding": {
                "apiVersion": text.regarding.get("apiVersion", API_VERSION),
                "kind": text.regarding.get("kind", "Drill"),
                "name": meta["name"],
                "namespace": text.namespace,
                "uid": meta.get("uid"),
            },
        },
    )
    if not answer.ok and not is_already_said(answer):
        LOG.warning("an Event was refused (%s on %s): %s %s", text.reason, meta["name"], answer.status, answer.message)
    return answer
