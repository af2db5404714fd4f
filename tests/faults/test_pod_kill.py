"""podKill: so many pods of a workload are removed once; it heals by itself, so no change is its fix."""

from __future__ import annotations

from typing import Any

import pytest
from tests.faults.builders import WEB, accepted, deployment, fact, injected, second, seen
from tests.observers.builders import drill_plan

from kubedrill.api.faults import Fault, WorkloadTarget
from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.undo.operations import Refusal, Remove
from kubedrill.plugins.faults.base import Plan, together
from kubedrill.plugins.faults.pod_kill import PodKill, effect, plan


def kill(**said: Any) -> PodKill:
    return PodKill(target=WorkloadTarget(kind="Deployment", name="web"), **said)


def planned(params: PodKill, obj: dict[str, Any] | None = None) -> Plan[PodKill] | Refusal:
    return plan(params, seen({WEB: obj or deployment()}))


def removal(params: PodKill) -> Remove:
    decided = planned(params)
    assert isinstance(decided, Plan), decided
    (operation,) = decided.operations
    assert isinstance(operation, Remove)
    return operation


def test_one_pod_is_removed_when_nothing_is_said_and_has_as_long_to_end_as_it_wants():
    assert removal(kill()) == Remove(WEB, 1, None)


@pytest.mark.parametrize(("asked", "seconds"), [("0s", 0), ("90s", 90), ("1500ms", 2)])
def test_how_long_each_has_to_end_is_told_in_whole_seconds(asked: str, seconds: int):
    assert removal(kill(pods=3, grace_period=asked)) == Remove(WEB, 3, seconds)


@pytest.mark.parametrize(
    ("params", "obj", "reason"),
    [
        (kill(pods=6), deployment(), "TooFewPods"),
        (kill(), deployment(replicas=0), "TooFewPods"),
        (kill(), deployment() | {"metadata": {"name": "web", "deletionTimestamp": "now"}}, "BeingDeleted"),
    ],
    ids=["more than there are", "none", "on its way out"],
)
def test_what_can_not_be_done_as_asked_is_refused_by_name(params: PodKill, obj: dict[str, Any], reason: str):
    refused = planned(params, obj)
    assert isinstance(refused, Refusal)
    assert refused.reason == reason


def test_it_is_effective_when_so_many_of_its_own_pods_are_gone_and_not_before():
    def gone(pod: str, at: float, target: str = "Deployment/web") -> Any:
        return fact(FactKind.POD_GONE, second(at), pod=pod, target=target)

    params, known = kill(pods=2), (injected(), gone("a", 1), gone("z", 2, "Deployment/api"), gone("old", -9))
    assert not effect("squeeze", params, known).complete
    found = effect("squeeze", params, (*known, gone("b", 3)))
    assert (found.complete, found.at) == (True, second(3))


def test_whoever_was_away_when_they_went_sees_it_by_what_they_leave():
    def ready(pod: str, made: float) -> Any:
        stamp = second(made).not_before.isoformat()
        return fact(FactKind.POD_READY, second(made), pod=pod, target="Deployment/web", made=stamp)

    def state(at: float, count: int) -> Any:
        return fact(FactKind.WORKLOAD_STATE, second(at), target="Deployment/web", ready=count, desired=5)

    params, known = kill(pods=2), (injected(), ready("old", -5), state(-3, 3), state(1, 4), ready("a", 2))
    assert not effect("squeeze", params, known).complete
    assert effect("squeeze", params, (*known, ready("b", 4))).at == second(4)
    assert effect("squeeze", params, (*known, state(3, 3))).at == second(3)


def test_two_on_one_workload_are_refused_together():
    refused = together({name: accepted(planned(kill())) for name in ("one", "two")})
    assert getattr(refused, "reason", "") == "FaultsOverlap"


def test_there_is_nothing_that_a_player_could_change_to_take_it_out():
    drill = drill_plan(
        faults=(Fault.model_validate({"name": "gone", "podKill": {"target": {"kind": "Deployment", "name": "web"}}}),)
    )
    assert not drill.has_cause
    assert drill.workloads == {"Deployment/web"}
