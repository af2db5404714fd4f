"""The undo removes every fake job, in the workers' hands too, and no other; no late push comes after it."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import timedelta

import pytest
from tests.reverters.builders import PREFIX, free_port, jobs, now, record

from kubedrill.core.undo.record import UNREACHABLE, Again, Done, RecordState
from kubedrill.plugins.operations import redis as redis_reverter
from kubedrill.plugins.operations.redis import RedisJobs
from kubedrill.plugins.operations.resp import RedisSilent

MARK = f"kubedrill:mark:{PREFIX}"
LOST = "how many were pushed is not known, as Redis has lost the count"
# Real jobs that are hard to tell from fake ones, byte for byte.
REAL = [
    b'{"id":"job-1","ticket":"INC-000001"}',
    f'{{"id":"job-2","note":"seen beside {PREFIX}7"}}'.encode(),
    f'{{"note":{{"id":"{PREFIX}7"}},"id":"job-3"}}'.encode(),
    f'["{PREFIX}7"]'.encode(),
    f"{PREFIX}7".encode(),
    f'{{"id":"{PREFIX}7"'.encode(),
    f'{{"id":"{PREFIX}7b"}}'.encode(),
    f'{{"id":"{PREFIX}"}}'.encode(),
    f'{{"id":"x{PREFIX}7"}}'.encode(),
    f'{{"id":["{PREFIX}7"]}}'.encode(),
    b'{"id":"drill-99999999-2222-3333-4444-555555555555-flood-7"}',
    b"\x00\xff\xfe not even text",
    b"",
]


def fake(*numbers: int) -> list[bytes]:
    return [json.dumps({"id": f"{PREFIX}{n}", "ticket": "INC-1"}).encode() for n in numbers]


async def undo(operation, within=5.0, **said):
    """Call as the turn does, until it is done."""
    reverter, deadline = RedisJobs(now), time.monotonic() + within
    while isinstance(progress := await reverter.revert(*record(operation, **said)), Again):
        assert time.monotonic() < deadline, progress
        await asyncio.sleep(min(progress.after.total_seconds(), 0.02))
    return progress


async def test_every_fake_job_goes_and_every_real_one_stays_as_it_is(queue, redis_port):
    await RedisJobs(now).inject(*record(jobs(redis_port)))
    mixed = [job for pair in zip(fake(*range(1, 14)), REAL, strict=True) for job in pair]
    queue.rpush("jobs", *mixed)
    pushed = queue.llen("jobs") - len(mixed)
    assert await undo(jobs(redis_port)) == Done(f"{13 + pushed} fake jobs removed, none left")
    assert queue.lrange("jobs", 0, -1) == REAL


async def test_fake_jobs_in_the_hands_of_workers_go_too(queue, redis_port):
    queue.rpush("inflight:worker-1", *fake(1), REAL[0])
    queue.rpush("inflight:worker-2", *fake(2, 3))
    queue.rpush("elsewhere", *fake(4))
    await undo(jobs(redis_port))
    assert queue.lrange("inflight:worker-1", 0, -1) == [REAL[0]]
    assert not queue.exists("inflight:worker-2")
    assert queue.llen("elsewhere") == 1


async def test_keys_of_other_types_that_match_a_pattern_are_left_alone(queue, redis_port):
    queue.set("inflight:count", 3)
    queue.hset("inflight:seen", "worker-1", "now")
    await undo(jobs(redis_port))
    assert (queue.get("inflight:count"), queue.hgetall("inflight:seen")) == (b"3", {b"worker-1": b"now"})


@pytest.mark.parametrize("real", [0, 1, 999, 1000, 1001, 2500])
async def test_long_queues_are_swept_in_stretches(queue, redis_port, real):
    kept = [f'{{"id":"job-{n}"}}'.encode() for n in range(real)]
    pipeline = queue.pipeline()
    for job in [*kept, *fake(*range(1, 1501))]:
        pipeline.rpush("jobs", job)
        if real and job in kept[:3]:
            pipeline.rpush("jobs", *fake(9000))
    pipeline.execute()
    await undo(jobs(redis_port))
    assert queue.lrange("jobs", 0, -1) == kept


async def test_it_is_draining_until_no_job_came_back_for_longer_than_the_redelivery_time(queue, redis_port):
    operation = jobs(redis_port, redelivery=timedelta(seconds=15), count=1)
    reverter, (undone, group) = RedisJobs(now), record(operation)
    await reverter.inject(undone, group)
    first = await reverter.revert(undone, group)
    assert isinstance(first, Again)
    assert (first.reason, first.after) == ("Draining", timedelta(seconds=1))
    assert first.message == "1 fake jobs removed; done when none comes back for 15 s more"
    queue.hincrby(MARK, "seen", -10_000)
    second = await reverter.revert(undone, group)
    assert isinstance(second, Again)
    assert "for 5 s more" in second.message
    queue.hincrby(MARK, "seen", -10_000)
    assert await reverter.revert(undone, group) == Done("1 fake jobs removed, none left")


async def test_a_job_that_a_dead_worker_held_is_caught_when_it_comes_back(queue, redis_port):
    operation = jobs(redis_port, redelivery=timedelta(seconds=15))
    reverter, (undone, group) = RedisJobs(now), record(operation, in_it=True)
    assert isinstance(await reverter.revert(undone, group), Again)
    queue.hincrby(MARK, "seen", -14_900)
    queue.rpush("jobs", *fake(1))
    again = await reverter.revert(undone, group)
    assert isinstance(again, Again)
    assert "for 15 s more" in again.message
    assert queue.llen("jobs") == 0


async def test_no_job_is_pushed_once_the_undo_began(queue, redis_port):
    reverter, operation = RedisJobs(now), jobs(redis_port)
    await reverter.inject(*record(operation))
    before = await reverter.count(record(operation)[1])
    await reverter.revert(*record(operation))
    for state in RecordState:
        progress = await reverter.inject(*record(operation, state=state))
        assert progress == Done(f"{before} of 100 fake jobs pushed")
    assert queue.llen("jobs") == 0


async def test_an_operator_that_never_began_can_not_begin_after_the_undo(queue, redis_port):
    await undo(jobs(redis_port))
    assert await RedisJobs(now).inject(*record(jobs(redis_port))) == Done("0 of 100 fake jobs pushed")
    assert queue.llen("jobs") == 0


async def test_nothing_is_left_when_one_operator_pushes_while_another_undoes(queue, redis_port):
    operation, begun, stop = jobs(redis_port, count=2000), asyncio.Event(), asyncio.Event()

    async def push():
        while not stop.is_set():
            await RedisJobs(now).inject(*record(operation))
            if queue.llen("jobs") > 100:
                begun.set()

    pushing = asyncio.create_task(push())
    await asyncio.wait_for(begun.wait(), 10)
    await undo(operation)
    stop.set()
    await pushing
    assert queue.llen("jobs") == 0


async def test_workers_that_take_and_give_back_jobs_all_the_while_keep_none(queue, redis_port):
    queue.rpush("jobs", *REAL, *fake(*range(1, 300)))
    stop = asyncio.Event()

    async def work(name):
        while not stop.is_set():
            queue.lmove("jobs", f"inflight:{name}", "RIGHT", "LEFT")
            await asyncio.sleep(0.001)
            queue.lmove(f"inflight:{name}", "jobs", "LEFT", "RIGHT")
            await asyncio.sleep(0)

    workers = [asyncio.create_task(work(n)) for n in range(4)]
    await undo(jobs(redis_port))
    stop.set()
    await asyncio.gather(*workers)
    held = [job for key in queue.keys("inflight:*") for job in queue.lrange(key, 0, -1)]
    assert sorted(held + queue.lrange("jobs", 0, -1)) == sorted(REAL)


async def test_an_undo_that_was_cut_short_is_finished_by_the_next(queue, redis_port, monkeypatch):
    operation = jobs(redis_port)
    queue.rpush("jobs", *fake(*range(1, 2500)))

    async def cut(*_):
        raise RedisSilent("cut")

    with monkeypatch.context() as broken:
        broken.setattr(redis_reverter, "sweep", cut)
        progress = await RedisJobs(now).revert(*record(operation))
    assert isinstance(progress, Again)
    assert progress.reason == UNREACHABLE
    assert await undo(operation) == Done(f"2499 fake jobs removed; {LOST}")


async def test_undoing_twice_gives_the_same_answer(queue, redis_port):
    operation = jobs(redis_port, count=1)
    await RedisJobs(now).inject(*record(operation))
    assert await undo(operation) == Done("1 fake jobs removed, none left")
    assert await RedisJobs(now).revert(*record(operation)) == Done("1 fake jobs removed, none left")
    assert queue.llen("jobs") == 0


async def test_the_mark_stays_until_the_deadline_and_then_goes_by_itself(queue, redis_port):
    await undo(jobs(redis_port), ends_in=3600)
    assert queue.keys() == [MARK.encode()]
    assert 3500 < queue.ttl(MARK) <= 3600
    queue.flushall()
    await undo(jobs(redis_port), ends_in=-3600)
    assert 0 < queue.ttl(MARK) <= 60


async def test_days_after_the_deadline_the_undo_still_knows_how_many_were_pushed(queue, redis_port):
    operation = jobs(redis_port, count=1)
    await RedisJobs(now).inject(*record(operation))
    assert queue.llen("jobs") == 1
    assert await undo(operation, ends_in=-3 * 86_400) == Done("1 fake jobs removed, none left")


async def test_two_faults_on_one_queue_are_undone_apart(queue, redis_port):
    other = PREFIX.replace("flood", "flood-2")
    for prefix in (PREFIX, other):
        await RedisJobs(now).inject(*record(jobs(redis_port, prefix=prefix, count=1)))
    await undo(jobs(redis_port))
    assert [json.loads(job)["id"] for job in queue.lrange("jobs", 0, -1)] == [f"{other}1"]


async def test_an_outage_is_a_reason_to_try_again(queue):
    progress = await RedisJobs(now).revert(*record(jobs(free_port())))
    assert isinstance(progress, Again)
    assert progress.reason == UNREACHABLE
    assert queue.keys() == []


async def test_fake_entries_of_a_stream_go_pending_ones_too(queue, redis_port):
    stream = jobs(redis_port, kind="Stream")
    real = {b"id": b"job-1", b"note": f"seen beside {PREFIX}7".encode()}
    queue.xadd("jobs", real)
    await RedisJobs(now).inject(*record(stream))
    for n in range(1, 1200):
        queue.xadd("jobs", {"ticket": "INC-1", "id": f"{PREFIX}{n}"})
    queue.xadd("jobs", real)
    for group in ("workers", "audit"):
        queue.xgroup_create("jobs", group, id="0")
    queue.xreadgroup("workers", "worker-1", {"jobs": ">"}, count=50)
    await undo(stream)
    assert [fields for _, fields in queue.xrange("jobs")] == [real, real]
    assert queue.xpending("jobs", "workers")["pending"] == 1
    assert queue.xpending("jobs", "audit")["pending"] == 0


async def test_a_stream_that_is_not_there_is_clean(queue, redis_port):
    assert await undo(jobs(redis_port, kind="Stream")) == Done("nothing was pushed", untouched=True)
    assert not queue.exists("jobs")
