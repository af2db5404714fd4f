"""The report of a drill: its record in ConfigMaps, and a DrillReport that names and owns them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.gather.server import Server
from tests.machine.world import START, drill_plan, seen, world_in
from tests.wire import connected_to

from kubedrill.controller.reporting import read_revision, write_report
from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.reducer import Decision, reduce
from kubedrill.core.machine.state import Observation
from kubedrill.core.plan.drill_plan import SteadyCheck
from kubedrill.kube.client import Kube
from kubedrill.store.reports import PART_CHARACTERS, ReportRefused

DRILL: dict[str, Any] = {"metadata": {"name": "storm", "namespace": "drills", "uid": "d1234567-89ab"}}
MAPS = "/api/v1/namespaces/drills/configmaps"
REPORTS = "/apis/kubedrill.dev/v1alpha1/namespaces/drills/drillreports"
REPORT = f"{REPORTS}/storm-d1234567"
ENDED = START + timedelta(hours=1)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def kube(server: Server) -> AsyncIterator[Kube]:
    async with connected_to(server.answer) as connection:
        yield connection


def decided(observation: Observation) -> Decision:
    """What the machine makes of a drill in play, seen so."""
    return reduce(world_in(Phase.IN_PLAY).stored, observation)


async def written(kube: Kube, revision: int = 1, **changes: Any) -> bool:
    observation = seen(now=ENDED, **changes)
    return await write_report(kube, DRILL, decided(observation), observation, revision, ENDED)


def noted(count: int) -> frozenset[Fact]:
    """So many notes of a player, of a thousand letters each."""
    at = Interval.at(START)
    return frozenset(
        Fact(FactKind.NOTED, at, Source.PLAYER_ACTION, f"note/{n}", "alice", detail={"message": f"{n:04}" * 250})
        for n in range(count)
    )


def record(server: Server) -> dict[str, Any]:
    """The record, put together as its readers do."""
    parts = server.objects[REPORT]["spec"]["record"]
    return json.loads("".join(server.objects[f"{MAPS}/{part}"]["data"]["record"] for part in parts))


async def test_it_names_its_drill_and_the_parts_of_its_record(server, kube):
    assert await written(kube)

    spec = server.objects[REPORT]["spec"]
    assert (spec["drill"], spec["drillUid"], spec["title"]) == ("storm", "d1234567-89ab", "A drill")
    assert spec["completed"] == "2026-11-23T10:00:00Z"
    assert record(server)["record"]["name"] == "storm"


async def test_a_record_that_is_too_long_for_one_config_map_stands_in_several(server, kube):
    assert await written(kube, facts=noted(500))

    texts = [o["data"]["record"] for p, o in server.objects.items() if p.startswith(MAPS)]
    assert len(texts) > 1
    assert max(map(len, texts)) <= PART_CHARACTERS
    assert record(server)["record"]["title"] == "A drill"


async def test_its_parts_go_with_the_report_and_not_with_the_drill(server, kube):
    await written(kube)

    owners = [o["metadata"]["ownerReferences"] for p, o in server.objects.items() if p.startswith(MAPS)]
    assert [(one["kind"], one["uid"]) for (one,) in owners] == [("DrillReport", "uid-storm-d1234567")]


async def test_a_new_revision_replaces_the_record_and_keeps_what_people_have_added(server, kube):
    await written(kube)
    server.objects[REPORT]["metadata"]["annotations"]["example.com/retro"] = "raise the limit"
    await written(kube, revision=2, facts=noted(1))

    assert server.objects[REPORT]["metadata"]["annotations"]["example.com/retro"] == "raise the limit"
    assert "0000" * 250 in json.dumps(record(server))


async def test_the_revision_and_the_evidence_that_it_knows_are_read_back(kube):
    assert await read_revision(kube, DRILL) == (0, "")
    await written(kube, revision=3, imported="audit.log")

    assert await read_revision(kube, DRILL) == (3, "audit.log")


@pytest.mark.parametrize("path", [REPORTS, MAPS])
@pytest.mark.parametrize("status", [403, 429, 500])
async def test_where_it_is_refused_for_now_it_stands_with_no_revision_and_is_tried_again(server, kube, path, status):
    server.refused[path] = (status, {"reason": "Refused"})
    assert not await written(kube)
    assert await read_revision(kube, DRILL) == (0, "")

    server.refused.clear()
    assert await written(kube)
    assert await read_revision(kube, DRILL) == (1, "")


@pytest.mark.parametrize("path", [REPORTS, MAPS])
async def test_what_will_never_be_stored_is_said(server, kube, path):
    server.refused[path] = (413, {"message": "request entity too large"})

    with pytest.raises(ReportRefused, match="413 request entity too large") as refused:
        await written(kube)
    assert refused.value.for_good


async def test_of_a_drill_that_has_no_plan_there_is_nothing_to_report(server, kube):
    observation = seen(now=ENDED)
    decision = decided(observation)

    assert not await write_report(kube, DRILL, decision, seen(now=ENDED, drill_plan=None), 1, ENDED)
    assert server.asked == []


@pytest.mark.parametrize(
    ("impact", "drawn"),
    [
        ({"query": "queue_depth"}, (20.0, "steady below")),
        ({"query": "rate(errors[1m])"}, (None, "steady below")),
        ({"query": "queue_depth", "alert": "Errors", "threshold": 50.0}, (50.0, "alert above")),
        ({"query": "queue_depth", "alert": "Errors"}, (None, "alert above")),
    ],
    ids=["its own check", "another's check", "the alert it is derived from", "an alert of no known bound"],
)
async def test_what_is_drawn_across_the_curve_is_of_that_curve(server, kube, impact, drawn):
    """User trial: threshold 20 was drawn for an alert at 50."""
    derived = replace(drill_plan().impact, alert="", threshold=None)
    plan = replace(
        drill_plan(), impact=replace(derived, **impact), steady=(SteadyCheck("queue", "queue_depth", below=20),)
    )
    observation = seen(now=ENDED, drill_plan=plan)
    assert await write_report(kube, DRILL, decided(observation), observation, 1, ENDED)

    written_down = record(server)["record"]
    assert (written_down["impact_threshold"], written_down["impact_threshold_is"]) == drawn
