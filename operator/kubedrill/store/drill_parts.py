"""The ConfigMaps that belong to a Drill: found by their labels, gone when the Drill is gone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from kubedrill.api.base import API_VERSION
from kubedrill.kube.client import MERGE_PATCH, Answer, Kube
from kubedrill.kube.paths import CONFIG_MAPS
from kubedrill.kube.refusals import is_admission, is_unstorable

DRILL_LABEL: Final = "kubedrill.dev/drill"
KIND_LABEL: Final = "kubedrill.dev/evidence"
_PAGE: Final = 100


class EvidenceRefused(Exception):
    """The API server would not store or list evidence; the turn is given up. `for_good` when it never will."""

    def __init__(self, what: str, answer: Answer) -> None:
        super().__init__(f"{what}: {answer.status} {answer.message}")
        self.for_good = is_unstorable(answer)


class DrillParts:
    """The ConfigMaps of one Drill, each of a kind (`facts`, `memory`, `audit`)."""

    def __init__(self, kube: Kube, namespace: str, drill: str, uid: str) -> None:
        self._kube, self._namespace, self.drill, self._uid = kube, namespace, drill, uid

    def name(self, what: str) -> str:
        """The name of one of them: two drills of the same name have others."""
        return f"{self.drill}-{self._uid[:8]}-{what}"

    def owns(self, item: Mapping[str, Any]) -> bool:
        """Whether a ConfigMap is this Drill's."""
        owners = item["metadata"].get("ownerReferences") or ()
        return any(owner.get("uid") == self._uid for owner in owners)

    async def listed(self, kind: str) -> AsyncIterator[dict[str, Any]]:
        """Those of a kind that carry the Drill's label, page by page, whoever owns them.

        Raises:
            EvidenceRefused: they can't be listed, or no longer be listed to their end.
        """
        labels = ("labelSelector", f"{DRILL_LABEL}={self.drill},{KIND_LABEL}={kind}")
        more = ""
        while True:
            query = [labels, ("limit", str(_PAGE)), *([("continue", more)] if more else [])]
            answer = await self._kube.get(CONFIG_MAPS.of(self._namespace), query=query)
            if not answer.ok:
                raise EvidenceRefused("evidence can't be listed", answer)
            for item in answer.body.get("items") or ():
                yield item
            more = (answer.body.get("metadata") or {}).get("continue", "")
            if not more:
                return

    async def read(self, name: str) -> Answer:
        """One of them."""
        return await self._kube.get(CONFIG_MAPS.one(self._namespace, name))

    async def create(self, name: str, kind: str, data: Mapping[str, str]) -> Answer:
        """Creates one; 409 `AlreadyExists` when there is one of that name."""
        owner = {"apiVersion": API_VERSION, "kind": "Drill", "name": self.drill, "uid": self._uid}
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": name,
                "labels": {DRILL_LABEL: self.drill, KIND_LABEL: kind},
                "ownerReferences": [owner],
            },
            "data": dict(data),
        }
        return await self._kube.call("POST", CONFIG_MAPS.of(self._namespace), body)

    async def patch(self, name: str, data: Mapping[str, str], resource_version: str = "") -> Answer:
        """Merges data into one; with a resourceVersion only if it is still of that one (409 when not)."""
        precondition = {"metadata": {"resourceVersion": resource_version}} if resource_version else {}
        path = CONFIG_MAPS.one(self._namespace, name)
        return await self._kube.call("PATCH", path, {**precondition, "data": dict(data)}, content_type=MERGE_PATCH)


def is_missing(answer: Answer) -> bool:
    """Whether there is none of that name."""
    return answer.status == 404 and not is_admission(answer)
