"""An undo that the API server does not let through is told once by an Event, and by the metric at once."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from tests.clock.settable import Settable
from tests.undo.builders import NOON, UNDO, deployment, injected

from kubedrill.controller.gathering import FactInbox
from kubedrill.controller.settings import OperatorSettings
from kubedrill.controller.turn import Turns
from kubedrill.core.evidence.facts import Interval
from kubedrill.core.undo.record import RecordState, to_json
from kubedrill.kube.client import Answer, Kube
from kubedrill.kube.informers import Informers
from kubedrill.protocol.revert_tracker import STUCK_AFTER
from kubedrill.store.undo_records import RECORD_TYPE

RECORDS = "/api/v1/namespaces/drills/secrets"
DRILL = "/apis/kubedrill.dev/v1alpha1/namespaces/drills/drills/storm"
EVENTS = "/apis/events.k8s.io/v1/namespaces/drills/events"


class Server(Kube):
    """A drill that is to be stopped, its undo record, and a target that answers with `status`."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.events: list[Any] = []
        record = injected(deployment())[0].moved_to(RecordState.INJECTED, injected=Interval.at(NOON))
        metadata = {"name": record.name, "namespace": "drills", "uid": "s1", "resourceVersion": "1"}
        data = {"record": base64.b64encode(to_json(record)).decode()}
        self.secret = {"metadata": metadata, "type": RECORD_TYPE, "data": data}

    async def call(self, method: str, path: str, body: Any = None, **_more: Any) -> Answer:
        if path == EVENTS:
            self.events.append((body["reason"], body["type"], body["note"]))
            return Answer(201, body)
        if path == DRILL:
            meta = {"name": "storm", "namespace": "drills", "uid": "d1"}
            return Answer(200, {"metadata": meta, "spec": {"desired": "Stop"}})
        if path == RECORDS:
            return Answer(200, {"items": [self.secret]})
        if path.startswith(RECORDS):
            return Answer(200, self.secret)
        return Answer(self.status, {"message": f"{method} is not answered"})


@pytest.fixture
def clock():
    return Settable(NOON)


def turns(server: Server, clock: Settable) -> Turns:
    return Turns(server, clock, OperatorSettings(), "storm", "d1", FactInbox(), lambda: None, Informers(server, clock))


async def test_a_refused_one_is_told_at_once_and_only_once(clock):
    server = Server(403)
    drill = turns(server, clock)
    for _ in range(3):
        await drill.put_back_anyway("poison")
        clock.at += timedelta(seconds=5)
    ((reason, kind, note),) = server.events
    assert (reason, kind) == ("CannotPutBack", "Warning")
    assert note.startswith(f"undo record {UNDO}: Refused: ")
    assert list(drill.stuck()) == [UNDO]


async def test_one_that_is_not_answered_is_told_after_half_a_minute(clock):
    server = Server(503)
    drill = turns(server, clock)
    await drill.put_back_anyway("poison")
    assert not server.events
    assert not drill.stuck()
    clock.at += STUCK_AFTER
    assert list(drill.stuck()) == [UNDO], "without another try"
    await drill.put_back_anyway("poison")
    assert [note.split(": ")[1] for _, _, note in server.events] == ["ServerBusy"]
