"""Fake jobs are found wherever an app keeps its jobs, and what can't be found is never called gone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import cast

import pytest
from redis import Redis
from tests.reverters.builders import PREFIX, come_to_its_end, jobs, now, record

from kubedrill.core.undo.operations import Enqueue
from kubedrill.core.undo.record import Done
from kubedrill.plugins.operations.redis import RedisJobs, accounted

Put = Callable[[Redis, str, Iterable[bytes]], None]
REAL = [json.dumps({"id": f"job-{n}", "note": f"seen beside {PREFIX}{n}"}).encode() for n in range(3)]


def fake(n: int) -> bytes:
    return json.dumps({"id": f"{PREFIX}{n}", "ticket": "INC-1"}).encode()


async def pushed(operation: Enqueue) -> None:
    reverter = RedisJobs(now)
    assert isinstance(await come_to_its_end(lambda: reverter.inject(*record(operation))), Done)


async def undone(operation: Enqueue) -> Done:
    reverter = RedisJobs(now)
    progress = await come_to_its_end(lambda: reverter.revert(*record(operation, in_it=True)))
    assert isinstance(progress, Done)
    return progress


def a_list(queue: Redis, key: str, bodies: Iterable[bytes]) -> None:
    queue.rpush(key, *bodies)


def sorted_set(queue: Redis, key: str, bodies: Iterable[bytes]) -> None:
    queue.zadd(key, {body: n % 7 for n, body in enumerate(bodies)})


def a_set(queue: Redis, key: str, bodies: Iterable[bytes]) -> None:
    queue.sadd(key, *bodies)


def hash_of_bodies(queue: Redis, key: str, bodies: Iterable[bytes]) -> None:
    queue.hset(key, mapping={f"tag-{n}": body for n, body in enumerate(bodies)})


def stream(queue: Redis, key: str, bodies: Iterable[bytes]) -> None:
    for body in bodies:
        queue.xadd(key, json.loads(body))


def bodies_in(queue: Redis, key: str) -> list[bytes]:
    match queue.type(key):
        case b"list":
            return cast("list[bytes]", queue.lrange(key, 0, -1))
        case b"zset":
            return cast("list[bytes]", queue.zrange(key, 0, -1))
        case b"set":
            return list(cast("set[bytes]", queue.smembers(key)))
        case b"hash":
            return cast("list[bytes]", queue.hvals(key))
        case b"stream":
            entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", queue.xrange(key))
            return [json.dumps({k.decode(): v.decode() for k, v in e.items()}).encode() for _, e in entries]
    return []


@pytest.mark.parametrize("put", [a_list, sorted_set, a_set, hash_of_bodies, stream])
@pytest.mark.parametrize("pattern", ["retry", "ret*"], ids=["named", "by a pattern"])
@pytest.mark.parametrize("fakes", [1, 2500], ids=["one", "more than a stretch"])
async def test_d7_jobs_are_taken_out_of_every_kind_of_key(queue, redis_port, put: Put, pattern, fakes):
    put(queue, "retry", [*REAL[:2], *(fake(n) for n in range(1, fakes + 1)), REAL[2]])
    done = await undone(jobs(redis_port, in_flight=(pattern,)))
    assert sorted(bodies_in(queue, "retry")) == sorted(REAL)
    assert done.note.startswith(f"{fakes} fake jobs removed; ")


@pytest.mark.parametrize("put", [a_list, sorted_set, a_set, hash_of_bodies, stream])
async def test_a_key_in_which_nothing_is_ours_is_left_byte_for_byte(queue, redis_port, put: Put):
    put(queue, "retry", [*REAL, json.dumps({"id": f"x{PREFIX}1"}).encode()])
    before = queue.dump("retry")
    await undone(jobs(redis_port, in_flight=("*",)))
    assert queue.dump("retry") == before


async def test_a_hash_may_have_the_id_for_a_name(queue, redis_port):
    queue.hset("taken", mapping={f"{PREFIX}7": "1700000000", "job-1": "1700000000", f"{PREFIX}7b": "1"})
    await undone(jobs(redis_port, in_flight=("taken",)))
    assert queue.hkeys("taken") == [b"job-1", f"{PREFIX}7b".encode()]


async def test_entries_that_other_consumers_of_other_groups_have_pending_go_too(queue, redis_port):
    operation = jobs(redis_port, kind="Stream", count=40, in_flight=("dead",))
    queue.xadd("jobs", {"id": "job-1"})
    await pushed(operation)
    for key in ("jobs", "dead"):
        for group in ("workers", "audit"):
            queue.xgroup_create(key, group, id="0", mkstream=True)
    stream(queue, "dead", [fake(41)])
    for group, consumer in (("workers", "one"), ("workers", "two"), ("audit", "three")):
        queue.xreadgroup(group, consumer, {"jobs": ">", "dead": ">"}, count=15)
    assert await undone(operation) == Done("41 fake jobs removed, none left")
    assert [queue.xpending(key, group)["pending"] for key in ("jobs", "dead") for group in ("workers", "audit")] == [
        1, 1, 0, 0,
    ]  # fmt: skip
    assert [entry for _, entry in queue.xrange("jobs")] == [{b"id": b"job-1"}]


async def test_d7_jobs_that_workers_took_elsewhere_are_never_called_gone(queue, redis_port):
    operation = jobs(redis_port, count=20, in_flight=())
    await pushed(operation)
    for _ in range(15):  # a worker as Sidekiq has it: what it can't run is run again in an hour
        queue.zadd("retry", {queue.rpop("jobs"): 3600})
    done = await undone(operation)
    said = "20 fake jobs pushed, 5 removed; 15 were taken by workers or are where neither queue nor inFlight looks"
    assert done == Done(said)
    assert queue.zcard("retry") == 15


@pytest.mark.parametrize(("pushed", "removed", "none_left"), [(0, 0, True), (5, 5, True), (5, 6, True), (5, 4, False),
                                                              (-1, 0, False), (-1, 3, False)])  # fmt: skip
def test_none_left_is_said_only_when_the_sum_is_nothing(pushed, removed, none_left):
    assert ("none left" in accounted(pushed, removed)) is none_left


async def test_jobs_put_back_with_a_change_that_keeps_their_id_are_found(queue, redis_port):
    queue.zadd("retry", {json.dumps({"retries": 3, "id": f"{PREFIX}4", "error": "args"}): 1})
    await undone(jobs(redis_port, in_flight=("retry",)))
    assert not queue.exists("retry")
