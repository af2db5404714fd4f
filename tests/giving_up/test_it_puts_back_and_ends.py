"""A turn that can't be computed or stored for good: the drill is put back and ends in Error, whatever it was."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from tests.giving_up.lab import Lab, fact, standing
from tests.undo.builders import NOON

from kubedrill.api.drill import FINALIZER
from kubedrill.controller import planning, turn
from kubedrill.controller.gathering import MonitoringProbe, known_facts
from kubedrill.controller.worker import GIVEN_UP_AFTER
from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.machine import reducer, status
from kubedrill.core.machine.phases import Phase
from kubedrill.core.undo.operations import Ask
from kubedrill.core.undo.record import OutsideGroup

LONG_ENOUGH = 60


@pytest.fixture
async def lab(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lab]:
    async with standing(monkeypatch) as lab:
        lab.in_play()
        yield lab


def poison(*_: Any, **__: Any) -> Any:
    raise OverflowError("date value out of range")


def refusal(status: int, message: str = "", causes: list[dict[str, str]] | None = None) -> web.Response:
    return web.json_response({"message": message, "details": {"causes": causes or []}}, status=status)


Break = Callable[[Lab, pytest.MonkeyPatch], None]


def the_reducer(_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it was with durations of millions of years (F26, F27)."""
    whole = reducer.reduce

    def reduce(state: Any, seen: Any) -> Any:
        return whole(state, seen) if seen.drill_plan is None else poison()

    monkeypatch.setattr(turn, "reduce", reduce)


def what_is_derived(_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "derive", poison)


def what_monitoring_says(_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MonitoringProbe, "probe", poison)


def the_matching_of_players(_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_facts, "matched", poison)


def the_evidence(lab: Lab, _monkeypatch: pytest.MonkeyPatch) -> None:
    lab.cluster.no_config_maps = refusal(422, "may not be more than", [{"field": "[]", "reason": "FieldValueTooLong"}])


def the_size_of_evidence(lab: Lab, _monkeypatch: pytest.MonkeyPatch) -> None:
    lab.cluster.no_config_maps = refusal(413, "Request entity too large: limit is 3145728")


def the_bounds_of_the_status(_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that nobody thought of is too long while the drill is on."""
    whole = status.project

    def project(decision: Any, seen: Any, before: Any) -> Any:
        status = whole(decision, seen, before)
        return status if seen.drill_plan is None else status | {"message": "x" * 5000}

    monkeypatch.setattr(turn, "project", project)


def the_stored_state(lab: Lab, _monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version's, or forged by somebody with rights on drills/status."""
    lab.has_status(lab.cluster.status | {"machine": {"phase": "Nowhere", "faults": 7}})


@pytest.mark.parametrize(
    "breaks",
    [
        the_reducer,
        what_is_derived,
        what_monitoring_says,
        the_matching_of_players,
        the_evidence,
        the_size_of_evidence,
        the_bounds_of_the_status,
    ],
    ids=lambda f: f.__name__,
)
async def test_it_is_put_back_and_ends_in_error(lab: Lab, monkeypatch: pytest.MonkeyPatch, breaks: Break):
    breaks(lab, monkeypatch)
    await lab.goes_on(LONG_ENOUGH)
    lab.assert_put_back_and_ended()
    assert "the drill can't go on: " in lab.cluster.status["message"]
    assert lab.cluster.now - NOON < timedelta(seconds=20)


async def test_a_state_that_cannot_be_read_is_none_and_what_its_records_tell_counts(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
):
    the_stored_state(lab, monkeypatch)
    await lab.goes_on(LONG_ENOUGH)
    lab.assert_put_back_and_ended("StatusLost")
    restored = next(c for c in lab.cluster.status["conditions"] if c["type"] == "Restored")
    assert restored["reason"] == "Restored"  # it said that nothing was touched
    assert [f["outcome"] for f in lab.cluster.status["restore"]["fields"]] == ["Restored", "Restored"]


async def test_why_is_said_in_the_status_and_in_an_event(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    the_evidence(lab, monkeypatch)
    await lab.goes_on(LONG_ENOUGH)
    why = "the drill can't go on: evidence can't be stored: 422 may not be more than"
    assert lab.cluster.status["message"] == f"Error: {why}"
    assert [e["note"] for e in lab.cluster.events if e["reason"] == "CannotGoOn"] == [why]


async def test_that_there_is_no_report_is_a_note(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    what_is_derived(lab, monkeypatch)
    await lab.goes_on(LONG_ENOUGH)
    assert any(note.startswith("no report is written: ") for note in lab.cluster.status["restore"]["notes"])
    assert not [path for path in lab.cluster.objects if "drillreports" in path]


async def test_what_was_told_before_stays_told(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    lab.seen(
        [
            fact(FactKind.ALERT_FIRING, "firing", alert="Errors"),
            fact(FactKind.NOTED, "note", actor="alice", message="hello"),
        ]
    )
    await lab.goes_on(2)
    before = lab.cluster.status
    assert before["milestones"]
    what_monitoring_says(lab, monkeypatch)
    await lab.goes_on(LONG_ENOUGH)
    lab.assert_put_back_and_ended()
    after = lab.cluster.status
    assert {k: after[k] for k in ("milestones", "objectives", "evidence", "derived")} == {
        k: before[k] for k in ("milestones", "objectives", "evidence", "derived")
    }
    assert next(c for c in after["conditions"] if c["type"] == "AlertFired")["status"] == "True"


async def test_an_operator_that_is_started_anew_goes_on_with_that(monkeypatch: pytest.MonkeyPatch):
    async with standing(monkeypatch) as lab:
        lab.in_play(
            phase="Recovering",
            givenUp="it was too much",
            ending={"reason": "CannotGoOn", "message": "the drill can't go on", "verdict": "Error"},
        )
        what_is_derived(lab, monkeypatch)
        await lab.goes_on(10)
        lab.assert_put_back_and_ended()
        assert lab.task.failures == 0


async def test_it_ends_although_its_undo_is_refused_for_a_while(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    what_is_derived(lab, monkeypatch)
    frozen = refusal(422, "ValidatingAdmissionPolicy 'freeze' denied request", [{"message": "frozen"}])
    lab.cluster.answering = lambda request: (
        web.Response(status=422, body=frozen.body, content_type="application/json")
        if request.method == "PATCH" and "/deployments/" in request.path
        else None
    )
    await lab.goes_on(120)
    assert (lab.state.phase, lab.limit) == (Phase.RECOVERING, "32Mi")
    assert lab.cluster.records()
    assert FINALIZER in lab.cluster.drill_now["metadata"]["finalizers"]
    lab.cluster.answering = lambda _: None
    await lab.goes_on(LONG_ENOUGH)
    lab.assert_put_back_and_ended()


async def test_what_was_done_by_hand_is_still_asked_for(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    lab.cluster.ask(OutsideGroup("cable", Ask("unplug it", "plug it in")))
    what_is_derived(lab, monkeypatch)
    await lab.goes_on(LONG_ENOUGH)
    assert (lab.state.phase, lab.limit) == (Phase.RECOVERING, "128Mi")
    assert "plug it in" in lab.cluster.status["message"]
    meta = {"name": "word", "uid": "w1", "namespace": "drills", "creationTimestamp": "2026-03-01T12:00:30Z"}
    spec = {"actor": "fred", "action": "Confirm", "drill": "storm", "confirmation": {"fault": "cable", "step": "Undo"}}
    words = "/apis/kubedrill.dev/v1alpha1/namespaces/drills/playeractions"
    lab.cluster.put(f"{words}/poison", {"metadata": {"name": "poison"}, "spec": 5})
    lab.cluster.put(f"{words}/word", {"metadata": meta, "spec": spec})
    await lab.goes_on(LONG_ENOUGH)
    lab.assert_put_back_and_ended()


async def test_a_report_that_can_never_be_stored_is_left_out(monkeypatch: pytest.MonkeyPatch):
    """Field and finalizer are back by then: nobody waits for a report for ever."""
    async with standing(monkeypatch) as lab:
        lab.in_play()
        lab.wanted("Stop")
        lab.cluster.answering = lambda request: (
            refusal(422, "spec.record: Too many", [{"field": "spec.record", "reason": "FieldValueTooMany"}])
            if request.method == "POST" and request.path.endswith("/drillreports")
            else None
        )
        await lab.goes_on(LONG_ENOUGH)
        lab.assert_put_back_and_ended("Stopped", "Stopped")
        assert any(n.startswith("no report is written") for n in lab.cluster.status["restore"]["notes"])


async def test_a_spec_that_can_no_longer_be_read_in_play_ends_it(monkeypatch: pytest.MonkeyPatch):
    """It had no plan, so no report could be made, and the drill stayed in HotWash for ever (B14)."""
    async with standing(monkeypatch, wrapUp="a long while") as lab:
        lab.in_play()
        await lab.goes_on(LONG_ENOUGH)
        lab.assert_put_back_and_ended()
        assert "wrapUp" in lab.cluster.status["message"]
        assert lab.task.failures == 0


FOR_NOW = [
    (403, "exceeded quota: pods"),
    (409, "conflict"),
    (429, "slow down"),
    (500, "internal"),
    (503, "not now"),
    (422, "ValidatingAdmissionPolicy 'freeze' with binding 'freeze' denied request: frozen"),
    (400, 'admission webhook "a.example.com" denied the request: frozen'),
]


@pytest.mark.parametrize(("status", "message"), FOR_NOW, ids=lambda v: str(v)[:30])
async def test_what_passes_by_itself_gives_up_no_drill(lab: Lab, status: int, message: str):
    lab.cluster.no_config_maps = refusal(status, message, [{"message": message}] if status == 422 else None)
    await lab.goes_on(120)
    assert lab.task.failures > GIVEN_UP_AFTER
    assert lab.cluster.status["phase"] == "InPlay"
    lab.cluster.no_config_maps = None
    await lab.goes_on(10)
    assert (lab.task.failures, lab.state.phase) == (0, Phase.IN_PLAY)


async def test_a_few_failures_give_up_no_drill(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    failed = []
    probe = MonitoringProbe.probe

    async def stumbling(self: MonitoringProbe, *asked: Any, **how: Any) -> Any:
        failed.append(1)
        return poison() if len(failed) < GIVEN_UP_AFTER else await probe(self, *asked, **how)

    monkeypatch.setattr(MonitoringProbe, "probe", stumbling)
    await lab.goes_on(LONG_ENOUGH)
    assert lab.state.phase is Phase.IN_PLAY


async def test_when_not_even_the_least_can_be_stored_the_fault_is_out_all_the_same(lab: Lab):
    lab.cluster.no_status = refusal(422, "status: Invalid", [{"field": "status", "reason": "FieldValueInvalid"}])
    await lab.goes_on(LONG_ENOUGH)
    assert lab.limit == "128Mi"
    assert lab.cluster.records()
    assert lab.task.stuck() or lab.task.failures > GIVEN_UP_AFTER
    lab.cluster.no_status = None
    await lab.goes_on(LONG_ENOUGH)
    lab.assert_put_back_and_ended()


@pytest.mark.parametrize("field", ["wrapUp", "maxDuration", "armWithin"])
@pytest.mark.parametrize("text", ["99999999h", "9999999999999999999999999999999h", "721h"])
async def test_f26_durations_of_a_million_years_that_are_stored_already(
    monkeypatch: pytest.MonkeyPatch, field: str, text: str
):
    """The API server refuses them now. One that was stored before ended no drill: OverflowError at every turn."""
    async with standing(monkeypatch, **{field: text}) as lab:
        await lab.goes_on(LONG_ENOUGH)
        status = lab.cluster.status
        assert (status["phase"], status["verdict"]) == ("Aborted", "Error")
        assert "write at most 30 days (720h)" in status["message"]


async def test_f27_an_inject_in_ten_thousand_years_that_is_stored_already(monkeypatch: pytest.MonkeyPatch):
    scenario = {
        "title": "A storm",
        "expectedAlerts": [{"name": "Errors"}],
        "faults": [{"name": "storm", "memoryLimit": {"target": {"kind": "Deployment", "name": "web"}}}],
        "injects": [{"name": "late", "at": "99999999h", "body": "hello"}],
    }
    async with standing(monkeypatch, scenario=scenario) as lab:
        lab.in_play()
        lab.seen([fact(FactKind.ALERT_FIRING, "firing", alert="Errors")])
        await lab.goes_on(LONG_ENOUGH)
        lab.assert_put_back_and_ended()
