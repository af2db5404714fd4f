"""Whatever a fault may use up is used up, all of it at once, and its undo needs none of it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import get_args

import pytest
from redis import Redis
from redis.exceptions import RedisError
from tests.integration.services import redis_server, until
from tests.reverters.builders import PREFIX, come_to_its_end, jobs, now, record

from kubedrill.core.undo.operations import Announce, Ask, Consumable, Create, Enqueue, Operation, Remove, SetFields
from kubedrill.core.undo.record import REFUSED, UNREACHABLE, Again, Done, Progress, RecordState
from kubedrill.plugins.operations.redis import RedisJobs

SWITCH = "stop-writes-on-bgsave-error"
REAL = b'{"id":"job-1"}'


@dataclass
class Used:
    """A Redis with a fault in it, and everything of it that is used up."""

    port: int
    client: Redis
    folder: Path
    held: ExitStack
    reverter: RedisJobs = field(default_factory=lambda: RedisJobs(now))

    def memory(self) -> None:
        """However much of it is freed again."""
        self.client.config_set("maxmemory", 1)
        with pytest.raises(RedisError, match="command not allowed when used memory"):
            self.client.lpush("more", "x")

    def disk(self) -> None:
        """A snapshot fails: where its file is to be, there is a folder."""
        self.client.config_set("save", "3600 1")
        (self.folder / "dump.rdb").mkdir()
        self.client.bgsave()
        until(lambda: self.client.info("persistence")["rdb_last_bgsave_status"] == "err", 10, "the snapshot fails")
        with pytest.raises(RedisError, match="MISCONF"):
            self.client.delete("more")

    def connections(self) -> list[socket.socket]:
        """All that are allowed."""
        self.client.config_set("maxclients", self.client.info("clients")["connected_clients"] + 3)
        taken: list[socket.socket] = []
        while True:
            one = self.held.enter_context(socket.create_connection(("127.0.0.1", self.port)))
            one.settimeout(5)
            one.sendall(b"PING\r\n")
            if not one.recv(100).startswith((b"+PONG", b"-MISCONF", b"-OOM")):
                return taken
            taken.append(one)

    async def pushed(self, operation: Enqueue) -> Progress:
        return await come_to_its_end(lambda: self.reverter.inject(*record(operation)))

    async def undone(self, operation: Enqueue) -> Progress:
        undo = record(operation, state=RecordState.REVERTING, in_it=True)
        return await come_to_its_end(lambda: self.reverter.revert(*undo))


@pytest.fixture
async def used(tmp_path: Path) -> AsyncIterator[Used]:
    with redis_server(tmp_path) as port, Redis(port=port) as client, ExitStack() as held:
        client.ping()
        there = Used(port, client, tmp_path, held)
        yield there
        del there.reverter


USE_UP: dict[tuple[type[Operation], Consumable], Callable[[Used], object]] = {
    (Enqueue, Consumable.MEMORY): Used.memory,
    (Enqueue, Consumable.DISK): Used.disk,
    (Enqueue, Consumable.CONNECTIONS): Used.connections,
}
OUTSIDE: tuple[type[Operation], ...] = (Enqueue, Announce, Ask)
AT_THE_API_SERVER: tuple[type[Operation], ...] = (SetFields, Create, Remove)
"""What these use up is used up on a real cluster: tests/e2e/protocol/test_used_up.py."""


def test_everything_that_an_operation_declares_can_be_used_up_here():
    assert {*OUTSIDE, *AT_THE_API_SERVER} == {*get_args(Operation)}
    assert USE_UP.keys() == {(kind, resource) for kind in OUTSIDE for resource in kind.uses_up}


def each_of(kind: type[Operation]) -> list[tuple[Consumable, ...]]:
    """Every selection of what it uses up; each is seen to be used up, which the disk would hide of the memory."""
    ordered = sorted(kind.uses_up, reverse=True)
    ordered.sort(key=lambda resource: resource is Consumable.DISK)
    return [some for n in range(1, len(ordered) + 1) for some in combinations(ordered, n)]


@pytest.mark.parametrize("kind", ["List", "Stream"])
@pytest.mark.parametrize("resources", each_of(Enqueue), ids=", ".join)
async def test_fake_jobs_are_taken_out_of_a_redis_that_has_none_left(used, resources, kind):
    operation = jobs(used.port, kind=kind, key="jobs", in_flight=("retry", "taken"), count=5)
    used.client.rpush("taken", REAL)
    assert isinstance(await used.pushed(operation), Done)
    used.client.zadd("retry", {f'{{"id":"{PREFIX}1"}}': 1})
    used.client.rpush("taken", f'{{"id":"{PREFIX}2"}}')
    for resource in resources:
        USE_UP[Enqueue, resource](used)

    assert await used.undone(operation) == Done("7 fake jobs removed, none left")
    assert used.client.lrange("taken", 0, -1) == [REAL]
    assert not used.client.exists("retry")
    assert not (used.client.llen("jobs") if kind == "List" else used.client.xlen("jobs"))
    assert used.client.config_get(SWITCH) == {SWITCH: "yes"}


async def test_d5_a_redis_that_the_fault_itself_has_filled_is_freed(used):
    operation = jobs(used.port, count=100_000, job={"field": "x" * 250})
    used.client.config_set("maxmemory", used.client.info("memory")["used_memory"] + (1 << 20))
    full = None
    while not (isinstance(full, Again) and full.reason == REFUSED):
        full = await used.reverter.inject(*record(operation))
        used.client.exists("jobs")  # only reads are answered
    assert "OOM" in full.message
    pushed = used.client.llen("jobs")
    assert pushed > 1000
    with pytest.raises(RedisError, match="command not allowed when used memory"):
        used.client.lpush("more", "x")

    assert await used.undone(operation) == Done(f"{pushed} fake jobs removed, none left")
    assert used.client.lpush("more", "x") == 1


async def test_whoever_has_no_connection_yet_has_the_first_that_becomes_free(used):
    operation = jobs(used.port, count=5)
    assert isinstance(await used.pushed(operation), Done)
    del used.reverter
    used.reverter = RedisJobs(now)  # the watchdog, say
    await asyncio.to_thread(until, lambda: used.client.info("clients")["connected_clients"] == 1, 5, "it is closed")
    taken = used.connections()

    waiting = await used.reverter.revert(*record(operation, in_it=True))
    assert isinstance(waiting, Again)
    assert waiting.reason == UNREACHABLE
    asyncio.get_running_loop().call_later(0.5, taken[0].close)
    assert await used.undone(operation) == Done("5 fake jobs removed, none left")


async def test_a_connection_that_was_cut_off_is_replaced(used):
    operation = jobs(used.port, count=5)
    await used.reverter.inject(*record(operation))
    used.client.client_kill_filter(_type="normal", skipme=True)
    assert isinstance(await used.pushed(operation), Done)
    assert await used.undone(operation) == Done("5 fake jobs removed, none left")


async def test_when_it_is_undone_no_connection_is_kept(used):
    operation = jobs(used.port, count=5, redelivery=timedelta(milliseconds=1))
    await used.reverter.inject(*record(operation))
    assert used.client.info("clients")["connected_clients"] == 2
    assert isinstance(await used.undone(operation), Done)
    await asyncio.to_thread(until, lambda: used.client.info("clients")["connected_clients"] == 1, 5, "it is closed")


async def test_where_the_switch_may_not_be_set_the_disk_is_named(used):
    operation = jobs(used.port, count=5)
    await used.reverter.inject(*record(operation))
    used.disk()
    used.client.execute_command("ACL", "SETUSER", "default", "-config")
    stalled = await used.reverter.revert(*record(operation, in_it=True))
    assert isinstance(stalled, Again)
    assert (stalled.reason, "MISCONF" in stalled.message) == (REFUSED, True)
    used.client.execute_command("ACL", "SETUSER", "default", "+config")
    assert used.client.config_get(SWITCH) == {SWITCH: "yes"}
