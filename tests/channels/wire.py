"""Where Events are kept: an API server that takes each name once, and tells of an Event in both forms."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tests.undo.builders import NOON

from kubedrill.kube.client import Answer, Kube
from kubedrill.kube.clock import ServerClock

ANSWERS = Callable[[str, str], Answer | None]


class EventServer(Kube):
    """`posted` are the Events by path. `in_the_way` may answer in its place; what is answered is `done` all the same,
    where `committed` says so: as if the operator had died before it heard.
    """

    def __init__(self) -> None:
        self.now = NOON
        self.posted: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, str]] = []
        self.in_the_way: ANSWERS = lambda _method, _path: None

    @property
    def clock(self) -> ServerClock:
        return ServerClock(timedelta(0), wall=lambda: self.now, monotonic=self._seconds)

    def _seconds(self) -> float:
        return self.now.timestamp()

    @property
    def notes(self) -> list[str]:
        return [event["note"] for event in self.posted.values()]

    async def call(self, method: str, path: str, body: Any = None, **_more: Any) -> Answer:
        self.asked.append((method, path))
        if answer := self.in_the_way(method, path):
            return answer
        if method == "GET":
            return self._read(path)
        if len(body["note"].encode()) > 1024:
            causes = [{"field": "note", "reason": "FieldValueInvalid"}]
            return Answer(422, {"reason": "Invalid", "details": {"causes": causes}})
        at = f"{path}/{body['metadata']['name']}"
        if at in self.posted:
            return Answer(409, {"reason": "AlreadyExists"})
        self.posted[at] = body | {"stored": self.now}
        return Answer(201, body)

    def _read(self, path: str) -> Answer:
        event = self.posted.get(path.replace("/api/v1/", "/apis/events.k8s.io/v1/"))
        if event is None or not path.startswith("/api/v1/"):
            return Answer(404, {"reason": "NotFound"})
        stored: datetime = event["stored"]
        meta = event["metadata"] | {"creationTimestamp": stored.strftime("%Y-%m-%dT%H:%M:%SZ")}
        return Answer(200, {"metadata": meta, "message": event["note"], "eventTime": event["eventTime"]})
