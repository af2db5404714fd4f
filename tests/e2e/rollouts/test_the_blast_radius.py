"""What a fault announces is what it takes: row by row, with a limit that does not bite, and under people's repairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from tests.e2e.faults.field import until_none
from tests.e2e.faults.rows import AS_PLANNED, Row
from tests.e2e.rollouts.repairs import Repaired, Repairs, in_namespaces_of_its_own, shown
from tests.e2e.rollouts.verbs import Verb, apply, scale_and_undo, set_resources, undo

TRIED: Mapping[str, Verb] = {
    "one-of-3": undo,
    "two-of-4": set_resources,
    "three-of-5": scale_and_undo,
    "three-of-5-percent": set_resources,
    "all-of-3": apply,
    "one-of-2-surge": apply,
    "all-of-2-recreate": undo,
    "last-ordered": undo,
    "last-parallel": set_resources,
    "behind-partition": undo,
}
"""One verb a row, each verb at least once; `nightly/test_repairs.py` has every row with every verb."""


def named(row: Row) -> str:
    return row.name


@pytest.fixture(scope="module")
def repairs() -> Iterator[Repairs]:
    """Every planned row's workload, healthy."""
    with in_namespaces_of_its_own("blast") as repairs:
        repairs.settled()
        yield repairs


@pytest.fixture(scope="module")
def gone(repairs: Repairs) -> dict[str, int]:
    """How many serving pods each row lost to a limit that does not bite."""
    return repairs.without_effect()


@pytest.fixture(scope="module")
def own(repairs: Repairs, gone: dict[str, int]) -> dict[str, str]:
    """Every row's own strategy, after the limit without effect was put back."""
    assert gone
    repairs.settled()
    return {name: shown(workload) for name, workload in repairs.field.objects().items()}


@pytest.fixture(scope="module")
def repaired(repairs: Repairs, own: dict[str, str]) -> dict[str, Repaired]:
    """What came of people's repairs while the drill was on."""
    assert own
    return repairs.repaired(TRIED)


@pytest.mark.parametrize("row", AS_PLANNED, ids=named)
def test_a_limit_that_does_not_bite_replaces_as_many_pods_as_announced_and_no_more(gone: dict[str, int], row: Row):
    assert gone[row.name] == row.affected


@pytest.mark.parametrize("row", AS_PLANNED, ids=named)
def test_it_is_put_back_with_the_strategy(own: dict[str, str], row: Row):
    rolling = row.strategy.get("rollingUpdate", {})
    for name, value in rolling.items():
        assert f'"{name}": ' + (f'"{value}"' if isinstance(value, str) else str(value)) in own[row.name]
    assert f'"minReadySeconds": {row.ready}' in own[row.name] or not row.ready


@pytest.mark.parametrize("row", AS_PLANNED, ids=named)
def test_a_repair_completes_while_the_drill_is_on(repaired: dict[str, Repaired], row: Row):
    assert repaired[row.name].succeeded, repaired[row.name].said


def test_after_the_repairs_every_pod_is_well(repaired: dict[str, Repaired], repairs: Repairs):
    assert repaired
    until_none(repairs.ill, 60, "every pod is well")


def test_the_own_strategies_are_back_before_the_drill_ends(repaired: dict[str, Repaired], repairs: Repairs, own):
    assert repaired
    now = {name: shown(workload) for name, workload in repairs.field.objects().items()}
    # its partition was lowered for the fault: a repair needs that until the end
    assert {n: s for n, s in now.items() if s != own[n]}.keys() <= {"behind-partition"}


def test_at_the_end_they_are_as_they_were(repaired: dict[str, Repaired], repairs: Repairs, own: dict[str, str]):
    assert repaired
    repairs.put_back()
    assert {name: shown(workload) for name, workload in repairs.field.objects().items()} == own
