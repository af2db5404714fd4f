"""An API server that keeps namespaces and undo records, and a drill whose fault is in a real Redis."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from redis import Redis
from tests.reverters.builders import jobs, now

from kubedrill.core.undo.operations import Enqueue
from kubedrill.core.undo.record import DrillIdentity
from kubedrill.kube.client import Answer, Kube
from kubedrill.plugins.operations.base import Reverters
from kubedrill.plugins.operations.redis import RedisJobs
from kubedrill.protocol.inject import inject
from kubedrill.protocol.outcomes import At, InjectionOutcome, RevertOutcome, nothing
from kubedrill.protocol.revert import revert
from kubedrill.store.undo_records import StoredRecord, list_records

SECRETS = "/api/v1/namespaces/drills/secrets"
SPACES = "/api/v1/namespaces"


class Cluster(Kube):
    """Namespaces by name with their UID, Secrets with preconditions. `answers` replace what a path would answer."""

    def __init__(self) -> None:
        self.namespaces = {"shop": "n1"}
        self.secrets: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, Answer] = {}
        self._version = 0

    async def call(self, method: str, path: str, body: Any = None, **_more: Any) -> Answer:
        if path in self.answers:
            return self.answers[path]
        collection, _, name = path.rpartition("/")
        if collection == SPACES:
            uid = self.namespaces.get(name)
            return Answer(200, {"metadata": {"uid": uid}}) if uid else not_found("namespaces", name)
        if path == SECRETS and method == "POST":
            return self._stored(body) if body["metadata"]["name"] not in self.secrets else conflict("AlreadyExists")
        if path == SECRETS:
            return Answer(200, {"items": list(self.secrets.values())})
        stored = self.secrets.get(name)
        if stored is None:
            return not_found("secrets", name)
        if method == "PATCH":
            if body["metadata"]["resourceVersion"] != stored["metadata"]["resourceVersion"]:
                return conflict("Conflict")
            return self._stored({"metadata": stored["metadata"], "data": body["data"]})
        return Answer(200, stored)

    def _stored(self, secret: dict[str, Any]) -> Answer:
        self._version += 1
        name = secret["metadata"]["name"]
        metadata = {"namespace": "drills", "uid": f"uid-{self._version}"} | secret["metadata"]
        metadata["resourceVersion"] = str(self._version)
        self.secrets[name] = {"type": "kubedrill.dev/undo", "metadata": metadata, "data": secret["data"]}
        return Answer(201, self.secrets[name])


def not_found(plural: str, name: str) -> Answer:
    return Answer(404, {"reason": "NotFound", "details": {"kind": plural, "name": name}})


def conflict(reason: str) -> Answer:
    return Answer(409, {"reason": reason})


@dataclass
class Hands:
    """A process of KubeDrill: its clock, its reverters, and the protocol's steps in one word each."""

    cluster: Cluster
    port: int
    ahead: timedelta = timedelta(0)
    error: timedelta = timedelta(0)
    reverters: Reverters = field(init=False)

    def __post_init__(self) -> None:
        self.reverters = {Enqueue: RedisJobs(self.now, resolve=lambda _host, _port: ("127.0.0.1", self.port))}

    def now(self) -> datetime:
        return now() + self.ahead

    async def inject(
        self, uid: str = "d1", operation: Enqueue | None = None, *, on: At = nothing, space: str = "shop"
    ) -> InjectionOutcome:
        drill = DrillIdentity(uid, f"storm-{uid}", "drills", space)
        faults = {"flood": [operation or load(uid)]}
        return await inject(
            self.cluster, drill, faults, self.now() + timedelta(minutes=30), self, reverters=self.reverters, on=on
        )

    async def revert(self, stored: StoredRecord) -> RevertOutcome:
        return await revert(self.cluster, stored.ref, "Operator", self, reverters=self.reverters)

    async def records(self, uid: str | None = None) -> tuple[StoredRecord, ...]:
        return (await list_records(self.cluster, "drills", uid)).readable

    async def record(self, uid: str = "d1") -> StoredRecord:
        (stored,) = await self.records(uid)
        return stored


def load(uid: str = "d1", **said: Any) -> Enqueue:
    """Fake jobs for the Redis of namespace shop."""
    usual = {"host": "redis.shop.svc", "namespace": "shop", "prefix": f"drill-{uid}-flood-", "in_flight": ()}
    return jobs(6379, **usual | said)


def ends(outcome: RevertOutcome) -> list[str]:
    return [one.outcome for one in outcome.fields]


def fakes(queue: Redis) -> int:
    return int(queue.llen("jobs"))
