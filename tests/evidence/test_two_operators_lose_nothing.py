"""Two operators and lost replies: nothing of either is lost, nothing stands twice, nothing full is written again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evidence.config_maps import ConfigMaps
from tests.examples import share_of
from tests.machine.world import START, fact

from kubedrill.core.evidence.facts import Fact, FactKind
from kubedrill.kube.client import Unreachable
from kubedrill.store import segments
from kubedrill.store.drill_parts import EvidenceRefused
from kubedrill.store.evidence_log import MOST_CLASHES, Evidence

SMALL = 1500
FATES = [None, None, None, "reply lost", "never arrives"]


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "SEGMENT_BYTES", SMALL)


def of_drill(server: ConfigMaps) -> Evidence:
    return Evidence(server, "drills", "storm", "d1")


def notes(*names: str, size: int = 10) -> list[Fact]:
    return [fact(FactKind.NOTED, START + timedelta(seconds=1), name, message="x" * size) for name in names]


class AnOperator:
    """One that stores batch after batch, each until it is stored; driven request by request."""

    def __init__(self, server: ConfigMaps, batches: list[list[Fact]]) -> None:
        self._server, self._batches = server, batches
        self._course: Coroutine[Any, Any, None] = self._works()
        self.over = False
        self._course.send(None)

    async def _works(self) -> None:
        evidence = of_drill(self._server)
        await self._until_done(evidence.load)
        for batch in self._batches:
            await self._until_done(lambda kept=batch: evidence.store(kept))
            assert {f.id for f in batch} <= {f.id for f in evidence.facts}

    async def _until_done(self, doing: Any) -> None:
        while True:
            try:
                return await doing()
            except (Unreachable, EvidenceRefused):
                continue

    def step(self, fate: str | None) -> None:
        """The next request is sent, and this becomes of it."""
        if self.over:
            return
        try:
            self._course.send(fate)
        except StopIteration:
            self.over = True


names = st.integers(0, 25).map("note/{}".format)
batches = st.lists(
    st.lists(st.tuples(names, st.integers(0, 400)), max_size=8, unique_by=lambda one: one[0]), min_size=1, max_size=4
)
schedules = st.lists(st.tuples(st.booleans(), st.sampled_from(FATES)), max_size=60)


def of_batches(drawn: list[list[tuple[str, int]]]) -> list[list[Fact]]:
    return [[note for name, size in batch for note in notes(name, size=size)] for batch in drawn]


@settings(max_examples=share_of(300))
@given(batches, batches, schedules)
def test_in_whatever_order_their_requests_come(first, second, schedule):
    server = ConfigMaps(stepped=True)
    both = AnOperator(server, of_batches(first)), AnOperator(server, of_batches(second))
    for other, fate in schedule:
        both[other].step(fate)
    for _ in range(400):
        for one in both:
            one.step(None)
    assert all(one.over for one in both)
    stored = Counter(line["id"] for line in server.lines)
    assert set(stored) == {name for batch in (*first, *second) for name, _ in batch}
    assert set(stored.values()) <= {1}
    assert all(len(item["data"]["facts"].encode()) < SMALL for item in server.items.values())
    assert sorted(server.items) == sorted(f"storm-d1-facts-{n}" for n in range(len(server.items)))


async def test_one_that_was_overtaken_takes_over_what_the_other_has_stored():
    server = ConfigMaps()
    one, other = of_drill(server), of_drill(server)
    await one.store(notes("a"))
    await other.load()
    await other.store(notes("b"))
    await one.store(notes("b", "c"))
    assert {f.id for f in one.facts} == {"a", "b", "c"}
    assert [line["id"] for line in server.lines] == ["a", "b", "c"]


async def test_one_that_is_behind_by_many_segments_reads_them_and_goes_on():
    server = ConfigMaps()
    one, other = of_drill(server), of_drill(server)
    await one.store(notes("first"))
    await other.load()
    for n in range(MOST_CLASHES * 3):
        await other.store(notes(f"long/{n}", size=1000))
    await one.store(notes("last", "long/7"))
    assert Counter(line["id"] for line in server.lines).most_common(1)[0][1] == 1
    assert {f.id for f in one.facts} == {line["id"] for line in server.lines}


async def test_a_full_segment_is_never_written_again():
    server = ConfigMaps()
    kept = of_drill(server)
    for n in range(20):
        await kept.store(notes(f"note/{n}", size=300))
    full = [name for name, item in server.items.items() if item["data"].get("full")]
    assert len(full) == len(server.items) - 1
    server.written.clear()
    await of_drill(server).load()
    again = of_drill(server)
    await again.load()
    await again.store(notes("small"))
    assert not set(server.written) & set(full)


async def test_a_batch_is_one_request_and_its_first_one_too():
    server = ConfigMaps()
    kept = of_drill(server)
    await kept.load()
    server.asked.clear()
    await kept.store(notes("a", "b"))
    await kept.store(notes("c"))
    await kept.store(notes("c"))
    assert server.asked == ["POST", "PATCH storm-d1-facts-0"]


async def test_where_somebody_else_is_always_first_the_turn_is_given_up():
    class Contended(ConfigMaps):
        def _patched(self, name: str, body: dict[str, Any]) -> Any:
            self._version += 1
            self.items[name]["metadata"]["resourceVersion"] = str(self._version)
            return super()._patched(name, body)

    server = Contended()
    kept = of_drill(server)
    await kept.store(notes("a"))
    with pytest.raises(EvidenceRefused, match="always first") as refused:
        await kept.store(notes("b"))
    assert not refused.value.for_good


async def test_the_name_of_a_segment_that_is_somebody_elses_is_left_alone():
    server = ConfigMaps()
    strange = {"metadata": {"name": "storm-d1-facts-0", "labels": {"kubedrill.dev/evidence": "facts"}}, "data": {}}
    await server.call("POST", "/api/v1/namespaces/drills/configmaps", strange)
    kept = of_drill(server)
    await kept.store(notes("a"))
    assert server.items["storm-d1-facts-0"]["data"] == {}
    assert server.items["storm-d1-facts-1"]["data"]["facts"]
