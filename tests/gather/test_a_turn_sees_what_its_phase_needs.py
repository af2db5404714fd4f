"""What a turn reads: where a drill can't go on its records alone, and of a drill that is none a refusal in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.gather.builders import SPEC, a_drill, seen_of
from tests.observers.builders import drill_plan
from tests.observers.wire import until

from kubedrill.api.drill import ACCEPTS_UNVERIFIED, EVIDENCE_MARK, FINALIZER, Desired
from kubedrill.core.evidence.facts import Fact, FactKind
from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.state import State
from kubedrill.kube.client import Unreachable
from kubedrill.store.drill_parts import EvidenceRefused
from kubedrill.store.undo_records import RecordError
from kubedrill.store.workload_memory import WorkloadMemory

SECRETS = "/api/v1/namespaces/drills/secrets"
MAPS = "/api/v1/namespaces/drills/configmaps"
SCENARIO = "/apis/kubedrill.dev/v1alpha1/namespaces/drills/drillscenarios/rush"
ENVIRONMENTS = "/apis/kubedrill.dev/v1alpha1/namespaces/drills/drillenvironments"
REPORT = "/apis/kubedrill.dev/v1alpha1/namespaces/drills/drillreports/storm-d1"


def refused(said: str) -> dict[str, Any]:
    """A Drill of a scenario that it only names."""
    return a_drill({"scenario": None, "scenarioRef": said})


async def test_a_drill_that_cannot_go_on_asks_for_its_records_and_nothing_else(server, sources):
    seen = await seen_of(sources, a_drill(), State(phase=Phase.IN_PLAY), cannot_go_on="too much")

    assert seen.cannot_go_on == "too much"
    assert seen.drill_plan is None
    assert server.asked == [f"GET {SECRETS}"]


async def test_what_people_have_written_at_the_drill_is_told(sources):
    notes = {EVIDENCE_MARK: "audit.log", ACCEPTS_UNVERIFIED: "limit"}
    drill = a_drill(
        {"desired": "Stop", "stopBecause": "lunch"},
        finalizers=[FINALIZER],
        generation=3,
        deletionTimestamp="2026-03-01T12:30:00Z",
        annotations=notes,
    )
    seen = await seen_of(
        sources, drill, State(), stuck={"undo-1": "refused"}, waiting={"undo-2": "its pods"}, cannot_go_on="x"
    )

    assert (seen.desired, seen.stop_because) == (Desired.STOP, "lunch")
    assert (seen.deleting, seen.finalizer, seen.generation) == (True, True, 3)
    assert (seen.imported, seen.accepted) == ("audit.log", "limit")
    assert (seen.stuck, seen.waiting) == ({"undo-1": "refused"}, {"undo-2": "its pods"})


@pytest.mark.parametrize("status", [403, 500, 503])
async def test_without_the_list_of_the_records_there_is_no_turn(server, sources, status):
    server.refused[SECRETS] = (status, {"message": "later"})

    with pytest.raises((Unreachable, RecordError)):
        await seen_of(sources, a_drill(), State(phase=Phase.RECOVERING))


async def test_without_the_evidence_that_is_stored_there_is_no_turn(server, sources):
    server.refused[MAPS] = (403, {"message": "no"})

    with pytest.raises(EvidenceRefused):
        await seen_of(sources, a_drill(), State(phase=Phase.RECOVERING))


async def test_a_scenario_that_is_not_there_is_a_refusal_that_names_it(sources):
    seen = await seen_of(sources, refused("rush"), State())

    assert seen.drill_plan is None
    assert seen.refusal is not None
    assert (seen.refusal.reason, seen.refusal.message) == (
        "ScenarioNotFound",
        "there is no DrillScenario rush in namespace drills",
    )


@pytest.mark.parametrize("status", [403, 500])
async def test_a_scenario_that_could_not_be_read_is_no_missing_one(server, sources, status):
    server.refused[SCENARIO] = (status, {"message": "later"})

    with pytest.raises(Unreachable, match=f"{status} later"):
        await seen_of(sources, refused("rush"), State())


async def test_what_is_wrong_with_a_drill_is_said_by_its_place(sources):
    seen = await seen_of(sources, a_drill({"targetNamespace": "../x"}), State())

    assert seen.refusal is not None
    assert seen.refusal.reason == "SpecInvalid"
    assert seen.refusal.message.startswith("targetNamespace: ")


async def test_a_drill_that_its_environment_does_not_let_reach_its_monitoring_asks_nobody_there(server, sources):
    server.objects[f"{ENVIRONMENTS}/shop"] = {"metadata": {"name": "shop"}, "spec": {"targetNamespaces": ["shop"]}}
    elsewhere = {"prometheus": {"name": "prometheus", "port": 9090, "namespace": "billing"}}
    seen = await seen_of(sources, a_drill({"monitoring": elsewhere}), State())

    assert seen.drill_plan is None
    assert seen.refusal is not None
    assert seen.refusal.reason == "ServiceNotAllowed"


@pytest.mark.parametrize("status", [403, 500])
async def test_environments_that_could_not_be_read_are_no_missing_ones(server, sources, status):
    server.refused[ENVIRONMENTS] = (status, {"message": "later"})

    with pytest.raises(Unreachable, match=f"{status} later"):
        await seen_of(sources, a_drill(), State())


async def test_a_scenario_that_was_changed_since_the_start_changes_nothing(server, sources):
    server.objects[SCENARIO] = {"metadata": {"name": "rush"}, "spec": SPEC["scenario"] | {"title": "another"}}
    begun = State(phase=Phase.HOT_WASH, scenario=SPEC["scenario"])
    seen = await seen_of(sources, refused("rush"), begun)

    assert seen.drill_plan is not None
    assert seen.drill_plan.title == "storm"
    assert f"GET {SCENARIO}" not in server.asked


async def test_after_the_drill_the_report_that_stands_is_read(server, sources):
    notes = {"kubedrill.dev/revision": "2", EVIDENCE_MARK: "audit.log"}
    server.objects[REPORT] = {"metadata": {"name": "storm-d1", "annotations": notes}}
    now = datetime.now(UTC)  # noqa: TID251  the clock of the server that answers
    ended = State(phase=Phase.COMPLETED, end_ex=now, imported="")
    seen = await seen_of(sources, a_drill(), ended)

    assert (seen.reported, seen.report_import) == (2, "audit.log")


async def test_what_the_workloads_looked_like_is_asked_for_once_after_a_restart(sources, monkeypatch):
    """Not at every turn: the watches stand then."""
    asked: list[int] = []

    async def remembered(_self: WorkloadMemory) -> list[dict[str, Any]]:
        asked.append(1)
        return []

    monkeypatch.setattr(WorkloadMemory, "remembered", remembered)
    state = State(phase=Phase.IN_PLAY, start_ex=sources.clock.now())
    for _ in range(3):
        await sources.watch(a_drill(), drill_plan(), state)
    assert asked == [1]


async def test_what_workloads_looked_like_is_read_once_and_not_at_every_turn(server, sources):
    state = State(phase=Phase.IN_PLAY, start_ex=datetime(2026, 3, 1, 12, tzinfo=UTC))
    await sources.watch(a_drill(), drill_plan(), state)
    await sources.watch(a_drill(), drill_plan(), state)

    assert server.asked.count(f"GET {MAPS}") == 1


async def test_after_a_restart_before_the_first_lists_were_whole_all_since_the_start_is_a_gap(sources):
    begun = sources.clock.now() - timedelta(minutes=1)
    await sources.watch(a_drill(), drill_plan(), State(phase=Phase.ARMED, start_ex=begun, heard=None))
    told: list[Fact] = []

    def gaps() -> set[datetime]:
        told.extend(sources.inbox.drain())
        return {fact.at.not_before for fact in told if fact.kind is FactKind.GAP}

    assert await until(gaps) == {begun}
