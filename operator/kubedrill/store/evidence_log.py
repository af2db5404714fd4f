"""Evidence: the facts of a drill, in numbered ConfigMaps beside it, written before the status that cites them.

A segment holds at most `SEGMENT_BYTES` of JSON lines, far below what the API server takes, however many facts come
at once and however long one is. Segments belong to their Drill (owner reference) and are read back after a restart;
a fact is known by its id, so reading or writing one twice changes nothing. What can't be read (another version's
fact, a segment that somebody changed or removed) is passed over and told of: it ends no turn.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from kubedrill.api.base import API_VERSION
from kubedrill.core.evidence.codec import fact_from_wire, fact_to_wire
from kubedrill.core.evidence.facts import Fact
from kubedrill.kube.client import MERGE_PATCH, Answer, Kube
from kubedrill.kube.paths import CONFIG_MAPS
from kubedrill.kube.refusals import is_admission, is_unstorable

LOG = logging.getLogger(__name__)
SEGMENT_BYTES: Final = 300_000
FACT_BYTES: Final = 100_000
"""A fact is longer than this only when something is wrong with it; then its details are left out."""
DRILL_LABEL = "kubedrill.dev/drill"
KIND_LABEL = "kubedrill.dev/evidence"


class EvidenceRefused(Exception):
    """The API server would not store evidence; the turn is given up. `for_good` when it never will."""

    def __init__(self, what: str, answer: Answer) -> None:
        super().__init__(f"{what}: {answer.status} {answer.message}")
        self.for_good = is_unstorable(answer)


class Evidence:
    """The stored facts of one drill."""

    def __init__(self, kube: Kube, namespace: str, drill: str, uid: str) -> None:
        self._kube, self._namespace, self._drill, self._uid = kube, namespace, drill, uid
        self._facts: dict[str, Fact] = {}
        self._segments: dict[int, list[str]] = {}
        self._loaded = False
        self._remembered: dict[str, str] = {}

    @property
    def facts(self) -> frozenset[Fact]:
        """Every fact that is stored."""
        return frozenset(self._facts.values())

    @property
    def segments(self) -> list[str]:
        """Names of the ConfigMaps."""
        return [self._name(n) for n in sorted(self._segments)]

    async def load(self) -> None:
        """Reads what an earlier operator stored; once."""
        if self._loaded:
            return
        answer = await self._listed("facts")
        if not answer.ok:
            raise EvidenceRefused("evidence can't be listed", answer)
        segments: dict[int, list[str]] = {}
        facts: dict[str, Fact] = {}
        for item in answer.body.get("items", []):
            number = str(item["metadata"]["name"]).rsplit("-", 1)[-1]
            if self._is_own(item) and number.isdecimal():
                text = str((item.get("data") or {}).get("facts", ""))
                segments[int(number)] = [line for line in text.splitlines() if line]
        for lines in segments.values():
            facts |= {f.id: f for f in self._readable(lines)}
        self._segments, self._facts, self._loaded = segments, facts, True

    async def store(self, facts: Iterable[Fact]) -> None:
        """Stores the facts that are new, segment by segment.

        Raises:
            EvidenceRefused: those of the segment in question, and of later ones, do not count yet.
            Unreachable: likewise.
        """
        new = [f for f in facts if f.id not in self._facts]
        while new:
            number = max(self._segments, default=0)
            kept = self._segments.get(number, [])
            lines = [_line(f) for f in new]
            fitting = _how_many_fit(lines, SEGMENT_BYTES - _size(kept))
            if not fitting:
                number, kept = number + 1 if kept else number, []
                fitting = max(1, _how_many_fit(lines, SEGMENT_BYTES))
            segment = [*kept, *lines[:fitting]]
            await self._put(self._name(number), "facts", "\n".join(segment))
            self._segments[number] = segment
            self._facts |= {f.id: f for f in new[:fitting]}
            new = new[fitting:]

    async def imported(self, kind: str) -> list[str]:
        """Text that somebody else put beside the drill as evidence, e.g. the API server's audit log."""
        answer = await self._listed(kind)
        items = sorted(answer.body.get("items", []), key=lambda i: str(i["metadata"]["name"])) if answer.ok else []
        return [str(text) for item in items for _, text in sorted((item.get("data") or {}).items())]

    async def remember(self, workloads: Iterable[dict[str, Any]]) -> None:
        """Keeps what the workloads look like now, so that after a restart a change made meanwhile is found.

        Hundreds of workloads are kept in several ConfigMaps, of which only those are written in which a workload has
        a new generation. That one of them is refused is said and no reason to stop: it is needed after a restart alone.
        """
        for name, part in self._memory(workloads).items():
            generations = str([(w["metadata"]["uid"], w["metadata"].get("generation")) for w in part])
            if self._remembered.get(name) == generations:
                continue
            try:
                await self._put(name, "memory", json.dumps(part, sort_keys=True))
            except EvidenceRefused as refused:
                LOG.warning("drill %s: what the workloads look like is not kept: %s", self._drill, refused)
                if not refused.for_good:
                    continue
            self._remembered[name] = generations

    async def remembered(self) -> list[dict[str, Any]]:
        """The workloads as they were kept; none when nothing was, or what was kept can't be read."""
        answer = await self._listed("memory")
        found: dict[str, dict[str, Any]] = {}
        for item in answer.body.get("items", []) if answer.ok else []:
            try:
                if self._is_own(item):
                    found |= {w["metadata"]["uid"]: w for w in json.loads(item["data"]["memory"])}
            except (KeyError, TypeError, ValueError) as error:
                LOG.warning("drill %s: %s can't be read: %r", self._drill, item["metadata"]["name"], error)
        return list(found.values())

    def _readable(self, lines: Iterable[str]) -> Iterator[Fact]:
        """The facts in the lines of a segment; of the others one warning."""
        troubles: list[str] = []
        for line in lines:
            try:
                yield fact_from_wire(json.loads(line))
            except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
                troubles.append(repr(error))
        if troubles:
            LOG.warning(
                "drill %s: %d facts of its evidence can't be read and are passed over; the first: %s",
                self._drill,
                len(troubles),
                troubles[0][:300],
            )

    def _memory(self, workloads: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
        """What each ConfigMap of the memory holds; one that is needed no more holds nothing."""
        parts: list[list[dict[str, Any]]] = [[]]
        room = SEGMENT_BYTES
        for workload in sorted(workloads, key=lambda w: str(w["metadata"]["uid"])):
            room -= len(json.dumps(workload)) + 1
            if room < 0 and parts[-1]:
                parts.append([])
                room = SEGMENT_BYTES - len(json.dumps(workload)) - 1
            parts[-1].append(workload)
        name = f"{self._drill}-{self._uid[:8]}-memory"
        return {known: [] for known in self._remembered} | {f"{name}-{n}": part for n, part in enumerate(parts)}

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
        if answer.status == 404 and not is_admission(answer):
            answer = await self._kube.call("POST", CONFIG_MAPS.of(self._namespace), self._manifest(name, kind, text))
        if not answer.ok:
            raise EvidenceRefused("evidence can't be stored", answer)

    def _manifest(self, name: str, kind: str, text: str) -> dict[str, Any]:
        owner = {"apiVersion": API_VERSION, "kind": "Drill", "name": self._drill, "uid": self._uid}
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": name,
                "labels": {DRILL_LABEL: self._drill, KIND_LABEL: kind},
                "ownerReferences": [owner],
            },
            "data": {kind: text},
        }

    def _name(self, number: int) -> str:
        return f"{self._drill}-{self._uid[:8]}-facts-{number}"


def _line(fact: Fact) -> str:
    """A fact as a line of a segment; one that is far too long without its details."""
    line = json.dumps(fact_to_wire(fact), default=str)
    if len(line) <= FACT_BYTES:
        return line
    cut = replace(
        fact,
        evidence=f"{fact.evidence[:1000]}… (cut: it was too long to be kept)",
        detail={key: value for key, value in fact.detail.items() if len(str(value)) <= 256}
        if len(fact.detail) <= 50
        else {},
    )
    return json.dumps(fact_to_wire(cut), default=str)


def _size(lines: Iterable[str]) -> int:
    """Bytes of lines of ASCII, with their ends."""
    return sum(len(line) + 1 for line in lines)


def _how_many_fit(lines: Iterable[str], room: int) -> int:
    """How many of the lines, from the first on, fit into so many bytes."""
    fitting = 0
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        fitting += 1
    return fitting
