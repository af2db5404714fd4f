"""Every row of docs/reference/memory-limit.md under every repair of people, while the drill is on.

`tests/e2e/faults` has one verb a row. Here each verb is given to all rows at once, on real pods.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.e2e.faults.field import until_none
from tests.e2e.faults.rows import AS_PLANNED, Row
from tests.e2e.rollouts.repairs import Repaired, in_namespaces_of_its_own, shown
from tests.e2e.rollouts.verbs import VERBS


@pytest.fixture(scope="module", params=list(VERBS))
def repaired(request: pytest.FixtureRequest) -> Iterator[dict[str, Repaired]]:
    """What came of one verb on every row; in the end all strategies are as they were made."""
    with in_namespaces_of_its_own("repairs") as repairs:
        repairs.settled()
        own = {name: shown(workload) for name, workload in repairs.field.objects().items()}
        yield repairs.repaired(dict.fromkeys(own, VERBS[request.param]))
        # who applies the manifest applies its partition, and that keeps the pod as it is until the undo
        until_none(lambda: repairs.ill().keys() - {"behind-partition"}, 60, "every pod is well")
        repairs.put_back()
        until_none(repairs.ill, 60, "every pod is well in the end")
        assert {name: shown(workload) for name, workload in repairs.field.objects().items()} == own


@pytest.mark.parametrize("row", AS_PLANNED, ids=lambda row: row.name)
def test_a_repair_completes_while_the_drill_is_on(repaired: dict[str, Repaired], row: Row):
    assert repaired[row.name].succeeded, repaired[row.name].said
