"""D9: fake jobs under a wrong key are pushed, and nobody reads them. Which keys there are is said before."""

from __future__ import annotations

from tests.reverters.builders import free_port, jobs, now

from kubedrill.plugins.operations.redis import RedisJobs
from kubedrill.plugins.operations.redis_remarks import MOST_KEYS, MOST_TOLD


async def remarks(port: int, **said: object) -> tuple[str, ...]:
    return await RedisJobs(now).remarks(jobs(port, **said))


async def test_a_key_that_is_not_there_is_said_with_those_that_are_and_the_likest_first(queue, redis_port):
    for key in ("a", "queue:default", "queue:mailers", "z"):
        queue.lpush(key, "{}")
    queue.set("queue:defaul", "no list")

    (said,) = await remarks(redis_port, key="queue:defualt")

    assert said == (
        "there is no list queue:defualt in Redis now: it is empty, or the key is another one. Lists that are there:"
        ' "queue:default", "queue:mailers", "a", "z"'
    )


async def test_streams_are_told_of_a_stream(queue, redis_port):
    queue.lpush("jobs:list", "{}")
    queue.xadd("jobs:stream", {"id": "1"})

    (said,) = await remarks(redis_port, kind="Stream", key="jobs")

    assert said.endswith('Streams that are there: "jobs:stream"')


async def test_what_is_in_flight_is_no_queue(queue, redis_port):
    queue.lpush("inflight:worker-1", "{}")

    assert await remarks(redis_port) == ("there is no list jobs in Redis now: it is empty, or the key is another one",)


async def test_nothing_is_said_of_a_queue_that_is_there(queue, redis_port):
    queue.lpush("jobs", "{}")

    assert await remarks(redis_port) == ()


async def test_nor_where_it_can_not_be_told():
    assert await remarks(free_port()) == ()


async def test_of_many_lists_a_few_are_told(queue, redis_port):
    with queue.pipeline() as pipe:
        for number in range(3 * MOST_KEYS):
            pipe.lpush(f"q:{number}", "{}")
        pipe.execute()

    (said,) = await remarks(redis_port, key="q:x")

    assert said.count('"') == 2 * MOST_TOLD


async def test_a_name_of_a_key_is_shown_as_the_strangers_text_that_it_is(queue, redis_port):
    queue.lpush("x\n" + "y" * 400, "{}")

    (said,) = await remarks(redis_port)

    assert "\n" not in said
    assert len(said) < 400


async def test_nothing_is_written(queue, redis_port):
    queue.lpush("other", "{}")
    before = queue.info("persistence")["rdb_changes_since_last_save"]

    await remarks(redis_port)

    assert queue.keys() == [b"other"]
    assert queue.info("persistence")["rdb_changes_since_last_save"] == before
