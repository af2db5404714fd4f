"""An API server in small with objects of any kind: names, UIDs, versions, dry runs, preconditions, and its history."""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.undo.builders import NOON

from kubedrill.core.undo.operations import Create, Operation, Remove, Target
from kubedrill.core.undo.record import DrillIdentity, UndoRecord
from kubedrill.kube.client import Answer, Kube, Unreachable
from kubedrill.kube.paths import PODS, REPLICA_SETS, Namespaced
from kubedrill.plugins.operations.catalogue import all_reverters
from kubedrill.protocol.inject import inject
from kubedrill.protocol.outcomes import At, InjectionOutcome, RevertOutcome, nothing
from kubedrill.protocol.revert import revert
from kubedrill.store.undo_records import StoredRecord, list_records

DRILL = DrillIdentity("d1", "storm", "drills", "shop")
QUOTAS = Namespaced("v1", "resourcequotas")
SECRETS = Namespaced("v1", "secrets")
QUOTA = Target("", "v1", "ResourceQuota", "resourcequotas", "shop", "limits")
MANIFEST = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "limits"},
    "spec": {"hard": {"pods": "0"}},
}
WEB = Target("apps", "v1", "Deployment", "deployments", "shop", "web")
MAKE = Create(QUOTA, MANIFEST)
KILL = Remove(WEB, 1)


@dataclass
class SetClock:
    """A clock that stands until it is set on."""

    at: datetime = NOON
    error: timedelta = timedelta(0)

    def now(self) -> datetime:
        return self.at

    def goes_on(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Moment:
    """What happens to the requests of one kind: `before` the server has them, or when it has `committed`."""

    method: str
    of: str
    strike: Callable[[], Answer | None]
    committed: bool = False
    times: int = 1


class Cut(Exception):
    """The process dies here."""


class ObjectsServer(Kube):
    """Objects by their paths. Every write has the next version; the history is kept for watches."""

    def __init__(self, clock: SetClock) -> None:
        self.clock, self.version, self.made = clock, 100, 0
        self.objects: dict[str, dict[str, Any]] = {}
        self.history: list[tuple[int, str, str, dict[str, Any]]] = []
        self.moments: list[Moment] = []
        self.asked: list[tuple[str, str]] = []
        self.put("/api/v1/namespaces/shop", {"metadata": {"name": "shop", "uid": "n1"}})

    @property
    def restoring(self) -> Kube:
        return self

    def put(self, path: str, item: Mapping[str, Any], manager: str = "somebody") -> dict[str, Any]:
        """An object as somebody made it."""
        self.version += 1
        self.made += 1
        meta = dict(item["metadata"])
        meta.setdefault("uid", f"uid-{self.made}")
        meta |= {"resourceVersion": str(self.version), "creationTimestamp": self.clock.at.isoformat()}
        meta |= {"managedFields": [{"manager": manager, "operation": "Update", "fieldsV1": {"f:spec": {}}}]}
        if path.startswith(SECRETS.of("drills")):
            meta["namespace"] = "drills"
        stored = copy.deepcopy(dict(item)) | {"metadata": meta}
        self.objects[path] = stored
        self.history.append((self.version, "ADDED", path, stored))
        return stored

    def drop(self, path: str) -> None:
        """Somebody removes an object."""
        self.version += 1
        self.history.append((self.version, "DELETED", path, self.objects.pop(path)))

    def strikes(self, method: str, of: str, strike: Callable[[], Answer | None], **how: Any) -> None:
        """From now on, what happens to a request; once, unless `times` says otherwise."""
        self.moments.append(Moment(method, of, strike, **how))

    async def call(self, method: str, path: str, body: Any = None, *, query: Any = (), **_more: Any) -> Answer:
        asked = dict(query)
        named = f"{path} dry" if "dryRun" in asked else path
        self.asked.append((method, named))
        if (struck := self._struck(method, named, committed=False)) is not None:
            return struck
        answer = self._answer(method, path, body, asked)
        return self._struck(method, named, committed=True) or answer

    async def watch(
        self, path: str, resource_version: str, query: Any = (), *_args: Any, **_more: Any
    ) -> AsyncGenerator[dict[str, Any], None]:
        self.asked.append(("WATCH", path))
        name = dict(query)["fieldSelector"].partition("=")[2]
        for version, kind, of, item in self.history:
            if version > int(resource_version) and of == f"{path}/{name}":
                yield {"type": kind, "object": item}

    def _struck(self, method: str, path: str, *, committed: bool) -> Answer | None:
        for moment in self.moments:
            if moment.times and (moment.method, moment.committed) == (method, committed) and path.endswith(moment.of):
                moment.times -= 1
                return moment.strike()
        return None

    def _answer(self, method: str, path: str, body: Any, query: Mapping[str, str]) -> Answer:
        if method == "POST":
            return self._post(path, body, query)
        if method == "GET" and path not in self.objects and path.rpartition("/")[2] in _PLURALS:
            return self._list(path, query)
        if path not in self.objects:
            plural, name = path.split("/")[-2:]
            return Answer(404, {"reason": "NotFound", "details": {"kind": plural, "name": name}})
        here = self.objects[path]
        if method == "DELETE":
            wanted = body["preconditions"]
            if any(here["metadata"][key] != value for key, value in wanted.items()):
                return Answer(409, {"reason": "Conflict"})
            self.drop(path)
        elif method == "PATCH":
            if body["metadata"]["resourceVersion"] != here["metadata"]["resourceVersion"]:
                return Answer(409, {"reason": "Conflict"})
            self.version += 1
            here = here | {"data": body["data"]}
            here["metadata"] = here["metadata"] | {"resourceVersion": str(self.version)}
            self.objects[path] = here
        return Answer(200, copy.deepcopy(here))

    def _post(self, path: str, body: Any, query: Mapping[str, str]) -> Answer:
        one = f"{path}/{body['metadata']['name']}"
        if one in self.objects:
            return Answer(409, {"reason": "AlreadyExists"})
        if "dryRun" in query:
            return Answer(201, body)
        return Answer(201, copy.deepcopy(self.put(one, body, query.get("fieldManager", "somebody"))))

    def _list(self, path: str, query: Mapping[str, str]) -> Answer:
        found = [item for of, item in self.objects.items() if of.rpartition("/")[0] == path]
        field_name, _, value = query.get("fieldSelector", "").partition("=")
        if field_name == "metadata.name":
            found = [item for item in found if item["metadata"]["name"] == value]
        return Answer(200, {"metadata": {"resourceVersion": str(self.version)}, "items": copy.deepcopy(found)})


_PLURALS = ("resourcequotas", "secrets", "pods", "replicasets")


@dataclass
class Play:
    """A drill's operations on that server, by whoever carries them out or undoes them."""

    operation: Operation = MAKE
    clock: SetClock = field(default_factory=SetClock)

    def __post_init__(self) -> None:
        self.server = ObjectsServer(self.clock)

    async def inject(self, on: At = nothing) -> InjectionOutcome:
        return await inject(
            self.server,
            DRILL,
            {"storm": (self.operation,)},
            NOON + timedelta(hours=1),
            self.clock,
            reverters=all_reverters(self.server, self.clock.now),
            on=on,
        )

    async def revert(self, by: str = "Operator") -> RevertOutcome:
        (stored,) = await self.records()
        reverters = all_reverters(self.server, self.clock.now)
        return await revert(self.server, stored, by, self.clock, reverters=reverters)

    async def records(self) -> tuple[StoredRecord, ...]:
        return (await list_records(self.server, "drills")).readable

    async def record(self) -> UndoRecord:
        (stored,) = await self.records()
        return stored.record

    @property
    def quota(self) -> dict[str, Any] | None:
        return self.server.objects.get(QUOTA.path)

    def with_pods(self, *names: str, owner: str = "rs-1") -> None:
        """A Deployment with its ReplicaSet and pods."""
        self.server.put(WEB.path, {"metadata": {"name": "web", "uid": "w1"}})
        set_of = [{"uid": "w1", "controller": True}]
        self.server.put(
            REPLICA_SETS.one("shop", "web-1"), {"metadata": {"name": "web-1", "uid": "rs-1", "ownerReferences": set_of}}
        )
        for name in names:
            self.pod(name, owner)

    def pod(self, name: str, owner: str = "rs-1", *, ready: bool = True) -> None:
        owners = [{"uid": owner, "controller": True}] if owner else []
        status = {"conditions": [{"type": "Ready", "status": "True" if ready else "False"}]}
        self.server.put(
            PODS.one("shop", name), {"metadata": {"name": name, "ownerReferences": owners}, "status": status}
        )

    @property
    def pods(self) -> list[str]:
        return sorted(p.rpartition("/")[2] for p in self.server.objects if p.startswith(PODS.of("shop") + "/"))


def dies() -> Answer:
    raise Cut


def unanswered() -> Answer:
    raise Unreachable("the answer was lost")
