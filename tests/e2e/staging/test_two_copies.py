"""Two copies in two namespaces share a cluster and one metrics adapter, and never touch each other."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from tests.e2e.staging.copies import WORKERS, Copy, until

PUSHED = 90


@pytest.fixture
def backlog(copies: tuple[Copy, Copy]) -> Iterator[tuple[Copy, Copy]]:
    """Both copies, the first with a backlog of jobs as a drill pushes them."""
    one, _ = copies
    jobs = [json.dumps({"id": f"drill-test-{n}"}) for n in range(PUSHED)]
    one.redis("LPUSH", "jobs", *jobs)
    yield copies
    left = [f"LREM jobs 0 '{job}'" for job in jobs]
    one.kubectl("exec", "-i", "deploy/redis", "--", "redis-cli", given="\n".join(left) + "\n")
    one.kubectl("scale", WORKERS, "--replicas=5")


def test_a_backlog_in_one_pages_and_scales_that_one_alone(backlog: tuple[Copy, Copy]):
    one, two = backlog
    until(lambda: one.received("pages"), 30, "the page of the copy with the backlog")
    assert set(one.received("pages")) == {f"HighQueueDepth {one.namespace} firing"}
    until(lambda: one.depth_that_the_hpa_sees() > 50, 30, "the backlog in the metric of its own namespace")
    assert two.depth_that_the_hpa_sees() < 20
    until(lambda: one.replicas() > 5, 90, "the HPA of the copy with the backlog scales up")

    assert two.replicas() == 5
    assert two.value("max_over_time(queue_depth[2m])") < 20
    assert two.received("pages") + two.received("tickets") == []


def test_the_operator_is_told_under_the_name_of_the_namespace(copies: tuple[Copy, Copy]):
    for copy in copies:
        configuration = json.loads(copy.get("alertmanager:9093", "/api/v2/status"))["config"]["original"]
        assert f"/alertmanager/{copy.namespace}\n" in configuration
