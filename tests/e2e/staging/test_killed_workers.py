"""A worker may die at any instant: no job is lost with it, and a crash alone pages nobody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.e2e.staging.copies import WORKERS, Copy, oom_killed, until


@pytest.fixture
def memory_that_is_put_right(copy: Copy) -> Iterator[Copy]:
    """The copy that gets its workers' memory back in the end, whatever a test did to it."""
    yield copy
    copy.set_worker_memory("128Mi")
    copy.kubectl("rollout", "status", WORKERS, "--timeout=120s")


def test_a_deleted_pod_gives_its_job_back(copy: Copy):
    victim = copy.workers()[0]["metadata"]["name"]
    held = f"inflight:{victim}"
    until(lambda: copy.redis("LLEN", held) == ["1"], 10, "the victim has a job in hand")
    lost_before = copy.figures().lost

    copy.kubectl("delete", "pod", victim, "--grace-period=0", "--force")

    until(lambda: victim not in names(copy), 10, "the pod is gone")
    until(lambda: copy.redis("EXISTS", held) == ["0"], 30, "nothing is left in the hands of a pod that is gone")
    assert copy.figures().lost == lost_before
    copy.kubectl("rollout", "status", WORKERS, "--timeout=60s")


def test_the_kernel_kills_three_of_five_for_a_ticket_and_no_job_is_lost(memory_that_is_put_right: Copy):
    copy = memory_that_is_put_right
    lost_before, pages_before = copy.figures().lost, copy.received("pages")
    copy.set_worker_memory("64Mi")

    killed = until(lambda: found if len(found := oom_killed(copy.workers())) >= 3 else None, 60, "three OOM kills")
    until(lambda: copy.received("tickets"), 60, "the crash ticket")
    assert len(killed) == 3
    assert len(names(copy) - killed) == 2
    assert set(copy.received("tickets")) == {f"WorkerCrashLooping {copy.namespace} firing"}
    assert copy.received("pages") == pages_before, "what customers feel pages, and the queue is still short"
    assert copy.figures().lost == lost_before


def names(copy: Copy) -> set[str]:
    """The workers' pods by name."""
    return {pod["metadata"]["name"] for pod in copy.workers()}
