"""A quota that leaves no room, and what others do to one: change it, or remove it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.signals.builders import ALICE, PLAYERS, receipt, stamp

from kubedrill.controller.recorded_facts import without_own_removals
from kubedrill.core.evidence.facts import Fact, FactKind
from kubedrill.core.evidence.matching import matched
from kubedrill.plugins.sources.quotas import facts_of

QUOTA = "ResourceQuota/limits"


def quota(pods: str = "0", version: int = 1, by: str = "", uid: str = "q1", seconds: float = 5) -> dict[str, Any]:
    fields: dict[str, Any] = {"f:spec": {"f:hard": {"f:pods": {}}}}
    entry = {"manager": by, "operation": "Update", "time": stamp(seconds), "fieldsV1": fields}
    return {
        "kind": "ResourceQuota",
        "metadata": {
            "name": "limits",
            "uid": uid,
            "resourceVersion": str(version),
            "managedFields": [entry] * bool(by),
        },
        "spec": {"hard": {"pods": pods}},
    }


def full(of: dict[str, Any], used: str = "5") -> dict[str, Any]:
    """As it is when the API server has counted."""
    return of | {"status": {"hard": of["spec"]["hard"], "used": {"pods": used}}}


def counted(hard: dict[str, str], used: dict[str, str], wanted: dict[str, str] | None = None) -> dict[str, Any]:
    return quota() | {"spec": {"hard": hard if wanted is None else wanted}, "status": {"hard": hard, "used": used}}


def raised(by: str = "kubectl-edit") -> tuple[Fact, ...]:
    return facts_of("MODIFIED", quota("100", 2, by), receipt(5.5), quota())


@pytest.mark.parametrize(
    ("hard", "used", "left"),
    [
        ({"pods": "0"}, {"pods": "5"}, "pods"),
        ({"pods": "5"}, {"pods": "5"}, "pods"),
        ({"limits.memory": "1Gi", "pods": "50"}, {"limits.memory": "1024Mi", "pods": "5"}, "limits.memory"),
    ],
)
def test_it_leaves_no_room_once_a_limit_is_used_up(hard: dict[str, str], used: dict[str, str], left: str):
    (fact,) = facts_of("MODIFIED", counted(hard, used), receipt(3))
    assert (fact.kind, fact.detail["quota"], fact.detail["resources"]) == (FactKind.QUOTA_REACHED, "limits", left)
    assert "leaves no room" in fact.evidence


@pytest.mark.parametrize(
    "item",
    [
        counted({"pods": "6"}, {"pods": "5"}),
        counted({}, {}, {"pods": "0"}),
        counted({"pods": "5"}, {"pods": "5"}, {"services": "5"}),
        counted({"pods": "lots"}, {"pods": "5"}),
    ],
    ids=["room is left", "not counted yet", "an older count", "no quantity"],
)
def test_what_does_not_show_that_is_passed_over(item: dict[str, Any]):
    assert facts_of("ADDED", item, receipt(3)) == ()


def test_it_is_one_fact_however_often_it_is_told():
    one, other = (facts_of("MODIFIED", full(quota()), receipt(at)) for at in (3, 9))
    assert one[0].id == other[0].id


def test_a_limit_that_somebody_has_raised_is_told_with_who():
    (fact,) = raised()
    assert (fact.kind, fact.detail["target"]) == (FactKind.TARGET_CHANGED, QUOTA)
    assert (fact.detail["path"], fact.detail["manager"]) == ("/spec/hard/pods", "kubectl-edit")
    assert fact.evidence == f"{QUOTA} spec.hard.pods: 0 → 100, by kubectl-edit"


def test_each_change_is_a_fact_of_its_own():
    again = facts_of("MODIFIED", quota("0", 3, "kubectl-edit"), receipt(9), quota("100", 2))
    assert again[0].id != raised()[0].id


def test_its_making_is_nobodys_change_and_another_object_of_the_name_is_none_of_this_one():
    assert facts_of("ADDED", quota(), receipt(1)) == ()
    assert facts_of("MODIFIED", quota("9", 9, uid="q2"), receipt(2), quota()) == ()


def test_a_removal_is_a_change_of_its_name():
    (fact,) = facts_of("DELETED", full(quota()), receipt(7), quota())
    assert (fact.detail["path"], fact.evidence) == ("/metadata/name", f"{QUOTA} was removed")


def test_a_removal_may_be_ours_once_its_record_is_no_longer_injected():
    gone = facts_of("DELETED", quota(), receipt(7), quota())
    assert without_own_removals(gone, {QUOTA}) == gone
    assert without_own_removals((*gone, *raised()), ()) == raised()


def test_a_players_change_is_theirs_and_a_strangers_is_interference():
    (mine,) = matched(raised(ALICE.field_manager), PLAYERS, {QUOTA})
    assert mine.actor == "alice"
    assert FactKind.INTERFERENCE in {f.kind for f in matched(raised("stranger"), PLAYERS, {QUOTA})}
