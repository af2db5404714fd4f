"""An answer that is older than what the undo record knows: nothing is concluded from it, and it is asked again.

Found by the fault matrix (`stale-from-before/get-target/…`): a proxy that gave the target as it was before the
injection made the revert say that every field was restored, while the fault was in.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from tests.undo.builders import NOON, TARGET, UNDO, deployment, record_of
from tests.watchdog.wire import Cluster, standing

from kubedrill.core.evidence.facts import Interval
from kubedrill.core.undo.record import RecordState
from kubedrill.kube.client import Kube
from kubedrill.protocol.objects import is_outdated
from kubedrill.protocol.outcomes import Reversal, RevertOutcome
from kubedrill.protocol.revert import revert
from kubedrill.store.undo_records import RecordRef

AS_IT_WAS = deployment()


@pytest.fixture
async def faulted() -> AsyncIterator[tuple[Cluster, Kube]]:
    async with standing() as (cluster, kube):
        cluster.fault()
        yield cluster, kube


def cached(request: web.Request) -> web.Response | None:
    """A proxy that has the target as it was before its fault."""
    return web.json_response(AS_IT_WAS) if (request.method, request.path) == ("GET", TARGET.path) else None


async def reverted(cluster: Cluster, kube: Kube) -> RevertOutcome:
    class At:
        error = cluster.now - cluster.now
        now = lambda _: cluster.now  # noqa: E731  a clock in one line

    return await revert(kube, RecordRef("drills", UNDO), "Operator", At())


async def test_a_target_that_is_shown_as_it_was_before_its_fault_is_not_restored(faulted: tuple[Cluster, Kube]):
    cluster, kube = faulted
    cluster.answering = cached

    outcome = await reverted(cluster, kube)

    assert outcome.state is Reversal.RETRY
    assert not outcome.restored
    assert "older than its undo record" in outcome.message
    assert cluster.records()[UNDO].restored_at is None


async def test_it_is_restored_as_soon_as_it_is_shown_as_it_is(faulted: tuple[Cluster, Kube]):
    cluster, kube = faulted
    cluster.answering = cached
    await reverted(cluster, kube)
    cluster.answering = lambda _: None

    assert (await reverted(cluster, kube)).state is Reversal.REVERTED
    assert cluster.limit == "128Mi"


INTENDED = record_of(deployment(generation=4))
INJECTED = INTENDED.moved_to(RecordState.INJECTED, injected=Interval(NOON, NOON))


def shown(**metadata: Any) -> dict[str, Any]:
    thing = deployment(generation=4)
    return thing | {"metadata": thing["metadata"] | metadata}


def test_an_object_is_as_old_as_its_version_and_its_generation():
    assert not is_outdated(INTENDED, shown())
    assert is_outdated(INTENDED, shown(resourceVersion="6"))
    assert not is_outdated(INTENDED, shown(resourceVersion="10"))
    assert is_outdated(INJECTED, shown(resourceVersion="10"))
    assert not is_outdated(INJECTED, shown(resourceVersion="10", generation=5))


def test_another_object_under_the_name_is_not_an_old_one():
    assert not is_outdated(INJECTED, shown(uid="another", resourceVersion="1", generation=1))


def test_a_version_that_is_no_number_says_nothing():
    assert not is_outdated(INTENDED, shown(resourceVersion="a6"))


@pytest.mark.parametrize("generation", [None, 0])
def test_a_kind_without_a_generation_is_judged_by_its_version_alone(generation: int | None):
    record = record_of(deployment(generation=0)).moved_to(RecordState.INJECTED, injected=Interval(NOON, NOON))
    seen = shown(generation=generation) if generation is not None else shown()
    assert not is_outdated(record, seen)
