"""From its start on a drill is judged by the plan that was stored, and by no other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from tests.giving_up.lab import Lab, standing
from tests.machine.world import seen

from kubedrill.api.drill import DrillSpec
from kubedrill.controller import turn
from kubedrill.controller.gather import gather
from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.state import Observation, State, state_from_wire, state_to_wire
from kubedrill.core.plan.codec import digest_of, plan_from_json, plan_to_json
from kubedrill.core.plan.derive import derive
from kubedrill.core.plan.drill_plan import DrillPlan, Endpoint, Participant
from kubedrill.core.undo.record import DrillIdentity
from kubedrill.plugins.faults import of_drill
from kubedrill.store.plans import plan_name

DRILL = DrillIdentity("d1", "storm", "drills")
CONFIG_MAPS = "/api/v1/namespaces/drills/configmaps"
ENVIRONMENTS = "/apis/kubedrill.dev/v1alpha1/namespaces/drills/drillenvironments"
LONG_ENOUGH = 60


@pytest.fixture
async def lab(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lab]:
    async with standing(monkeypatch) as lab:
        yield lab


def plan_of(lab: Lab, **change: Any) -> DrillPlan:
    spec = DrillSpec.model_validate(lab.cluster.drill_now["spec"])
    assert spec.scenario is not None
    return replace(derive(spec, spec.scenario, of_drill.profile), **change)


def stored(lab: Lab, plan: DrillPlan, **instead: Any) -> str:
    """The hash of a plan, whose ConfigMap says something else if `instead` does."""
    text = plan_to_json(plan)
    name = plan_name(DRILL, digest_of(text))
    lab.cluster.put(f"{CONFIG_MAPS}/{name}", {"metadata": {"name": name}, "data": {"plan": text}} | instead)
    return digest_of(text)


def remove_plans(lab: Lab) -> None:
    for path in [path for path in lab.cluster.objects if path.startswith(CONFIG_MAPS) and "-plan-" in path]:
        del lab.cluster.objects[path]


def stores(lab: Lab) -> list[str]:
    return [path for method, path in lab.cluster.writes if method == "POST" and path == CONFIG_MAPS]


async def observed(monkeypatch: pytest.MonkeyPatch) -> list[Observation]:
    """What each turn from now on has seen."""
    found: list[Observation] = []

    async def gathered(*args: Any, **named: Any) -> Observation:
        found.append(await gather(*args, **named))
        return found[-1]

    monkeypatch.setattr(turn, "gather", gathered)
    return found


async def test_it_is_what_the_stored_plan_says_whatever_the_spec_says_now(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    lab.in_play(plan=stored(lab, plan_of(lab, title="as it was started", wrap_up=timedelta(seconds=7))))
    turns = await observed(monkeypatch)
    await lab.goes_on(2)
    assert turns[-1].drill_plan is not None
    assert (turns[-1].drill_plan.title, turns[-1].drill_plan.wrap_up.seconds) == ("as it was started", 7)
    assert lab.state.phase is Phase.IN_PLAY


async def test_environments_and_rosters_that_were_changed_since_the_start_change_nothing(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
):
    people = (Participant("alice", "L1"),)
    started = plan_of(lab, environment="shop", prometheus=Endpoint("monitoring", "prometheus", 9090), players=people)
    lab.in_play(plan=stored(lab, started))
    for name in ("shop", "another"):  # two that claim the namespace: a drill that is not on would be refused
        body = {"metadata": {"name": name}, "spec": {"targetNamespaces": [started.target_namespace]}}
        lab.cluster.put(f"{ENVIRONMENTS}/{name}", body)
    turns = await observed(monkeypatch)
    await lab.goes_on(2)
    assert lab.state.phase is Phase.IN_PLAY
    plan = turns[-1].drill_plan
    assert plan is not None
    assert (plan.environment, plan.prometheus, plan.players) == ("shop", started.prometheus, people)


async def test_the_status_says_where_the_plan_is(lab: Lab):
    digest = stored(lab, plan_of(lab))
    lab.in_play(plan=digest)
    await lab.goes_on(2)
    assert lab.cluster.status["plan"] == {"name": plan_name(DRILL, digest), "hash": digest}


async def test_it_is_read_once(lab: Lab):
    """Nobody can take away a plan that is known already; only an operator that is started anew asks for it."""
    lab.in_play(plan=stored(lab, plan_of(lab)))
    await lab.goes_on(2)
    remove_plans(lab)
    await lab.goes_on(10)
    assert lab.state.phase is Phase.IN_PLAY


async def test_one_that_is_gone_is_the_end_and_everything_is_put_back(lab: Lab):
    lab.in_play(plan=stored(lab, plan_of(lab)))
    remove_plans(lab)
    await lab.goes_on(LONG_ENOUGH)
    lab.assert_put_back_and_ended()
    assert (
        "is gone: everything is restored from the undo records; then make another drill"
        in (lab.cluster.status["message"])
    )


@pytest.mark.parametrize(
    "instead",
    [{"data": {"plan": ""}}, {"data": None}, {"data": {"plan": plan_to_json(seen().drill_plan)}}],  # type: ignore[arg-type]
    ids=["emptied", "without data", "another plan"],
)
async def test_one_that_says_something_else_is_not_carried_out(lab: Lab, instead: dict[str, Any]):
    lab.in_play(plan=stored(lab, plan_of(lab), **instead))
    await lab.goes_on(LONG_ENOUGH)
    lab.assert_put_back_and_ended()
    assert "its plan is not carried out" in lab.cluster.status["message"]


async def test_nothing_of_another_plan_is_injected(lab: Lab):
    """Armed, the first fault not yet in: it never is."""
    plan = stored(lab, plan_of(lab), data={"plan": "{}"})
    lab.in_play(plan=plan, phase="Armed", faults=[{"name": "storm", "step": "Started", "attempt": 1}])
    for path in [path for path in lab.cluster.objects if "/secrets/" in path]:
        del lab.cluster.objects[path]
    lab.cluster.writes.clear()
    await lab.goes_on(LONG_ENOUGH)
    assert not [write for write in lab.cluster.writes if write[1].endswith("/secrets")]
    assert lab.cluster.status["verdict"] == "Error"


@pytest.mark.parametrize("status", [403, 500, 503])
async def test_one_that_can_not_be_read_now_is_unknown_and_ends_nothing(lab: Lab, status: int):
    lab.in_play(plan=stored(lab, plan_of(lab)))
    lab.cluster.answering = lambda request: (
        web.json_response({"message": "not now"}, status=status) if "-plan-" in request.path else None
    )
    await lab.goes_on(LONG_ENOUGH)
    assert (lab.state.phase, lab.limit) == (Phase.IN_PLAY, "32Mi")
    lab.cluster.answering = lambda _: None
    await lab.goes_on(10)
    assert lab.state.phase is Phase.IN_PLAY
    assert lab.cluster.status["plan"]["hash"] == lab.state.plan


async def test_a_stop_needs_no_plan(lab: Lab):
    lab.in_play(plan=stored(lab, plan_of(lab)))
    lab.wanted("Stop")
    lab.cluster.answering = lambda request: (
        web.json_response({"message": "not now"}, status=503) if "-plan-" in request.path else None
    )
    await lab.goes_on(10)
    assert lab.limit == "128Mi"


async def test_a_drill_that_the_version_before_has_started_goes_on_as_it_was_settled(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
):
    """Its state names no plan: it is derived of the spec and of what was settled, as that version has."""
    before = lab.cluster.drill_now["spec"]["scenario"]
    settled = {"target": {"kind": "Deployment", "name": "web"}, "limit": "64Mi", "affected": 2}
    lab.in_play(
        scenario=before,
        faults=[
            {
                "name": "storm",
                "step": "Injected",
                "attempt": 1,
                "target": "Deployment/web",
                "record": "",
                "message": "",
                "settled": settled,
                "fingerprint": "",
                "touches": [],
            }
        ],
    )
    machine = lab.cluster.status["machine"]
    del machine["plan"]
    turns = await observed(monkeypatch)
    await lab.goes_on(10)
    assert lab.state.phase is Phase.IN_PLAY
    assert turns[-1].drill_plan is not None
    assert turns[-1].drill_plan.faults[0].params.affected == 2  # type: ignore[attr-defined]
    assert "plan" not in lab.cluster.status


def test_what_the_version_before_rebuilds_its_plan_of_is_still_written():
    """So that the operator may be rolled back while a drill is on."""
    started = state_to_wire(State(Phase.ARMED, scenario={"title": "storm"}, plan="abc"))
    assert started["version"] == 1
    assert started["scenario"] == {"title": "storm"}
    assert state_from_wire(started).plan == "abc"


async def test_what_is_stored_at_the_start_is_the_plan_with_its_faults_as_they_were_settled(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
):
    await started(lab, monkeypatch)
    (at,) = (path for path in lab.cluster.objects if "-plan-" in path)
    text = lab.cluster.objects[at]["data"]["plan"]
    assert digest_of(text) == lab.state.plan
    assert plan_from_json(text).faults[0].params.affected == 2  # type: ignore[attr-defined]


async def started(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """One turn of a drill that is fit."""
    fit = seen()
    settled = {"target": {"kind": "Deployment", "name": "worker"}, "limit": "64Mi", "affected": 2}
    plans = {name: replace(plan, settled=settled) for name, plan in fit.plans.items()}

    async def gathered(*_args: Any, **_named: Any) -> Observation:
        return replace(fit, plans=plans)

    monkeypatch.setattr(turn, "gather", gathered)
    await lab.task._turn()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (web.json_response({"message": "exceeded quota"}, status=403), "403 exceeded quota"),
        (web.json_response({"message": "too long"}, status=413), "413 too long"),
    ],
    ids=["a quota", "for good"],
)
async def test_nothing_is_committed_to_that_is_not_stored(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, answer: web.Response, said: str
):
    lab.cluster.no_config_maps = answer
    await started(lab, monkeypatch)
    assert f"the plan can't be stored: {said}" in lab.cluster.status["message"]
    assert "startExTime" not in lab.cluster.status
    assert lab.state.plan == ""


async def test_a_turn_that_never_was_has_stored_it_for_the_next(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    lost = [True]

    def lose(request: web.Request) -> web.Response | None:
        if lost and request.path.endswith("/status"):
            lost.clear()
            return web.json_response({"reason": "Conflict"}, status=409)
        return None

    lab.cluster.answering = lose
    await started(lab, monkeypatch)
    await lab.task._turn()
    assert len(stores(lab)) == 2
    assert len([path for path in lab.cluster.objects if "-plan-" in path]) == 1
    assert lab.state.plan
