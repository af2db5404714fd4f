"""Before anything is broken nothing looks broken: a drill can tell its own effect from the app's moods."""

from __future__ import annotations

import os
import time

import pytest
from tests.e2e.staging.copies import Copy

WINDOW_SECONDS = int(os.environ.get("KUBEDRILL_BASELINE_SECONDS", "180"))


@pytest.fixture(scope="module")
def watched(copies: tuple[Copy, Copy]) -> tuple[Copy, Copy]:
    """Both copies, left alone for the window: its length is what is measured, no guess at readiness."""
    time.sleep(WINDOW_SECONDS)
    return copies


def test_the_queue_stays_short_for_the_whole_window(watched: tuple[Copy, Copy]):
    for copy in watched:
        assert copy.value(f"count_over_time(queue_depth[{WINDOW_SECONDS}s])") >= WINDOW_SECONDS * 0.95
        assert copy.value(f"max_over_time(queue_depth[{WINDOW_SECONDS}s])") < 20


def test_no_alert_is_even_pending(watched: tuple[Copy, Copy]):
    for copy in watched:
        assert copy.query(f"count_over_time(ALERTS[{WINDOW_SECONDS}s])") == []
        assert copy.received("pages") + copy.received("tickets") == []


def test_all_that_comes_in_is_done_by_five_workers_that_never_restart(watched: tuple[Copy, Copy]):
    for copy in watched:
        produced = copy.value(f"increase(jobs_produced_total[{WINDOW_SECONDS}s])")
        assert produced == pytest.approx(2 * WINDOW_SECONDS, rel=0.05)
        assert copy.value(f"increase(jobs_processed_total[{WINDOW_SECONDS}s])") == pytest.approx(produced, rel=0.05)
        assert copy.figures().lost == 0
        assert copy.replicas() == 5
        starts = copy.query("worker_starts_total")
        assert [series["value"][1] for series in starts] == ["1"] * 5
