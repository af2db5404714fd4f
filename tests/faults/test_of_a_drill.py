"""The faults of one drill, asked through their kinds: a drill needs what its own faults need, and no more."""

from __future__ import annotations

from typing import Any

from tests.faults.builders import UID, WEB, container, deployment, injected, killed
from tests.observers.builders import drill_plan

from kubedrill.api.faults import Fault
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.core.rights import Right
from kubedrill.plugins.faults.of_drill import (
    RIGHTS_OF_EVERY_DRILL,
    effective,
    effects,
    measured_for,
    planned,
    rights_for,
    so_far,
    targets_of,
)
from kubedrill.plugins.faults.workload import RIGHTS_TO_CHANGE

DEPLOYMENT = {"kind": "Deployment", "name": "web"}
ALERT = {"name": "page", "alert": {"alert": "High"}}
BY_HAND = {"name": "storm", "manual": {"do": "unplug it", "undo": "plug it in"}}


def limit(name: str = "limit", **said: Any) -> dict[str, Any]:
    return {"name": name, "memoryLimit": {"target": DEPLOYMENT, "limit": "64Mi", **said}}


def of(*faults: dict[str, Any]) -> DrillPlan:
    return drill_plan(faults=tuple(Fault.model_validate(fault) for fault in faults))


def test_a_drill_of_people_needs_no_right_to_change_anything():
    assert rights_for(of(ALERT, BY_HAND)) == RIGHTS_OF_EVERY_DRILL


def test_a_right_that_two_faults_need_is_asked_for_once():
    assert rights_for(of(limit("a"), limit("b"), ALERT)) == (*RIGHTS_OF_EVERY_DRILL, *RIGHTS_TO_CHANGE)


def test_a_right_is_said_as_kubectl_says_it():
    assert str(Right("apps", "deployments", "patch")) == "patch deployments"


def test_what_the_faults_touch_is_read_once():
    assert targets_of(of(limit("a"), limit("b"), ALERT)) == {WEB}


def test_only_what_a_fault_must_know_is_measured():
    assert measured_for(of(limit(), BY_HAND)) == {"web"}
    assert measured_for(of(ALERT, BY_HAND)) == frozenset()


def test_each_fault_is_planned_or_refused_under_its_own_name():
    plans, refusals = planned(of(limit(), limit("other", container="nobody"), BY_HAND), UID, {WEB: deployment()}, {})
    assert set(plans) == {"limit", "storm"}
    assert {name: refusal.reason for name, refusal in refusals.items()} == {"other": "ContainerUnknown"}


def test_faults_that_can_not_be_together_are_refused_together():
    _, refusals = planned(of(limit("a"), limit("b")), UID, {WEB: deployment()}, {})
    assert {name: refusal.reason for name, refusal in refusals.items()} == {"faults": "FaultsOverlap"}


def test_a_memory_limit_and_a_bad_image_of_two_containers_hold_one_rollout():
    image = {"name": "image", "badImage": {"target": DEPLOYMENT, "container": "proxy", "affected": 1}}
    found = deployment(containers=[container("main"), container("proxy")])
    plans, refusals = planned(of(limit(affected=1), image), UID, {WEB: found}, {})
    assert (set(plans), refusals) == ({"limit", "image"}, {})


def test_how_far_each_fault_has_come_is_told_until_it_has_had_all_of_its_effect():
    faults = of(limit(affected=2, container="main"), limit("other", affected=1, container="main"), BY_HAND).faults
    seen = [injected("limit"), injected("other"), killed("web-1", 5)]

    found = effects(faults, seen)

    assert [(f.detail["fault"], f.at) for f in effective(found)] == [("other", seen[-1].at)]
    told = so_far(found)
    assert {name: effect.some for name, effect in told.items()} == {"limit": True, "storm": False}
    assert told["limit"].words.startswith("1 of 2 pods of Deployment/web OOM-killed")
