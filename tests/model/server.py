"""The API server's store in small: what an object, a stale version and a failed test answer, exactly.

Verified on a real API server: a failed `test` is a 422 without details, a stale resourceVersion a 409, `replace` of an
absent key adds, a write that changes nothing raises no version, a change of a field moves its ownership, a list of
managedFields that is written alone is taken as it is. Objects are JSON text, so a whole store can be a set's element;
versions count for each path by themselves: whoever compares them compares for equality alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from kubedrill.core.undo.ownership import fields_tree, owned_paths

COLLECTIONS = ("secrets", "configmaps", "drills", "replicasets", "controllerrevisions", "pods", "events", "leases")
TIME = "2026-11-23T09:00:00Z"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as it came over the wire."""

    method: str
    path: str
    body: str = ""
    content_type: str = ""
    query: tuple[tuple[str, str], ...] = ()

    @property
    def manager(self) -> str:
        return dict(self.query).get("fieldManager", "unknown")


@dataclass(frozen=True, slots=True)
class Reply:
    """Status and body of an answer."""

    status: int
    body: str


class Refused(Exception):
    """Not a 2xx: nothing was stored."""

    def __init__(self, status: int, reason: str, **details: Any) -> None:
        super().__init__(reason)
        body = {"kind": "Status", "code": status, "reason": reason, "message": reason, "details": details}
        self.reply = Reply(status, json.dumps(body, sort_keys=True))


@dataclass(frozen=True, eq=False)
class Store:
    """Objects by path. Of one that is gone its last version is kept: its successor must not look like it."""

    texts: dict[str, str]

    @cached_property
    def key(self) -> frozenset[tuple[str, str]]:
        return frozenset(self.texts.items())

    def read(self, path: str) -> Json | None:
        """An object, None when there is none."""
        found = json.loads(self.texts.get(path, "0"))
        return found if isinstance(found, dict) else None

    def below(self, collection: str) -> list[Json]:
        """The objects of a collection."""
        paths = sorted(p for p in self.texts if _is_in(collection, p))
        return [thing for thing in map(self.read, paths) if thing is not None]

    def with_text(self, path: str, text: str) -> Store:
        return Store({**self.texts, path: text})

    def created(self, path: str, thing: Json) -> Store:
        """The store with a new object, its uid one that no other ever had."""
        version = int(self.texts.get(path, "0")) + 1
        name = path.rpartition("/")[2]
        given = {"name": name, "uid": f"{name}-{version}", "resourceVersion": str(version)}
        whole = thing | {"metadata": given | thing.get("metadata", {})}
        return self.with_text(path, _text(whole))

    def served(self, request: Request) -> tuple[Store, Reply]:
        """What a request does, and its answer."""
        collection = request.path.rpartition("/")[2] in COLLECTIONS
        if collection and request.method == "GET":
            items = ",".join(t for p, t in sorted(self.texts.items()) if _is_in(request.path, p) and t.startswith("{"))
            return self, Reply(200, f'{{"items":[{items}],"metadata":{{}}}}')
        if collection:
            return self._posted(request)
        path = request.path.removesuffix("/status")
        text, reply = _answered(request, self.texts.get(path, "0"))
        return (self if text == self.texts.get(path, "0") else self.with_text(path, text)), reply

    def _posted(self, request: Request) -> tuple[Store, Reply]:
        thing = json.loads(request.body)
        name = thing["metadata"].get("name")
        if not name:  # an Event
            return self, Reply(201, request.body)
        path = f"{request.path}/{name}"
        if self.read(path) is not None:
            plural = request.path.rpartition("/")[2]
            return self, Refused(409, "AlreadyExists", kind=plural, name=name).reply
        thing["metadata"]["namespace"] = request.path.split("/")[-2]
        made = self.created(path, thing)
        return made, Reply(201, made.texts[path])


def _is_in(collection: str, path: str) -> bool:
    return path.startswith(collection) and path.rpartition("/")[0] == collection


@lru_cache(maxsize=200_000)
def _answered(request: Request, text: str) -> tuple[str, Reply]:
    """What becomes of one object, and the answer."""
    now = json.loads(text)
    *_, plural, name = request.path.removesuffix("/status").split("/")
    try:
        if not isinstance(now, dict):
            raise Refused(404, "NotFound", kind=plural, name=name)  # noqa: TRY301  refusals have one way out
        if request.method == "GET":
            return text, Reply(200, text)
        if request.method == "DELETE":
            return _deleted(now, json.loads(request.body or "{}"))
        body = json.loads(request.body)
        if isinstance(body, list):
            wanted = _patched(json.loads(text), body)
        elif request.path.endswith("/status"):
            wanted = _merged(now, {"metadata": body.get("metadata", {}), "status": body["status"]})
        else:
            wanted = _merged(now, body)
        return _written(now, wanted, request)
    except Refused as refused:
        return text, refused.reply


def _written(now: Json, wanted: Json, request: Request) -> tuple[str, Reply]:
    """An update: its preconditions, then what the server itself makes of it."""
    if wanted["metadata"]["resourceVersion"] != now["metadata"]["resourceVersion"]:
        raise Refused(409, "Conflict")
    if wanted["metadata"]["uid"] != now["metadata"]["uid"]:
        raise Refused(422, "Invalid", causes=[{"field": "metadata.uid"}])
    if wanted == now:
        return _text(now), Reply(200, _text(now))
    entries = now["metadata"].get("managedFields")
    wanted["metadata"] = dict(wanted["metadata"])
    if entries is not None and wanted["metadata"]["managedFields"] == entries:
        wanted["metadata"]["managedFields"] = _owned(entries, _changes(now, wanted), request.manager)
    wanted["metadata"]["resourceVersion"] = str(int(now["metadata"]["resourceVersion"]) + 1)
    if wanted.get("spec") != now.get("spec"):
        wanted["metadata"]["generation"] = now["metadata"].get("generation", 0) + 1
    if ("dryRun", "All") in request.query:
        return _text(now), Reply(200, _text(wanted))
    if wanted["metadata"].get("deletionTimestamp") and not wanted["metadata"].get("finalizers"):
        return wanted["metadata"]["resourceVersion"], Reply(200, _text(wanted))
    return _text(wanted), Reply(200, _text(wanted))


def _deleted(now: Json, body: Json) -> tuple[str, Reply]:
    metadata = now["metadata"]
    if any(metadata.get(key) != value for key, value in (body.get("preconditions") or {}).items()):
        raise Refused(409, "Conflict")
    version = str(int(metadata["resourceVersion"]) + 1)
    if metadata.get("finalizers"):
        metadata |= {"deletionTimestamp": TIME, "resourceVersion": version}
        return _text(now), Reply(200, _text(now))
    return version, Reply(200, _text({"kind": "Status", "status": "Success"}))


def _patched(wanted: Json, steps: list[Json]) -> Json:
    """A JSON Patch, in place; every failure of it looks the same."""
    for step in steps:
        *above, last = [s.replace("~1", "/").replace("~0", "~") for s in step["path"].split("/")[1:]]
        node: Any = wanted
        for name in above:
            node = _inside(node, name)
        there = _inside(node, last)
        match step["op"]:
            case "test" if there == step["value"]:
                continue
            case "add" | "replace" if isinstance(node, dict):
                node[last] = step["value"]
            case "remove" if there is not None:
                del node[int(last) if isinstance(node, list) else last]
            case _:
                raise Refused(422, "Invalid")
    return wanted


def _inside(node: Any, name: str) -> Any:
    """A map's value or a list's item, None when there is none."""
    if isinstance(node, list):
        return node[int(name)] if int(name) < len(node) else None
    return node.get(name) if isinstance(node, dict) else None


def _merged(now: Any, patch: Json) -> Json:
    """A merge patch: null removes."""
    wanted = dict(now) if isinstance(now, dict) else {}
    for name, value in patch.items():
        if value is None:
            wanted.pop(name, None)
        else:
            wanted[name] = _merged(wanted.get(name), value) if isinstance(value, dict) else value
    if not wanted.get("labels", True):
        del wanted["labels"]
    return wanted


def _changes(now: Json, wanted: Json) -> dict[tuple[str, ...], bool]:
    """The paths of spec and labels that differ, each with whether it is there afterwards."""
    found: dict[tuple[str, ...], bool] = {}
    for place in (("spec",), ("metadata", "labels")):
        old, new = now, wanted
        for step in place:
            old, new = old.get(step, {}), new.get(step, {})
        steps = tuple(f"f:{step}" for step in place)
        found |= {(*steps, f"f:{k}"): k in new for k in old.keys() | new.keys() if old.get(k) != new.get(k)}
    return found


def _owned(entries: list[Json], changes: dict[tuple[str, ...], bool], manager: str) -> list[Json]:
    """Who owns what after a manager's update; an entry without a field goes."""
    owned = {e["manager"]: owned_paths(e["fieldsV1"]) - changes.keys() for e in entries}
    owned[manager] = owned.get(manager, frozenset()) | {path for path, there in changes.items() if there}
    frame = {"operation": "Update", "apiVersion": "apps/v1", "time": TIME, "fieldsType": "FieldsV1"}
    known = {e["manager"]: e for e in entries}
    return [
        (known.get(name) or {"manager": name} | frame) | {"fieldsV1": fields_tree(paths)}
        for name, paths in owned.items()
        if paths
    ]


def _text(thing: Json) -> str:
    return json.dumps(thing, sort_keys=True, separators=(",", ":"))
