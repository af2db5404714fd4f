"""What push or undo will need and Redis won't give is found out while nothing has happened, and said in words."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis
from tests.integration.services import redis_cluster, redis_server, until
from tests.reverters.builders import free_port, jobs, now

from kubedrill.core.undo.operations import Enqueue, Refusal
from kubedrill.plugins.operations.redis import RedisJobs


async def refused(operation: Enqueue, clock=now) -> Refusal:
    refusal = await RedisJobs(clock).prepare(operation)
    assert isinstance(refusal, Refusal)
    return refusal


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("refusing")


@pytest.fixture(scope="module")
def replica(folder: Path, redis_port: int) -> Iterator[int]:
    with redis_server(folder, "--replicaof", "127.0.0.1", str(redis_port)) as port, Redis(port=port) as client:
        until(lambda: client.info("replication")["master_link_status"] == "up", 15, "the replica follows")
        yield port


@pytest.fixture(scope="module")
def cluster(folder: Path) -> Iterator[int]:
    with redis_cluster(folder) as (port, _):
        yield port


async def test_d3_a_read_only_replica_is_refused(queue, replica):
    queue.lpush("jobs", "{}")
    refusal = await refused(jobs(replica))
    assert refusal.reason == "QueueRefuses"
    assert "it is a read-only replica: name the Service of the master" in refusal.message


async def test_d1_one_that_asks_for_a_password_is_refused_and_not_waited_for(folder):
    with redis_server(folder, "--requirepass", "demo") as port:
        refusal = await refused(jobs(port))
    assert refusal.reason == "QueueRefuses"
    assert "it asks for a password, and a drill has none: name a Redis that needs none (NOAUTH" in refusal.message


@pytest.mark.parametrize("forbids_info", [False, True], ids=["says that it is one", "says nothing of itself"])
async def test_d4_a_cluster_is_refused(cluster, forbids_info):
    with Redis(port=cluster) as client:
        client.execute_command("ACL", "SETUSER", "default", "-info" if forbids_info else "+info")
    refusal = await refused(jobs(cluster))
    assert refusal.reason == "QueueRefuses"
    assert "it is a Redis Cluster, in which" in refusal.message


# What an ACL may take away, one by one. Every one of them is needed by push or undo.
NEEDED = [
    "-@scripting", "-eval", "-time", "-type", "-scan", "-lpush", "-xadd", "-hset", "-hmget", "-hsetnx", "-hincrby",
    "-pexpireat", "-lrange", "-lset", "-lrem", "-zrange", "-zrem", "-hscan", "-hdel", "-sscan", "-srem", "-xrange",
    "-xinfo", "-xack", "-xdel", "-@write", "resetkeys ~jobs", "resetkeys ~kubedrill:*",
]  # fmt: skip


@pytest.mark.parametrize("rights", NEEDED)
async def test_rights_that_push_or_undo_would_miss_are_refused(queue, redis_port, rights):
    queue.lpush("jobs", '{"id":"job-1"}')
    queue.execute_command("ACL", "SETUSER", "default", *rights.split())
    try:
        refusal = await refused(jobs(redis_port))
    finally:
        queue.execute_command("ACL", "SETUSER", "default", "allkeys", "+@all")
    assert refusal.reason == "QueueRefuses"
    assert "the default user must be allowed scripts (EVAL)" in refusal.message
    assert queue.keys() == [b"jobs"]


async def test_a_redis_whose_eval_was_renamed_is_refused(folder):
    with redis_server(folder, "--rename-command", "EVAL", "") as port:
        refusal = await refused(jobs(port))
    assert refusal.reason == "QueueRefuses"
    assert "unknown command" in refusal.message


async def test_d1_a_password_is_said_at_once(folder):
    with redis_server(folder, "--requirepass", "demo") as port:
        refusal = await refused(jobs(port))
    assert refusal.reason == "QueueRefuses"
    assert "it asks for a password, and a drill has none" in refusal.message


async def test_a_redis_that_is_full_already_is_refused(folder):
    with redis_server(folder, "--maxmemory", "1") as port:
        refusal = await refused(jobs(port))
    assert (refusal.reason, "its memory is used up already" in refusal.message) == ("QueueRefuses", True)


@pytest.mark.parametrize(("count", "fits"), [(100, True), (100_000, False)])
async def test_jobs_that_would_make_redis_throw_out_the_apps_keys_are_refused(folder, count, fits):
    with redis_server(folder, "--maxmemory", "12mb", "--maxmemory-policy", "allkeys-lru") as port:
        refusal = await RedisJobs(now).prepare(jobs(port, count=count))
    assert (refusal is None) is fits
    assert fits or (
        refusal is not None
        and refusal.reason == "QueueWouldEvict"
        and "lower count, or set its policy" in refusal.message
    )


@pytest.mark.parametrize("off", [-60, 60])
async def test_a_clock_that_is_off_is_refused_because_the_drill_ends_by_it(queue, redis_port, off):
    refusal = await refused(jobs(redis_port), lambda: now() - timedelta(seconds=off))
    assert refusal.reason == "QueueClockIsOff"
    assert f"{off:+d} s from the cluster's" in refusal.message
    assert queue.keys() == []


@pytest.mark.parametrize("kind", ["string", "none", "list", "stream", "zset", "hash", "set"])
async def test_d7_a_named_key_of_a_type_that_cannot_be_swept_is_refused(queue, redis_port, kind):
    make = {
        "string": lambda: queue.set("retry", "{}"), "list": lambda: queue.lpush("retry", "{}"),
        "stream": lambda: queue.xadd("retry", {"id": "1"}), "zset": lambda: queue.zadd("retry", {"{}": 1}),
        "hash": lambda: queue.hset("retry", "1", "{}"), "set": lambda: queue.sadd("retry", "{}"),
    }  # fmt: skip
    make.get(kind, lambda: None)()
    refusal = await RedisJobs(now).prepare(jobs(redis_port, in_flight=("retry", "busy:*")))
    assert (refusal is None) is (kind != "string")
    if refusal:
        assert refusal.reason == "InFlightIsOfAnotherKind"
        assert "retry is a string in Redis" in refusal.message


@pytest.mark.parametrize("kind", ["List", "Stream"])
async def test_trying_changes_nothing_that_is_there(queue, redis_port, kind):
    queue.rpush("jobs", "a", "", "a") if kind == "List" else queue.xadd("jobs", {"id": "job-1"})
    queue.hset("taken", "1", "{}")
    before = {key: queue.dump(key) for key in queue.scan_iter()}
    assert await RedisJobs(now).prepare(jobs(redis_port, kind=kind, in_flight=("taken",))) is None
    assert {key: queue.dump(key) for key in queue.scan_iter()} == before


async def test_trying_keeps_no_connection(queue, redis_port):
    before = len(queue.client_list())
    await RedisJobs(now).prepare(jobs(redis_port))
    await asyncio.to_thread(until, lambda: len(queue.client_list()) == before, 5, "the connection is closed")


async def test_nobody_there_is_asked_again(queue):
    refusal = await refused(jobs(free_port()))
    assert refusal.reason == "QueueUnreachable"
    assert queue.keys() == []
