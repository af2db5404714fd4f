"""An API server at the wire with just what the watchdog needs: Drills, undo records, a Lease and a Deployment."""

from __future__ import annotations

import asyncio
import base64
import copy
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

from aiohttp import web
from tests.undo.builders import NOON, TARGET, PatchFailed, injected
from tests.undo.builders import deployment as plain_deployment
from tests.wire import connected_to

from kubedrill.api.drill import FINALIZER
from kubedrill.core.evidence.facts import Interval
from kubedrill.core.undo.operations import ABSENT
from kubedrill.core.undo.pointers import put, read
from kubedrill.core.undo.record import OutsideGroup, RecordState, UndoRecord, from_json, record_name, to_json
from kubedrill.kube.client import Kube
from kubedrill.protocol.lease import LEASE, lease_path

CONTROL = "drills"
SECRETS = f"/api/v1/namespaces/{CONTROL}/secrets"
DRILLS = f"/apis/kubedrill.dev/v1alpha1/namespaces/{CONTROL}/drills"
EVENTS = f"/apis/events.k8s.io/v1/namespaces/{CONTROL}/events"
LEASES = lease_path(CONTROL)
LIMIT = "/spec/template/spec/containers/0/resources/limits/memory"
ASKED = record_name("", "Ask", "", "by hand")
"""The name of the undo record of what was done by hand."""
LISTED = ("secrets", "drills", "replicasets", "pods")
Answering = Callable[[web.Request], web.Response | None]


class Cluster:
    """Objects by path. `answering` may answer in the server's place, `hanging` what is asked of a path waits for;
    `writes` are the requests that write.
    """

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.writes: list[tuple[str, str]] = []
        self.now = NOON
        self.answering: Answering = lambda _: None
        self.hanging: dict[str, asyncio.Event] = {}
        self._version = 100
        self.put("/api/v1/namespaces/shop", {"metadata": {"name": "shop", "uid": "n1"}})

    def put(self, path: str, thing: dict[str, Any]) -> None:
        self._version += 1
        thing["metadata"]["resourceVersion"] = str(self._version)
        self.objects[path] = thing

    def passes(self, **duration: float) -> None:
        """The server's time goes on."""
        self.now += timedelta(**duration)

    def drill(self, *, uid: str = "d1", deleted: datetime | None = None, desired: str = "Run", word: str = "") -> None:
        """A Drill. `desired` is what its spec wants, `word` what its facilitator has said."""
        meta: dict[str, Any] = {"name": "storm", "namespace": CONTROL, "uid": uid, "finalizers": [FINALIZER]}
        if word:
            meta["annotations"] = {"kubedrill.dev/desired": word}
        if deleted:
            meta["deletionTimestamp"] = deleted.strftime("%Y-%m-%dT%H:%M:%SZ")
        self.put(f"{DRILLS}/storm", {"metadata": meta, "spec": {"desired": desired}})

    def record(self, record: UndoRecord) -> None:
        meta = {"name": record.name, "namespace": CONTROL, "uid": f"uid-{record.name}"}
        data = {"record": base64.b64encode(to_json(record)).decode()}
        self.put(f"{SECRETS}/{record.name}", {"metadata": meta, "type": "kubedrill.dev/undo", "data": data})

    def fault(self) -> None:
        """The Deployment with a drill's fault in it, and the record of it."""
        record, broken = injected(plain_deployment())
        record = record.moved_to(RecordState.INJECTED, injected=Interval(NOON, NOON))
        self.put(TARGET.path, broken)
        self.record(record)

    def ask(self, group: OutsideGroup) -> None:
        """The record of an operation by a person's hands."""
        record, _ = injected(plain_deployment())
        self.record(
            record.moved_to(
                RecordState.INJECTED,
                injected=Interval(NOON, NOON),
                name=ASKED,
                groups=(group,),
                target=None,
                subject="by hand",
                namespace_uid="",
            )
        )

    def beat(self) -> None:
        """The operator is heard."""
        self.put(f"{LEASES}/{LEASE}", {"metadata": {"name": LEASE}})

    def records(self) -> dict[str, UndoRecord]:
        return {
            path.rpartition("/")[2]: from_json(base64.b64decode(thing["data"]["record"]))
            for path, thing in self.objects.items()
            if path.startswith(SECRETS)
        }

    @property
    def limit(self) -> Any:
        return read(self.objects[TARGET.path], LIMIT)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        if request.method != "GET":
            self.writes.append((request.method, request.path))
        if request.path in self.hanging:
            await self.hanging[request.path].wait()
        response = self.answering(request) or self._stored(request.method, request.path, body)
        response.headers["Date"] = format_datetime(self.now.replace(microsecond=0), usegmt=True)
        return response

    def _stored(self, method: str, path: str, body: Any) -> web.Response:
        if method == "POST" and path == EVENTS:
            if body["metadata"]["name"] in {e["metadata"]["name"] for e in self.events}:
                return status(409, "AlreadyExists", "events", body["metadata"]["name"])
            self.events.append(body)
            return web.json_response(body, status=201)
        if method == "POST":
            body["metadata"].setdefault("uid", f"uid-{body['metadata']['name']}")
            self.put(f"{path}/{body['metadata']['name']}", body)
            return web.json_response(body, status=201)
        collection, _, name = path.rpartition("/")
        if method == "GET" and name in LISTED:
            items = [
                thing
                for at, thing in self.objects.items()
                if at.startswith(f"{path}/") and (name != "secrets" or thing["type"] == "kubedrill.dev/undo")
            ]
            return web.json_response({"items": items, "metadata": {}})
        thing = self.objects.get(path)
        if thing is None:
            return status(404, "NotFound", collection.rpartition("/")[2], name)
        if method == "DELETE":
            expected = (body or {}).get("preconditions", {})
            if any(thing["metadata"][key] != value for key, value in expected.items()):
                return status(409, "Conflict")
            del self.objects[path]
        elif method == "PATCH":
            return self._patched(path, thing, body)
        return web.json_response(thing)

    def _patched(self, path: str, thing: dict[str, Any], body: Any) -> web.Response:
        draft = copy.deepcopy(thing)
        if isinstance(body, list):
            try:
                for step in body:
                    _apply(draft, step)
            except PatchFailed:
                return status(422, "Invalid")
        else:
            version = thing["metadata"]["resourceVersion"]
            if body.get("metadata", {}).get("resourceVersion", version) != version:
                return status(409, "Conflict")
            draft |= {key: value for key, value in body.items() if key != "metadata"}
            if noted := body.get("metadata", {}).get("annotations"):
                draft["metadata"]["annotations"] = draft["metadata"].get("annotations", {}) | noted
        if draft["metadata"].get("deletionTimestamp") and not draft["metadata"]["finalizers"]:
            del self.objects[path]
        else:
            self.put(path, draft)
        return web.json_response(draft)


def status(code: int, reason: str = "", kind: str = "", name: str = "") -> web.Response:
    return web.json_response({"kind": "Status", "reason": reason, "details": {"kind": kind, "name": name}}, status=code)


def _apply(draft: dict[str, Any], step: dict[str, Any]) -> None:
    path, value, now = step["path"], step.get("value"), read(draft, step["path"])
    parent, _, last = path.rpartition("/")
    if step["op"] == "test" or path == "/metadata/resourceVersion":
        if (None if now is ABSENT else now) != value:
            raise PatchFailed(path)
    elif step["op"] == "remove" and last.isdigit():
        read(draft, parent).pop(int(last))
    else:
        put(draft, path, ABSENT if step["op"] == "remove" else value)


@asynccontextmanager
async def standing() -> AsyncIterator[tuple[Cluster, Kube]]:
    """The server and a connection to it."""
    cluster = Cluster()
    async with connected_to(cluster.answer) as kube:
        yield cluster, kube
