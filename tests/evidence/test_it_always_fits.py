"""However much is seen at once, and however long one thing of it is, each ConfigMap stays far below its limit."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evidence.config_maps import LIMIT, TOO_LONG, ConfigMaps
from tests.examples import share_of
from tests.machine.world import START, fact

from kubedrill.core.evidence.codec import from_line, to_line
from kubedrill.core.evidence.facts import Fact, FactKind
from kubedrill.core.machine.bounds import LONGEST_ID
from kubedrill.kube.client import Answer
from kubedrill.store import segments
from kubedrill.store.drill_parts import EvidenceRefused
from kubedrill.store.evidence_log import FULL, Evidence
from kubedrill.store.segments import FACT_BYTES, SEGMENT_BYTES
from kubedrill.store.workload_memory import PART_BYTES, WorkloadMemory


@pytest.fixture
def server() -> ConfigMaps:
    return ConfigMaps()


def of_drill(server: ConfigMaps) -> Evidence:
    return Evidence(server, "drills", "storm", "d1")


def notes(count: int, size: int, name: str = "note") -> list[Fact]:
    return [fact(FactKind.NOTED, START + timedelta(seconds=n), f"{name}/{n}", message="x" * size) for n in range(count)]


async def read_back(server: ConfigMaps) -> set[str]:
    again = of_drill(server)
    await again.load()
    return {f.id for f in again.facts}


async def test_135_notes_of_four_kilobytes_at_once(server: ConfigMaps):
    """F12: said while it was held, they came as one segment of more than 1 MiB, which was refused at every turn."""
    told = [fact(FactKind.NOTED, START, f"action/{n}", message="y" * 4096, again="y" * 4096) for n in range(135)]
    await of_drill(server).store(told)
    assert server.longest <= SEGMENT_BYTES
    assert await read_back(server) == {f.id for f in told}


async def test_three_thousand_pods_at_once(server: ConfigMaps):
    told = [fact(FactKind.POD_READY, START, f"ready/{n}", pod=f"web-{n}", evidence="z" * 200) for n in range(3000)]
    await of_drill(server).store(told)
    assert server.longest <= SEGMENT_BYTES
    assert len(await read_back(server)) == 3000


async def test_one_thing_that_is_too_long_is_kept_with_its_texts_cut(server: ConfigMaps):
    told = fact(FactKind.NOTED, START, "long", message="x" * 2 * LIMIT, fault="web", many=["y"] * LIMIT)
    await of_drill(server).store([told])
    again = of_drill(server)
    await again.load()
    (kept,) = again.facts
    assert server.longest <= FACT_BYTES
    assert (kept.id, set(kept.detail), kept.detail["fault"]) == ("long", {"message", "fault"}, "web")
    assert kept.detail["message"].startswith("xxx")
    assert "too long to be kept" in kept.evidence


async def test_a_message_of_4096_characters_is_kept_whole(server: ConfigMaps):
    told = fact(FactKind.CLIENT_NOTIFIED, START, "long", message="遅" * 4096)
    await of_drill(server).store([told])
    again = of_drill(server)
    await again.load()
    assert {f.detail["message"] for f in again.facts} == {"遅" * 4096}


anything = st.recursive(
    st.none() | st.integers() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
long_texts = st.builds(lambda text, times: text * times, st.text(max_size=20), st.sampled_from([1, 100, 5000]))
strange = st.builds(
    lambda key, actor, said, detail: replace(
        fact(FactKind.NOTED, START, key), actor=actor, evidence=said, detail=detail
    ),
    long_texts,
    long_texts,
    long_texts,
    st.dictionaries(st.text(max_size=300), long_texts | anything, max_size=300),
)


@settings(max_examples=share_of(60))
@given(strange)
def test_whatever_a_fact_holds_its_line_fits_and_is_the_fact_that_is_kept(told: Fact):
    kept, line = to_line(told, FACT_BYTES)
    assert len(line.encode()) <= FACT_BYTES
    assert len(line.splitlines()) == 1, "an older operator splits so"
    read = from_line(line)
    assert (read.id, read.kind, read.at, read.evidence) == (kept.id, kept.kind, kept.at, kept.evidence)
    assert kept.id == told.id or len(told.id) > LONGEST_ID
    assert to_line(read, FACT_BYTES)[1] == line


def test_half_a_character_is_kept():
    assert from_line(to_line(fact(FactKind.NOTED, START, "half", message="\ud83d"), FACT_BYTES)[1]).id == "half"


@settings(deadline=None, max_examples=share_of(40))
@given(st.lists(st.lists(st.integers(0, 5000), max_size=30), max_size=6))
async def test_whatever_comes_in_whatever_portions_everything_is_kept_in_segments_that_fit(portions):
    server = ConfigMaps()
    kept = of_drill(server)
    ids = set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segments, "SEGMENT_BYTES", 8000)
        for number, sizes in enumerate(portions):
            told = [fact(FactKind.NOTED, START, f"{number}/{i}", message="x" * s) for i, s in enumerate(sizes)]
            await kept.store(told)
            ids |= {f.id for f in told}
    assert all(len(i["data"]["facts"]) <= 8000 for i in server.items.values())
    assert await read_back(server) == ids
    assert kept.segments == sorted(server.items, key=lambda name: int(name.rpartition("-")[2]))


async def test_what_was_stored_before_a_refusal_is_not_stored_again(server: ConfigMaps):
    kept = of_drill(server)
    await kept.store(notes(3, 10))
    server.refuse = Answer(403, {"message": "not now"})
    with pytest.raises(EvidenceRefused) as refused:
        await kept.store(notes(5, 10))
    server.refuse = None
    await kept.store(notes(5, 10))
    assert not refused.value.for_good
    assert len(await read_back(server)) == 5


@pytest.mark.parametrize(
    ("answer", "for_good"),
    [
        (Answer(422, TOO_LONG), True),
        (Answer(413, {"message": "Request entity too large"}), True),
        (Answer(500, {"message": "etcdserver: request is too large"}), True),
        (Answer(400, {"message": "strict decoding error: unknown field"}), True),
        (
            Answer(
                422, {"message": "ValidatingAdmissionPolicy 'freeze' denied", "details": {"causes": [{"message": "x"}]}}
            ),
            False,
        ),
        (Answer(400, {"message": 'admission webhook "a.b.c" denied the request'}), False),
        (Answer(403, {"message": "exceeded quota"}), False),
        (Answer(429, {}), False),
        (Answer(500, {}), False),
    ],
)
async def test_what_can_never_be_stored_is_told_from_what_is_refused_for_now(
    server: ConfigMaps, answer: Answer, for_good: bool
):
    server.refuse = answer
    with pytest.raises(EvidenceRefused) as refused:
        await of_drill(server).store(notes(1, 1))
    assert refused.value.for_good is for_good


def workloads(count: int, generation: int = 1) -> Iterable[dict[str, Any]]:
    return (
        {
            "kind": "Deployment",
            "metadata": {"uid": f"u{n:04}", "name": f"w{n}", "generation": generation},
            "spec": {"template": "t" * 5000},
        }
        for n in range(count)
    )


def memory_of(server: ConfigMaps) -> WorkloadMemory:
    return WorkloadMemory(server, "drills", "storm", "d1")


async def test_hundreds_of_workloads_are_remembered(server: ConfigMaps):
    """They were one ConfigMap, which from about two hundred on was refused at every turn."""
    await memory_of(server).remember(workloads(600))
    assert server.longest <= PART_BYTES
    assert len(await memory_of(server).remembered()) == 600


async def test_only_what_has_changed_is_written_again(server: ConfigMaps):
    kept = memory_of(server)
    await kept.remember(workloads(100))
    server.written.clear()
    changed = list(workloads(100))
    changed[0]["metadata"] |= {"generation": 2}
    changed[1]["metadata"] |= {"resourceVersion": "7"}
    await kept.remember(changed)
    assert len(server.written) == 1


async def test_what_was_refused_for_a_while_is_written_although_nothing_has_changed(server: ConfigMaps):
    kept = memory_of(server)
    server.refuse = Answer(503, {"message": "later"})
    await kept.remember(workloads(3))
    server.refuse = None
    await kept.remember(workloads(3))
    assert len(await memory_of(server).remembered()) == 3


async def test_what_has_not_changed_is_not_even_divided_again(server: ConfigMaps, monkeypatch: pytest.MonkeyPatch):
    """At every turn of a drill beside two hundred workloads that took longer than all else."""
    kept = memory_of(server)
    await kept.remember(workloads(200))
    monkeypatch.setattr(kept, "_divided", None)
    await kept.remember(workloads(200))


async def test_of_workloads_that_are_gone_nothing_is_remembered(server: ConfigMaps):
    kept = memory_of(server)
    await kept.remember(workloads(200))
    await kept.remember(workloads(3))
    assert len(await memory_of(server).remembered()) == 3


async def test_that_nothing_can_be_remembered_stops_nothing(server: ConfigMaps, caplog: pytest.LogCaptureFixture):
    server.refuse = Answer(422, TOO_LONG)
    await memory_of(server).remember(workloads(1))
    assert "what the workloads look like is not kept" in caplog.text


def damaged(server: ConfigMaps, name: str, text: str) -> None:
    server.items[name]["data"]["facts"] = text


async def test_what_cannot_be_read_is_passed_over_and_said_once(server: ConfigMaps, caplog: pytest.LogCaptureFixture):
    await of_drill(server).store(notes(3, 10))
    (name,) = server.items
    line = json.loads(server.items[name]["data"]["facts"].splitlines()[0])
    bad = [
        json.dumps(line | {"kind": "OfALaterVersion"}),
        "no json",
        "[]",
        json.dumps({"id": "x"}),
        json.dumps(line | {"notBefore": "0000"}),
        json.dumps(line | {"detail": 5}),
    ]
    damaged(server, name, "\n".join([*bad, *server.items[name]["data"]["facts"].splitlines()]))
    assert await read_back(server) == {"note/0", "note/1", "note/2"}
    assert [r.levelname for r in caplog.records] == ["WARNING"]


async def test_a_segment_that_vanished_takes_nothing_else_with_it(server: ConfigMaps):
    first = of_drill(server)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segments, "SEGMENT_BYTES", 1000)
        await first.store(notes(9, 200))
        names = list(server.items)
        del server.items[names[0]]
        again = of_drill(server)
        await again.load()
        left = {f.id for f in again.facts}
        assert left < {f.id for f in first.facts}
        await again.store(notes(9, 200, "later"))
    assert await read_back(server) == left | {f"later/{n}" for n in range(9)}
    assert len(server.items) == len(again.segments)


async def test_a_segment_that_vanishes_meanwhile_is_written_whole_again(server: ConfigMaps):
    kept = of_drill(server)
    await kept.store(notes(3, 10))
    server.items.clear()
    await kept.store(notes(1, 10, "later"))
    assert len(await read_back(server)) == 4


async def test_a_config_map_of_another_name_or_drill_is_none_of_its_own(server: ConfigMaps):
    await of_drill(server).store(notes(1, 10))
    (own,) = server.items.values()
    server.items["odd"] = own | {"metadata": own["metadata"] | {"name": "odd"}}
    server.items["x-1"] = own | {"metadata": {"name": "x-1", "labels": own["metadata"]["labels"]}}
    assert await read_back(server) == {"note/0"}


def pods(count: int) -> list[Fact]:
    return [fact(FactKind.POD_READY, START, f"ready/{n}", pod="x" * 300) for n in range(count)]


@pytest.fixture
def little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four segments for all, six in all, of a few facts each."""
    monkeypatch.setattr(segments, "SEGMENT_BYTES", 2000)
    monkeypatch.setattr(segments, "SEGMENTS_OF_ANYTHING", 4)
    monkeypatch.setattr(segments, "SEGMENTS_KEPT", 6)


@pytest.mark.usefixtures("little_room")
async def test_near_the_end_of_the_room_what_decides_is_stored_and_one_fact_says_so(server: ConfigMaps):
    kept = of_drill(server)
    await kept.store(pods(50))
    stored = len(server.lines)
    await kept.store([*pods(60), fact(FactKind.ACKNOWLEDGED, START, "ack")])
    assert [line["id"] for line in server.lines[stored:]] == ["ack"]
    assert [line["id"] for line in server.lines if "is not stored" in line["evidence"]] == [FULL]
    assert kept.unread == ()


@pytest.mark.usefixtures("little_room")
async def test_beyond_it_nothing_is_stored_and_that_is_unknown_also_to_the_next_operator(server: ConfigMaps):
    kept = of_drill(server)
    await kept.store(notes(50, 300))
    assert await kept.store([fact(FactKind.ACKNOWLEDGED, START, "ack")]) == 1
    assert len(server.items) == 6
    assert "ack" not in await read_back(server)
    again = of_drill(server)
    await again.load()
    for one in (kept, again):
        (told,) = one.unread
        assert "after 6 segments of evidence" in told


@pytest.mark.usefixtures("little_room")
async def test_whoever_has_room_says_nothing(server: ConfigMaps):
    kept = of_drill(server)
    await kept.store(pods(3))
    assert kept.unread == ()
    assert FULL not in await read_back(server)
