"""Fake jobs are pushed at their rate, each once, whoever pushes and whatever breaks in between."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from tests.integration.services import until
from tests.reverters.builders import PREFIX, free_port, jobs, now, record

from kubedrill.core.undo.operations import Refusal
from kubedrill.core.undo.record import UNREACHABLE, Again, Done, RecordState
from kubedrill.plugins.operations.redis import RedisJobs

MARK = f"kubedrill:mark:{PREFIX}"


def ids(queue, key="jobs"):
    """The ids in a list, oldest first."""
    return [json.loads(job)["id"] for job in reversed(queue.lrange(key, 0, -1))]


def fake(*numbers):
    return [f"{PREFIX}{n}" for n in numbers]


async def push_all(operation, within=5.0, **said):
    """Call as the turn does, until nothing is left to do."""
    reverter, deadline = RedisJobs(now), time.monotonic() + within
    while isinstance(progress := await reverter.inject(*record(operation, **said)), Again):
        assert time.monotonic() < deadline, progress
        await asyncio.sleep(min(progress.after.total_seconds(), 0.02))
    return progress


async def test_all_jobs_are_pushed_once_and_in_order(queue, redis_port):
    assert await push_all(jobs(redis_port, count=250)) == Done("250 of 250 fake jobs pushed")
    assert ids(queue) == fake(*range(1, 251))


async def test_a_job_is_compact_json_with_the_fields_that_were_asked_for(queue, redis_port):
    await push_all(jobs(redis_port, count=1, job={"ticket": 'INC-"1"', "ort": "Zürich"}))
    (job,) = queue.lrange("jobs", 0, -1)
    assert job.startswith(f'{{"id":"{PREFIX}1","ticket":'.encode())
    assert json.loads(job) == {"id": f"{PREFIX}1", "ticket": 'INC-"1"', "ort": "Zürich"}


async def test_a_job_may_be_an_id_alone(queue, redis_port):
    await push_all(jobs(redis_port, count=1, job={}))
    assert queue.lrange("jobs", 0, -1) == [f'{{"id":"{PREFIX}1"}}'.encode()]


async def test_jobs_line_up_behind_the_real_ones(queue, redis_port):
    queue.lpush("jobs", '{"id":"job-1"}')
    await push_all(jobs(redis_port, count=2))
    assert ids(queue) == ["job-1", *fake(1, 2)]


async def test_a_stream_gets_entries_with_explicit_fields(queue, redis_port):
    await push_all(jobs(redis_port, kind="Stream", count=2))
    assert [fields for _, fields in queue.xrange("jobs")] == [
        {b"id": id_.encode(), b"ticket": b"INC-1"} for id_ in fake(1, 2)
    ]


async def test_the_first_job_comes_at_once_and_the_next_when_it_is_due(queue, redis_port):
    reverter, (undo, group) = RedisJobs(now), record(jobs(redis_port, rate=1))
    first = await reverter.inject(undo, group)
    second = await reverter.inject(undo, group)
    assert (first, second) == (Again(timedelta(seconds=0.5), "Pushing", "1 of 100 fake jobs pushed"),) * 2
    assert ids(queue) == fake(1)


async def test_the_rate_is_kept_by_redis_own_clock(queue, redis_port):
    reverter, (undo, group) = RedisJobs(now), record(jobs(redis_port, rate=50, count=1000))
    started, at = await reverter.inject(undo, group), time.monotonic()
    assert isinstance(started, Again)
    while time.monotonic() < at + 0.6:
        await asyncio.sleep(0.03)
        await reverter.inject(undo, group)
    elapsed = time.monotonic() - at
    assert 1 + 50 * 0.6 - 3 <= queue.llen("jobs") <= 1 + 50 * elapsed + 1


async def test_after_a_pause_two_seconds_of_jobs_are_caught_up_at_the_most(queue, redis_port):
    reverter, (undo, group) = RedisJobs(now), record(jobs(redis_port, rate=10))
    await reverter.inject(undo, group)
    queue.hincrby(MARK, "at", -60_000)
    await reverter.inject(undo, group)
    assert queue.llen("jobs") == 1 + 20


async def test_two_operators_at_once_push_each_job_once(queue, redis_port):
    operation = jobs(redis_port, count=500)
    await asyncio.gather(*(push_all(operation) for _ in range(5)))
    assert ids(queue) == fake(*range(1, 501))


def test_a_new_operator_goes_on_where_the_killed_one_stopped(queue, redis_port):
    # a real second process, killed in the middle of pushing
    program = (
        "import asyncio\nfrom tests.reverters.builders import jobs, now, record\n"
        "from tests.integration.reverters.test_pushing_jobs import push_all\n"
        f"asyncio.run(push_all(jobs({redis_port}, count=400, rate=200)))\n"
    )
    where = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", program], env=where) as killed:
        until(lambda: queue.llen("jobs") >= 20, 20, "the first operator pushes")
        killed.send_signal(signal.SIGKILL)
    reached = queue.llen("jobs")
    assert 20 <= reached < 400
    asyncio.run(push_all(jobs(redis_port, count=400)))
    assert ids(queue) == fake(*range(1, 401))


async def test_nothing_is_pushed_again_when_all_were_processed(queue, redis_port):
    await push_all(jobs(redis_port, count=5))
    queue.delete("jobs")
    assert await push_all(jobs(redis_port, count=5), state=RecordState.INJECTED)
    assert queue.llen("jobs") == 0


async def test_nothing_is_pushed_again_into_a_queue_that_lost_its_data(queue, redis_port):
    reverter, operation = RedisJobs(now), jobs(redis_port)
    await reverter.inject(*record(operation))
    queue.flushall()
    progress = await reverter.inject(*record(operation, state=RecordState.INJECTED))
    assert progress == Done("the queue lost its data, so no more is pushed")
    assert queue.keys() == []


async def test_nothing_is_pushed_after_the_deadline(queue, redis_port):
    assert await RedisJobs(now).inject(*record(jobs(redis_port), ends_in=-1)) == Done("0 of 100 fake jobs pushed")
    assert queue.keys() == []


async def test_the_progress_can_be_asked_for(queue, redis_port):
    operation = jobs(redis_port, count=7)
    assert await RedisJobs(now).count(record(operation)[1]) == 0
    await push_all(operation)
    assert await RedisJobs(now).count(record(operation)[1]) == 7
    assert queue.llen("jobs") == 7


async def test_an_outage_is_a_reason_to_try_again(queue, redis_port):
    dead = jobs(free_port())
    progress = await RedisJobs(now).inject(*record(dead))
    assert isinstance(progress, Again)
    assert progress.reason == UNREACHABLE
    assert await RedisJobs(now).count(record(dead)[1]) is None
    assert queue.llen("jobs") == 0
    assert redis_port != dead.port


@pytest.mark.parametrize(("kind", "is_now"), [("List", "stream"), ("Stream", "list")])
async def test_a_key_of_another_type_is_refused_before_anything_is_touched(queue, redis_port, kind, is_now):
    queue.lpush("jobs", "{}") if is_now == "list" else queue.xadd("jobs", {"id": "job-1"})
    refusal = await RedisJobs(now).prepare(jobs(redis_port, kind=kind))
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "QueueIsOfAnotherKind"
    assert f"jobs is a {is_now}" in refusal.message


async def test_a_queue_that_does_not_answer_is_refused(queue):
    refusal = await RedisJobs(now).prepare(jobs(free_port()))
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "QueueUnreachable"
    assert queue.keys() == []


async def test_preparing_touches_nothing(queue, redis_port):
    assert await RedisJobs(now).prepare(jobs(redis_port)) is None
    assert queue.keys() == []


async def test_a_service_may_be_reached_elsewhere(queue, redis_port):
    there = {"redis.shop.svc": ("127.0.0.1", redis_port)}
    reverter = RedisJobs(now, resolve=lambda host, _port: there[host])
    await reverter.inject(*record(jobs(1, host="redis.shop.svc", count=1)))
    assert ids(queue) == fake(1)
