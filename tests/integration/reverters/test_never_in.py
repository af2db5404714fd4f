"""Nothing was pushed: then the undo ends, also where Redis takes no writes; what can't be read proves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from redis import Redis
from tests.integration.services import redis_cluster, redis_server, until
from tests.reverters.builders import PREFIX, jobs, now, record

from kubedrill.core.undo.record import BEGINS_WITHIN, CLOCKS_DIFFER, REFUSED, UNREACHABLE, Again, Done, RecordState
from kubedrill.plugins.operations.redis import RedisJobs

MARK = f"kubedrill:mark:{PREFIX}"
NEVER = Done("nothing was pushed", untouched=True)
OLD = (BEGINS_WITHIN + CLOCKS_DIFFER).total_seconds()


@pytest.fixture
def replica(redis_port: int, tmp_path_factory: pytest.TempPathFactory, queue: Redis) -> Iterator[Redis]:
    """A replica of the queue's Redis, as the app sees it."""
    queue.ping()
    folder = tmp_path_factory.mktemp("replica")
    with redis_server(folder, "--replicaof", "127.0.0.1", str(redis_port)) as port, Redis(port=port) as client:
        until(lambda: client.info("replication")["master_link_status"] == "up", 15, "the replica follows")
        yield client


def port_of(client: Redis) -> int:
    return int(client.connection_pool.connection_kwargs["port"])


async def test_where_writes_are_taken_it_ends_at_once_and_holds_off_who_is_late(queue, redis_port):
    assert await RedisJobs(now).revert(*record(jobs(redis_port))) == NEVER
    assert await RedisJobs(now).inject(*record(jobs(redis_port))) == Done("0 of 100 fake jobs pushed")
    assert not queue.exists("jobs")
    assert 0 < queue.ttl(MARK) <= 60


async def test_d3_at_a_replica_it_ends_once_nobody_can_begin_any_more(replica):
    operation = jobs(port_of(replica))
    young = await RedisJobs(now).revert(*record(operation))
    assert isinstance(young, Again)
    assert (young.reason, young.after) == ("Draining", timedelta(seconds=2))
    assert "nothing was pushed; that none comes is certain in 40 s" in young.message
    assert "READONLY" in young.message
    assert await RedisJobs(now).revert(*record(operation, age=OLD)) == NEVER


async def test_d3_a_frozen_operator_that_wakes_after_the_replica_was_promoted_pushes_nothing(replica):
    operation, old = jobs(port_of(replica)), OLD
    assert await RedisJobs(now).revert(*record(operation, age=old)) == NEVER
    replica.execute_command("REPLICAOF", "NO", "ONE")
    late = await RedisJobs(now).inject(*record(operation, age=old))
    assert isinstance(late, Again)
    assert (late.reason, "it took too long to begin" in late.message) == (UNREACHABLE, True)
    assert replica.keys() == []


async def test_a_late_begin_is_refused_by_redis_own_clock_even_where_the_deadline_is_far(queue, redis_port):
    age = BEGINS_WITHIN.total_seconds()
    late = await RedisJobs(now).inject(*record(jobs(redis_port), age=age, ends_in=3600))
    assert isinstance(late, Again)
    assert queue.keys() == []
    assert isinstance(await RedisJobs(now).inject(*record(jobs(redis_port), age=age - 5, ends_in=3600)), Again)
    assert queue.llen("jobs") > 0


async def test_what_has_begun_goes_on_however_old_its_record_is(queue, redis_port):
    operation = jobs(redis_port, count=2000)
    await RedisJobs(now).inject(*record(operation))
    before = queue.llen("jobs")
    queue.hincrby(MARK, "at", -60_000)
    await RedisJobs(now).inject(*record(operation, age=3600, state=RecordState.INJECTED))
    assert queue.llen("jobs") > before


async def test_at_a_replica_a_push_that_was_seen_in_is_stalled_and_not_called_never_in(replica):
    refused = await RedisJobs(now).revert(*record(jobs(port_of(replica)), age=OLD, in_it=True))
    assert isinstance(refused, Again)
    assert refused.reason == REFUSED
    assert "READONLY" in refused.message


async def test_at_a_replica_a_mark_proves_that_it_was_in(queue, redis_port, replica):
    await RedisJobs(now).inject(*record(jobs(redis_port)))
    until(lambda: replica.exists(MARK), 5, "the mark is replicated")
    refused = await RedisJobs(now).revert(*record(jobs(port_of(replica)), age=OLD))
    assert isinstance(refused, Again)
    assert refused.reason == REFUSED
    assert replica.llen("jobs") == queue.llen("jobs") > 0


@pytest.mark.parametrize("mark_too", [False, True], ids=["the mark can be read", "the mark can't be read"])
async def test_without_eval_only_a_mark_that_can_be_read_proves_it(queue, redis_port, mark_too):
    queue.execute_command("ACL", "SETUSER", "default", "-@scripting", *(["-hmget"] if mark_too else []))
    try:
        progress = await RedisJobs(now).revert(*record(jobs(redis_port), age=OLD))
    finally:
        queue.execute_command("ACL", "SETUSER", "default", "+@all")
    if mark_too:
        assert isinstance(progress, Again)
        assert (progress.reason, "NOPERM" in progress.message) == (REFUSED, True)
    else:
        assert progress == NEVER


async def test_d4_keys_that_no_script_of_a_cluster_can_touch_together_prove_it(tmp_path):
    with redis_cluster(tmp_path) as ports:
        for port in ports:  # the mark is at one of them alone
            assert await RedisJobs(now).revert(*record(jobs(port), age=OLD)) == NEVER


async def test_a_cluster_in_which_mark_and_queue_are_together_elsewhere_proves_nothing(tmp_path):
    with redis_cluster(tmp_path) as ports:
        undos = [record(jobs(port, key=f"{{{MARK}}}", in_flight=()), age=OLD) for port in ports]
        unread = [await RedisJobs(now).revert(*undo) for undo in undos]
    assert NEVER in unread
    (hidden,) = [progress for progress in unread if isinstance(progress, Again)]
    assert (hidden.reason, "MOVED" in hidden.message) == (REFUSED, True)


async def test_d1_a_password_that_came_later_hides_the_mark(queue, redis_port):
    queue.config_set("requirepass", "demo")
    try:
        hidden = await RedisJobs(now).revert(*record(jobs(redis_port), age=OLD))
    finally:
        with Redis(port=redis_port, password="demo") as client:  # noqa: S106  the test's own
            client.config_set("requirepass", "")
    assert isinstance(hidden, Again)
    assert (hidden.reason, "NOAUTH" in hidden.message) == (REFUSED, True)
