"""The ConfigMaps of a namespace as an API server keeps them: with resource versions, bounds and pages."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any

from kubedrill.kube.client import Answer, Kube, Unreachable

LIMIT = 1_048_576
TOO_LONG = {"details": {"causes": [{"field": "[]", "reason": "FieldValueTooLong"}]}}


class NextTurn:
    """Gives way to whoever drives two coroutines by hand; what is sent in is what becomes of the request."""

    def __await__(self) -> Generator[None, str | None, str | None]:
        return (yield)


class ConfigMaps(Kube):
    """`refuse` is said in place of anything; `stepped`: each request waits for its turn (`NextTurn`)."""

    def __init__(self, *, stepped: bool = False) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.refuse: Answer | None = None
        self.written: list[str] = []
        self.asked: list[str] = []
        self.stepped = stepped
        self._version = 0

    async def call(self, method: str, path: str, body: Any = None, *, query: Any = (), **_more: Any) -> Answer:
        fate = await NextTurn() if self.stepped else None
        if fate == "never arrives":
            raise Unreachable("it never arrived")
        answer = self._answer(method, path, body, dict(query))
        if fate == "reply lost":
            raise Unreachable("its reply was lost")
        return answer

    def _answer(self, method: str, path: str, body: Any, query: dict[str, str]) -> Answer:
        collection = path.endswith("/configmaps")
        name = body["metadata"]["name"] if method == "POST" else path.rpartition("/")[2]
        self.asked.append(method if collection else f"{method} {name}")
        if method == "GET" and collection:
            return self._listed(query)
        if self.refuse:
            return self.refuse
        if method == "POST":
            return self._created(name, body)
        if name not in self.items:
            return Answer(404, {"reason": "NotFound"})
        return Answer(200, copied(self.items[name])) if method == "GET" else self._patched(name, body)

    def _listed(self, query: dict[str, str]) -> Answer:
        kind = query["labelSelector"].rpartition("=")[2]
        found = [i for _, i in sorted(self.items.items()) if i["metadata"]["labels"]["kubedrill.dev/evidence"] == kind]
        begin, most = int(query.get("continue", "0")), int(query["limit"])
        more = str(begin + most) if len(found) > begin + most else ""
        return Answer(200, {"items": [copied(i) for i in found[begin : begin + most]], "metadata": {"continue": more}})

    def _created(self, name: str, body: dict[str, Any]) -> Answer:
        if name in self.items:
            return Answer(409, {"reason": "AlreadyExists"})
        return self._stored(name, body)

    def _patched(self, name: str, body: dict[str, Any]) -> Answer:
        item = copied(self.items[name])
        expected = (body.get("metadata") or {}).get("resourceVersion")
        if expected and expected != item["metadata"]["resourceVersion"]:
            return Answer(409, {"reason": "Conflict"})
        item["data"] |= body["data"]
        return self._stored(name, item)

    def _stored(self, name: str, item: dict[str, Any]) -> Answer:
        if sum(len(text.encode()) for text in item["data"].values()) > LIMIT:
            return Answer(422, TOO_LONG)
        self._version += 1
        self.written.append(name)
        self.items[name] = copied(item)
        self.items[name]["metadata"]["resourceVersion"] = str(self._version)
        return Answer(200, copied(self.items[name]))

    @property
    def longest(self) -> int:
        """Bytes of the longest of them."""
        return max(len(text.encode()) for item in self.items.values() for text in item["data"].values())

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Every fact that stands in any of them, as often as it does."""
        texts = (item["data"].get("facts", "") for _, item in sorted(self.items.items()))
        return [json.loads(line) for text in texts for line in text.split("\n") if line]


def copied(item: dict[str, Any]) -> dict[str, Any]:
    """As it comes over the wire: in UTF-8, which half a character is not."""
    found: dict[str, Any] = json.loads(json.dumps(item, ensure_ascii=False).encode())
    return found
