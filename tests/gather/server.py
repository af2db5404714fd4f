"""An API server at the wire that keeps objects by their path, lists them, and refuses what a test says."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

NO_RIGHTS: dict[str, Any] = {"status": {"resourceRules": []}}


@dataclass
class Server:
    """`objects` by path; `refused` are answers by path, in place of what is there; `asked` is what came, in order."""

    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    rights: dict[str, Any] = field(default_factory=lambda: NO_RIGHTS)
    asked: list[str] = field(default_factory=list)
    version: int = 0

    async def answer(self, request: web.Request) -> web.Response:
        path, body = request.path, json.loads(await request.text() or "{}")
        self.asked.append(f"{request.method} {path}")
        if path in self.refused:
            status, said = self.refused[path]
            return web.json_response(said, status=status)
        if path.endswith("/selfsubjectrulesreviews"):
            return web.json_response(self.rights)
        if request.method == "POST":
            return self._created(path, body)
        if request.method == "GET" and path not in self.objects and not self._is_one(path):
            inside = [o for p, o in self.objects.items() if p.rpartition("/")[0] == path and is_selected(o, request)]
            return web.json_response({"items": inside, "metadata": {"resourceVersion": "1"}})
        if path not in self.objects:
            kind, _, name = path.rpartition("/")
            details = {"kind": kind.rpartition("/")[2], "name": name}
            return web.json_response({"reason": "NotFound", "details": details}, status=404)
        expected = (body.get("metadata") or body.get("preconditions") or {}).get("resourceVersion")
        if expected not in (None, self.objects[path]["metadata"].get("resourceVersion")):
            return web.json_response({"reason": "Conflict"}, status=409)
        if request.method == "DELETE":
            return web.json_response(self.objects.pop(path))
        if request.method == "PATCH":
            merge(self.objects[path], body)
            self._changed(path)
        return web.json_response(self.objects[path])

    def _created(self, path: str, body: dict[str, Any]) -> web.Response:
        name = body["metadata"]["name"]
        if f"{path}/{name}" in self.objects:
            return web.json_response({"reason": "AlreadyExists"}, status=409)
        body["metadata"]["uid"] = f"uid-{name}"
        self.objects[f"{path}/{name}"] = body
        self._changed(f"{path}/{name}")
        return web.json_response(body, status=201)

    def _changed(self, path: str) -> None:
        self.version += 1
        self.objects[path]["metadata"]["resourceVersion"] = str(self.version)

    @staticmethod
    def _is_one(path: str) -> bool:
        """Whether it is the path of one object, in a namespace or a namespace itself."""
        _, _, inside = path.partition("/namespaces/")
        return inside.count("/") != 1


def is_selected(thing: dict[str, Any], request: web.Request) -> bool:
    """Whether a label selector such as `a=b,!c` means it."""
    labels = (thing.get("metadata") or {}).get("labels") or {}
    for wanted in filter(None, request.query.get("labelSelector", "").split(",")):
        key, _, value = wanted.removeprefix("!").partition("=")
        if (key in labels) if wanted.startswith("!") else labels.get(key) != value:
            return False
    return True


def merge(into: dict[str, Any], patch: dict[str, Any]) -> None:
    """A merge patch, in place."""
    for key, value in patch.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value
