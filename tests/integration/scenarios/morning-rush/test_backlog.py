"""Where a job is: in the queue, in one worker's hands, or done; and in exactly one of these places."""

from __future__ import annotations

import json

import redis
from staging.backlog import Backlog, Counts


def lost(counts: Counts) -> int:
    return counts.produced - counts.processed - counts.queued - counts.in_flight


def long_ago(store: redis.Redis, pod: str, seconds: int) -> None:
    """Make the last heartbeat of a pod so many seconds old."""
    store.zadd("workers:seen", {pod: int(store.time()[0]) - seconds})


def test_a_job_is_in_one_place_at_each_step(backlog: Backlog):
    backlog.produce()
    assert (backlog.count().queued, backlog.count().in_flight, backlog.count().processed) == (1, 0, 0)
    job = backlog.take("a", 1)
    assert job is not None
    assert (backlog.count().queued, backlog.count().in_flight, backlog.count().processed) == (0, 1, 0)
    assert backlog.finish("a", job)
    assert (backlog.count().queued, backlog.count().in_flight, backlog.count().processed) == (0, 0, 1)
    assert lost(backlog.count()) == 0


def test_the_oldest_job_is_taken_first(backlog: Backlog):
    for _ in range(3):
        backlog.produce()
    taken = [json.loads(backlog.take("a", 1) or "")["id"] for _ in range(3)]
    assert taken == ["job-1", "job-2", "job-3"]


def test_what_a_dead_worker_held_is_taken_next(backlog: Backlog):
    for _ in range(2):
        backlog.produce()
    held = backlog.take("a", 1)
    assert backlog.put_back("a") == 1
    assert backlog.take("b", 1) == held
    assert lost(backlog.count()) == 0


def test_a_job_that_was_taken_from_a_workers_hands_is_not_counted_as_done(backlog: Backlog, store: redis.Redis):
    store.lpush("jobs", '{"id": "drill-7f3c-1"}')
    job = backlog.take("a", 1)
    assert job == '{"id": "drill-7f3c-1"}'
    store.lrem("inflight:a", 0, job)
    assert not backlog.finish("a", job)
    assert backlog.count().processed == 0


def test_only_workers_that_are_gone_are_reaped(backlog: Backlog, store: redis.Redis):
    for pod in ("gone", "slow", "alive"):
        backlog.produce()
        backlog.take(pod, 1)
        backlog.beat(pod)
    long_ago(store, "gone", 12)
    long_ago(store, "slow", 8)
    assert backlog.reap() == 1
    assert sorted(store.keys("inflight:*")) == ["inflight:alive", "inflight:slow"]
    assert backlog.count().workers_alive == 2
    assert lost(backlog.count()) == 0


def test_a_job_in_the_hands_of_a_worker_never_heard_of_is_put_back(backlog: Backlog):
    backlog.produce()
    backlog.take("unknown", 1)
    assert backlog.reap() == 1
    assert backlog.count().queued == 1


def test_starts_are_counted_through_the_longest_crash_back_off(backlog: Backlog, store: redis.Redis):
    backlog.note_start("crashing")
    long_ago(store, "crashing", 310)
    backlog.reap()
    backlog.note_start("crashing")
    assert backlog.count().starts == {"crashing": 2}


def test_pods_that_are_gone_for_good_are_forgotten(backlog: Backlog, store: redis.Redis):
    backlog.note_start("old")
    backlog.note_start("new")
    long_ago(store, "old", 610)
    backlog.reap()
    assert backlog.count().starts == {"new": 1}


def test_each_run_brings_the_same_tickets(backlog: Backlog, store: redis.Redis):
    def ten_tickets() -> list[str]:
        store.flushall()
        for _ in range(10):
            backlog.produce()
        return list(store.lrange("jobs", 0, -1))

    assert ten_tickets() == ten_tickets()
    assert json.loads(ten_tickets()[-1]) == {
        "id": "job-1",
        "ticket": "INC-000001",
        "tenant": "acme",
        "priority": 2,
    }
