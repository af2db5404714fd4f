"""memoryLimit bit when as many distinct pods of the workload were OOM-killed as it should hit."""

from __future__ import annotations

import pytest
from tests.faults.builders import fact, injected, killed, second, squeeze

from kubedrill.core.evidence.facts import FactKind
from kubedrill.plugins.faults.memory_limit import effect

ONE, TWO, THREE = "web-5d4f6b7c89-bbbbb", "web-5d4f6b7c89-ccccc", "web-5d4f6b7c89-ddddd"
THREE_PODS = squeeze(container="main", affected=3)


def test_each_pod_counts_once_however_often_it_is_killed():
    facts = [injected(), killed(ONE, 3), killed(ONE, 5), killed(TWO, 4), killed(ONE, 17)]
    bite = effect("squeeze", THREE_PODS, facts)
    assert (bite.seen, bite.wanted, bite.complete) == (2, 3, False)
    assert bite.evidence == f"2 of 3 pods of Deployment/web OOM-killed: {ONE}, {TWO}"


def test_it_happened_when_the_last_of_the_wanted_pods_was_killed_first():
    facts = [injected(), killed(ONE, 3, 1), killed(TWO, 2, 3), killed(THREE, 4, 0.5), killed(ONE, 9)]
    bite = effect("squeeze", THREE_PODS, facts)
    assert bite.complete
    assert bite.at == second(4, 1)


def test_an_unsaid_number_means_one_pod():
    assert effect("squeeze", squeeze(), [injected(), killed(ONE, 3)]).complete


def test_a_kill_before_the_injection_is_not_its_doing():
    assert effect("squeeze", squeeze(), [injected(at=10), killed(ONE, 8, 1)]).seen == 0


def test_a_kill_that_may_have_been_after_the_injection_counts():
    assert effect("squeeze", squeeze(), [injected(at=10), killed(ONE, 9.5, 1)]).seen == 1


def test_another_container_of_the_pod_is_not_the_one_that_is_hit():
    assert effect("squeeze", THREE_PODS, [injected(), killed(ONE, 3, container="proxy")]).seen == 0


def test_another_fault_of_the_drill_is_not_this_one():
    assert effect("squeeze", squeeze(), [injected("other"), killed(ONE, 3)]).evidence == "not injected"


def test_other_facts_of_the_pod_are_no_kills():
    ready = fact(FactKind.POD_READY, second(3), pod=ONE)
    assert effect("squeeze", squeeze(), [injected(), ready]).seen == 0


def scaled(before: int | None, after: int, at: float, target: str = "Deployment/web"):
    return fact(FactKind.SCALED, second(at), target=target, before=before, after=after)


def test_pods_that_a_scale_up_added_are_told_apart_from_the_announced_ones():
    facts = [injected(), killed(ONE, 3), scaled(3, 5, 5), killed(TWO, 8), killed(THREE, 9)]
    bite = effect("squeeze", squeeze(affected=1), facts)
    assert (bite.seen, bite.wanted) == (1, 1)
    assert bite.evidence == (f"1 of 1 pods of Deployment/web OOM-killed: {ONE} and 2 more that a scale-up added")
    assert bite.at == second(3)


def test_a_pod_in_the_place_of_one_that_players_deleted_is_told_apart_too():
    bite = effect("squeeze", squeeze(affected=1), [injected(), killed(ONE, 3), killed(TWO, 8)])
    assert bite.evidence.endswith(f"{ONE} and 1 more in the place of pods that are gone")


def test_no_more_pods_are_laid_to_a_scale_up_than_it_added():
    facts = [injected(), killed(ONE, 3), scaled(3, 4, 5), scaled(None, 4, 5), killed(TWO, 8), killed(THREE, 9)]
    bite = effect("squeeze", squeeze(affected=1), facts)
    assert bite.evidence.endswith("and 1 more that a scale-up added and 1 more in the place of pods that are gone")


@pytest.mark.parametrize("other", [scaled(3, 5, -9), scaled(5, 3, 5), scaled(3, 5, 5, "Deployment/api")])
def test_what_added_nothing_to_it_since_the_injection_is_no_scale_up(other):
    bite = effect("squeeze", squeeze(affected=1), [injected(), killed(ONE, 3), other, killed(TWO, 8)])
    assert "scale-up" not in bite.evidence


@pytest.mark.parametrize(
    ("pod", "owner", "ours"),
    [
        ("web-5d4f6b7c89-bbbbb", "Deployment/web", True),
        ("web-5d4f6b7c89-bbbbb", "StatefulSet/web", False),
        ("web-db-sfnfx", "Job/web-db", False),
        ("web-0", "", False),
    ],
)
def test_pods_are_known_by_their_owner_and_never_by_their_name(pod: str, owner: str, ours: bool):
    """Field case C10: the kill of a Job's pod, `api-db-sfnfx`, was taken for one of the Deployment api."""
    assert effect("squeeze", squeeze(), [injected(), killed(pod, 3, owner=owner)]).complete is ours


def test_the_pods_of_a_stateful_set_are_its_own():
    assert effect(
        "squeeze", squeeze("StatefulSet", "db"), [injected(), killed("db-0", 3, owner="StatefulSet/db")]
    ).complete
