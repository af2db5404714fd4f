"""The table's workloads, faulted, all at once: the rows then only look at what came of theirs."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from tests.e2e.faults.field import Field, Outcome, kubectl, until_none
from tests.e2e.faults.rows import AS_PLANNED, THE_LIMIT_ALONE


@pytest.fixture(scope="session")
def field() -> Iterator[Field]:
    """Every row's workload, healthy. No cluster: that is a failure, never a skip."""
    namespace = f"strategies-{uuid.uuid4().hex[:8]}"
    kubectl("create", "namespace", namespace)
    field = Field(namespace, (*THE_LIMIT_ALONE, *AS_PLANNED))
    field.apply()
    until_none(field.unsettled, 180, "all workloads are settled")
    yield field
    kubectl("delete", "namespace", namespace, "--wait=false")


@pytest.fixture(scope="session")
def outcomes(field: Field) -> dict[str, Outcome]:
    """What came of each row's fault, when nothing moves any more."""
    field.inject(within=90)
    return field.outcomes(within=120)
