"""Evidence: the facts of a drill, in numbered segments beside it, written before the status that cites them.

The log is only appended to. Each write is of one segment (`store.segments`), at most `SEGMENT_BYTES` long however many
facts come at once, and carries the resourceVersion that it was read at: whoever has been overtaken by another operator
reads what that one has stored, takes it over, and goes on with what is still new. So nothing of either is lost, and,
a fact being known by its id, nothing stands twice. A lost reply looks like another operator, and is as harmless.

A drill has room for so many segments. Near the end of it only facts that may decide something are still stored, and one
says so; beyond it none are. Then what is missing is unknown, like what can't be read.

What an older operator stored is read and never written again. What can't be read (a later version's segment or fact, a
segment that somebody has changed) is unknown: it is told of, never written over, and ends no turn.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from kubedrill.core.evidence.codec import LOG_VERSION, from_line, to_line
from kubedrill.core.evidence.facts import Fact, FactKind, Source
from kubedrill.kube.client import Answer, Kube
from kubedrill.kube.refusals import is_admission
from kubedrill.store import segments
from kubedrill.store.drill_parts import DrillParts, EvidenceRefused, is_missing
from kubedrill.store.segments import FACT_BYTES, FACTS, Segment, appended_to, data_of, segment_of
from kubedrill.store.workload_memory import WorkloadMemory

LOG = logging.getLogger(__name__)
MOST_CLASHES: Final = 10
"""So often in one go somebody else may be first, before the turn is given up and tried again."""
OF_SINGLE_PODS: Final = frozenset({FactKind.POD_READY, FactKind.POD_UNREADY, FactKind.POD_GONE})
"""What there is most of, and least rests on: a workload's states and a fault's effect are facts of their own."""
FULL: Final = "evidence/full"
"""The id of the fact that says so."""
Lines = Sequence[tuple[Fact, str]]


class Evidence:
    """The stored facts of one drill, and beside them what its workloads looked like last (`memory`)."""

    def __init__(self, kube: Kube, namespace: str, drill: str, uid: str) -> None:
        self._parts = DrillParts(kube, namespace, drill, uid)
        self.memory = WorkloadMemory(kube, namespace, drill, uid)
        self._facts: dict[str, Fact] = {}
        self._told: frozenset[Fact] | None = None
        self._numbers: set[int] = set()
        self._last: Segment | None = None
        self._unread: dict[int, str] = {}
        self._loaded = False
        self._writing = asyncio.Lock()

    @property
    def facts(self) -> frozenset[Fact]:
        """Every fact that is stored and can be read; the same object until there are others."""
        if self._told is None:
            self._told = frozenset(self._facts.values())
        return self._told

    @property
    def segments(self) -> list[str]:
        """Names of the ConfigMaps, in order."""
        return [self._name(n) for n in sorted(self._numbers)]

    @property
    def unread(self) -> tuple[str, ...]:
        """What of the stored evidence this operator can't read: a sentence a segment."""
        told = (self._unread[n] for n in sorted(self._unread))
        left_out = f"what came after {segments.SEGMENTS_KEPT} segments of evidence is not stored, and can't be read"
        return (*told, *([left_out] if self._is_full() else []))

    async def load(self) -> None:
        """Reads what an earlier operator stored; once."""
        async with self._writing:
            await self._load()

    async def store(self, facts: Iterable[Fact]) -> int:
        """Stores the facts that are new, segment by segment. One call waits for another, and the first one loads.

        Gives how many of them are not kept, because there is no room for such any more.

        Raises:
            EvidenceRefused: those of the segment in question, and of later ones, do not count yet.
            Unreachable: likewise.
        """
        lines = (to_line(fact, FACT_BYTES) for fact in facts if fact.id not in self._facts)
        new: Lines = list({fact.id: (fact, line) for fact, line in lines}.values())
        if not new:
            return 0
        async with self._writing:
            await self._load()
            clashes = 0
            while fitting := self._with_room([(fact, line) for fact, line in new if fact.id not in self._facts]):
                refused = await self._append(fitting)
                clashes += refused is not None
                if refused is not None and clashes > MOST_CLASHES:
                    raise EvidenceRefused("evidence can't be stored, somebody else is always first", refused)
            return sum(fact.id not in self._facts for fact, _ in new)

    async def imported(self, kind: str) -> list[str]:
        """Text that somebody else put beside the drill as evidence, e.g. the API server's audit log."""
        try:
            items = [item async for item in self._parts.listed(kind)]
        except EvidenceRefused:
            return []
        ordered = sorted(items, key=lambda item: str(item["metadata"]["name"]))
        return [str(text) for item in ordered for _, text in sorted((item.get("data") or {}).items())]

    async def _load(self) -> None:
        if self._loaded:
            return
        found = [segment_of(item) async for item in self._parts.listed(FACTS) if self._parts.owns(item)]
        for segment in found:
            if segment is not None:
                self._take(segment)
        self._loaded = True

    def _is_full(self) -> bool:
        return self._next_number() >= segments.SEGMENTS_KEPT

    def _next_number(self) -> int:
        """The number of the segment that the next fact goes to."""
        last = self._last
        return last.number if last and last.appendable else max(self._numbers, default=-1) + 1

    def _with_room(self, new: Lines) -> Lines:
        """Those of the facts that are still stored."""
        if self._is_full():
            return []
        if self._next_number() < segments.SEGMENTS_OF_ANYTHING:
            return new
        deciding = [(fact, line) for fact, line in new if fact.kind not in OF_SINGLE_PODS]
        left_out = next((fact for fact, _ in new if fact.kind in OF_SINGLE_PODS), None)
        if left_out is not None and FULL not in self._facts:
            deciding.insert(0, to_line(_that_it_is_nearly_full(left_out), FACT_BYTES))
        return deciding

    async def _append(self, new: Lines) -> Answer | None:
        """One write: as many of the facts as the last segment takes, or else as the next one does.

        Where somebody else was first, what they have stored is taken over instead, and the refusal is the answer.
        """
        last = self._last
        if last is None or not last.appendable:
            return await self._begin(Segment(max(self._numbers, default=-1) + 1), new)
        fitting = last.how_many_fit([line for _, line in new])
        data = appended_to(last, [line for _, line in new[:fitting]], full=fitting < len(new))
        answer = await self._parts.patch(self._name(last.number), data, last.resource_version)
        if is_missing(answer):
            return await self._begin(last, new)
        if answer.status == 409 and not is_admission(answer):
            await self._take_over(last.number)
            return answer
        self._wrote(answer, last, new, fitting)
        return None

    async def _begin(self, segment: Segment, new: Lines) -> Answer | None:
        """Creates a segment with the lines that it had, if it is one that has vanished, and new ones."""
        fitting = segment.how_many_fit([line for _, line in new])
        lines = [*segment.lines, *(line for _, line in new[:fitting])]
        name = self._name(segment.number)
        answer = await self._parts.create(name, FACTS, data_of(lines, full=fitting < len(new)))
        if answer.status == 409 and answer.reason == "AlreadyExists":
            # whoever is behind by many segments reads them one by one: that is no clash, as long as it gets on
            return None if await self._take_over(segment.number) else answer
        self._wrote(answer, replace(segment, version=LOG_VERSION), new, fitting)
        return None

    def _wrote(self, answer: Answer, segment: Segment, new: Lines, fitting: int) -> None:
        if not answer.ok:
            raise EvidenceRefused("evidence can't be stored", answer)
        self._numbers.add(segment.number)
        self._facts |= {fact.id: fact for fact, _ in new[:fitting]}
        self._told = None
        self._last = replace(
            segment,
            lines=(*segment.lines, *(line for _, line in new[:fitting])),
            resource_version=str((answer.body.get("metadata") or {}).get("resourceVersion", "")),
            full=fitting < len(new),
        )

    async def _take_over(self, number: int) -> bool:
        """Reads a segment that somebody else has written; whether it is there."""
        answer = await self._parts.read(self._name(number))
        if is_missing(answer):
            return False
        if not answer.ok:
            raise EvidenceRefused("evidence can't be read", answer)
        found = segment_of(answer.body) if self._parts.owns(answer.body) else None
        self._take(found or Segment(number))
        return True

    def _take(self, segment: Segment) -> None:
        """Counts what stands in a segment."""
        number, name = segment.number, self._name(segment.number)
        self._numbers.add(number)
        if self._last is None or number >= self._last.number:
            self._last = segment
        troubles: list[str] = []
        if segment.readable:
            for line in segment.lines:
                try:
                    fact = from_line(line)
                except ValueError as error:
                    troubles.append(str(error))
                else:
                    self._facts[fact.id] = fact
                    self._told = None
        else:
            troubles.append(f"it is of another version than {LOG_VERSION}, the one that this operator knows")
        if troubles and number not in self._unread:
            many = f"{len(troubles)} of {len(segment.lines)} facts" if segment.readable else "the facts"
            self._unread[number] = f"{many} in evidence segment {name} can't be read: {troubles[0]}"
            LOG.warning("drill %s: %s", self._parts.drill, self._unread[number])

    def _name(self, number: int) -> str:
        return self._parts.name(f"{FACTS}-{number}")


def _that_it_is_nearly_full(left_out: Fact) -> Fact:
    """From the first fact on that is not stored any more."""
    said = "so much evidence came that from here on what tells of single pods (ready, not ready, gone) is not stored"
    return Fact(FactKind.NOTED, left_out.at, Source.OPERATOR, FULL, evidence=said, detail={"message": said})
