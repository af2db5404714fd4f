"""How many pods a Deployment's own rollout replaces while every new pod fails."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.faults.builders import deployment, stateful_set

from kubedrill.plugins.faults.strategy import Reach, reach_of, rolling_reach
from kubedrill.plugins.faults.workload import Workload

KUBERNETES_DEFAULT = ("25%", "25%")


@pytest.mark.parametrize(
    ("replicas", "strategy", "failing", "replaced"),
    [
        (1, KUBERNETES_DEFAULT, 1, 0),
        (3, KUBERNETES_DEFAULT, 1, 0),
        (4, KUBERNETES_DEFAULT, 2, 1),
        (5, KUBERNETES_DEFAULT, 3, 1),
        (10, KUBERNETES_DEFAULT, 5, 2),
        (5, ("60%", 0), 3, 3),
        (5, (3, 0), 3, 3),
        (5, (2, 1), 3, 2),
        (3, (0, 1), 1, 0),
        (3, ("0%", "0%"), 1, 1),
        (3, ("100%", 0), 3, 3),
        (2, (5, 0), 2, 2),
        (2, (1, 5), 2, 1),
    ],
)
def test_the_reach_of_a_rolling_update(replicas, strategy, failing, replaced):
    assert rolling_reach(replicas, *strategy) == Reach(failing, replaced)


def test_recreate_reaches_all():
    assert reach_of(Workload.read("Deployment", deployment(4, how="Recreate"))) == Reach(4, 4)


@pytest.mark.parametrize(("partition", "hit"), [(0, 1), (1, 1), (2, 1), (3, 0), (7, 0)])
def test_a_stateful_set_reaches_its_last_pod_unless_the_partition_is_beyond_it(partition, hit):
    assert reach_of(Workload.read("StatefulSet", stateful_set(3, partition=partition))) == Reach(hit, hit)


def simulated(replicas: int, unavailable: int | str, surge: int | str) -> Reach:
    """The Deployment controller, step by step, with new pods that never become available."""

    def bound(value: int | str, *, up: bool) -> int:
        if isinstance(value, int):
            return value
        share = Fraction(int(value[:-1]) * replicas, 100)
        return math.ceil(share) if up else math.floor(share)

    most_unavailable, most_more = bound(unavailable, up=False), bound(surge, up=True)
    if most_unavailable == most_more == 0:
        most_unavailable = 1
    least_available = max(0, replicas - most_unavailable)
    old, new = replicas, 0
    while True:
        more = min(replicas - new, replicas + most_more - (old + new))
        fewer = min(old, old + new + more - least_available - (new + more))
        if more <= 0 and fewer <= 0:
            return Reach(failing=new, replaced=replicas - old)
        new, old = new + max(0, more), old - max(0, fewer)


SIZES = st.integers(1, 60)
BOUNDS = st.one_of(st.integers(0, 70), st.integers(0, 100).map(lambda percent: f"{percent}%"))


@given(SIZES, BOUNDS, BOUNDS)
def test_the_reach_is_where_the_controller_comes_to_a_stop(replicas, unavailable, surge):
    assert rolling_reach(replicas, unavailable, surge) == simulated(replicas, unavailable, surge)
