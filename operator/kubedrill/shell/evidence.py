"""Evidence: the facts of a drill, in numbered ConfigMaps beside it, written before the status that cites them.

A segment holds at most `SEGMENT_BYTES` of JSON lines, far below what the API server takes. Segments belong to
their Drill (owner reference) and are read back after a restart; a fact is known by its id, so reading or
writing one twice changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from kubedrill.api.base import API_VERSION
from kubedrill.core.codec import fact_from_wire, fact_to_wire
from kubedrill.core.facts import Fact
from kubedrill.kube.client import MERGE_PATCH, Answer, Kube
from kubedrill.kube.paths import CONFIG_MAPS

SEGMENT_BYTES = 300_000
DRILL_LABEL = "kubedrill.dev/drill"
KIND_LABEL = "kubedrill.dev/evidence"


class EvidenceRefused(Exception):
    """The API server would not store evidence; the turn is given up and tried again."""


class Evidence:
    """The stored facts of one drill."""

    def __init__(self, kube: Kube, namespace: str, drill: str, uid: str) -> None:
        self._kube, self._namespace, self._drill, self._uid = kube, namespace, drill, uid
        self._facts: dict[str, Fact] = {}
        self._segments: list[list[str]] = []
        self._loaded = False
        self._remembered = ""

    @property
    def facts(self) -> frozenset[Fact]:
        """Every fact that is stored."""
        return frozenset(self._facts.values())

    @property
    def segments(self) -> list[str]:
        """Names of the ConfigMaps."""
        return [self._name(n) for n in range(len(self._segments))]

    async def load(self) -> None:
        """Reads what an earlier operator stored; once."""
        if self._loaded:
            return
        answer = await self._listed("facts")
        if not answer.ok:
            raise EvidenceRefused(f"evidence can't be listed: {answer.status} {answer.message}")
        own = [i for i in answer.body.get("items", []) if self._is_own(i)]
        for item in sorted(own, key=lambda i: int(i["metadata"]["name"].rsplit("-", 1)[-1])):
            lines = [line for line in item.get("data", {}).get("facts", "").splitlines() if line]
            self._segments.append(lines)
            for line in lines:
                fact = fact_from_wire(json.loads(line))
                self._facts[fact.id] = fact
        self._loaded = True

    async def store(self, facts: Iterable[Fact]) -> None:
        """Stores the facts that are new. Raises EvidenceRefused or Unreachable; then none of them counts yet."""
        new = [f for f in facts if f.id not in self._facts]
        if not new:
            return
        lines = [json.dumps(fact_to_wire(f), default=str) for f in new]
        fits = self._segments and sum(map(len, self._segments[-1])) + sum(map(len, lines)) < SEGMENT_BYTES
        number = len(self._segments) - 1 if fits else len(self._segments)
        segment = [*self._segments[number], *lines] if fits else lines
        await self._put(self._name(number), "facts", "\n".join(segment))
        if fits:
            self._segments[number] = segment
        else:
            self._segments.append(segment)
        self._facts.update({f.id: f for f in new})

    async def imported(self, kind: str) -> list[str]:
        """Text that somebody else put beside the drill as evidence, e.g. the API server's audit log."""
        answer = await self._listed(kind)
        items = sorted(answer.body.get("items", []), key=lambda i: str(i["metadata"]["name"])) if answer.ok else []
        return [str(text) for item in items for _, text in sorted(item.get("data", {}).items())]

    async def remember(self, workloads: Iterable[dict[str, Any]]) -> None:
        """Keeps what the workloads look like now, so that after a restart a change made meanwhile is found."""
        text = json.dumps(sorted(workloads, key=lambda w: str(w["metadata"]["uid"])), sort_keys=True)
        generations = json.dumps([(w["metadata"]["uid"], w["metadata"].get("generation")) for w in json.loads(text)])
        if generations == self._remembered:
            return
        await self._put(self._memory, "memory", text)
        self._remembered = generations

    async def remembered(self) -> list[dict[str, Any]]:
        """The workloads as they were kept; none when nothing was."""
        answer = await self._kube.get(CONFIG_MAPS.one(self._namespace, self._memory))
        return list(json.loads(answer.body["data"]["memory"])) if answer.ok else []

    def _is_own(self, item: dict[str, Any]) -> bool:
        return any(o.get("uid") == self._uid for o in item["metadata"].get("ownerReferences", []))

    async def _listed(self, kind: str) -> Answer:
        """The ConfigMaps of a kind of evidence of this drill."""
        selector = f"{DRILL_LABEL}={self._drill},{KIND_LABEL}={kind}"
        return await self._kube.get(CONFIG_MAPS.of(self._namespace), query=[("labelSelector", selector)])

    async def _put(self, name: str, kind: str, text: str) -> None:
        """Creates the ConfigMap or gives it its new text; a lost reply does no harm."""
        path = CONFIG_MAPS.one(self._namespace, name)
        answer = await self._kube.call("PATCH", path, {"data": {kind: text}}, content_type=MERGE_PATCH)
        if answer.status == 404:
            answer = await self._kube.call("POST", CONFIG_MAPS.of(self._namespace), self._manifest(name, kind, text))
        if not answer.ok:
            raise EvidenceRefused(f"evidence can't be stored: {answer.status} {answer.message}")

    def _manifest(self, name: str, kind: str, text: str) -> dict[str, Any]:
        owner = {"apiVersion": API_VERSION, "kind": "Drill", "name": self._drill, "uid": self._uid}
        return {
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name, "labels": {DRILL_LABEL: self._drill, KIND_LABEL: kind},
                         "ownerReferences": [owner]},
            "data": {kind: text},
        }

    def _name(self, number: int) -> str:
        return f"{self._drill}-{self._uid[:8]}-facts-{number}"

    @property
    def _memory(self) -> str:
        return f"{self._drill}-{self._uid[:8]}-memory"
