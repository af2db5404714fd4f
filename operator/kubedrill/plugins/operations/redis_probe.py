"""Whether a queue can be loaded *and* cleared again: tried before anything is stored, without touching a job.

Every command of push and undo is run once, as one atomic step, on keys of our own that are gone again at its end; on
the app's keys only what changes nothing. So a replica, a cluster, missing rights and a full Redis are found out while
nothing has happened.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from kubedrill.core.undo.operations import Enqueue, Refusal
from kubedrill.core.undo.record import CLOCKS_DIFFER
from kubedrill.plugins.operations.redis_sweep import TYPES, is_named, scanned
from kubedrill.plugins.operations.resp import RedisRefuses, RedisSilent, Reply, Wire

KINDS: Final = {"List": "list", "Stream": "stream"}
_A_JOB_TAKES: Final = 128
"""Bytes of Redis' memory that a job takes beside its text, at the most."""

PROBE: Final = """
local scratch, queue, kind, nobody = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local function all()
  redis.call('TIME')
  -- what may take memory comes first: a full Redis refuses it only as a script's first write
  redis.call('HSETNX', scratch, 'closed', 1)
  redis.call('PEXPIREAT', scratch, ARGV[3])
  redis.call('HSET', scratch, 'pushed', 1, 'at', 1)
  redis.call('HINCRBY', scratch, 'removed', 1)
  redis.call('HMGET', scratch, 'pushed', 'at', 'closed')
  redis.call('HSCAN', scratch, 0, 'COUNT', 1)
  redis.call('HDEL', scratch, 'removed')
  redis.call('PEXPIREAT', scratch, 1)
  redis.call('LPUSH', scratch, 'a')
  redis.call('LRANGE', scratch, 0, 0)
  redis.call('LSET', scratch, 0, 'b')
  redis.call('LREM', scratch, 0, 'b')
  local id = redis.call('XADD', scratch, '*', 'id', 'a')
  redis.call('XRANGE', scratch, '-', '+', 'COUNT', 1)
  redis.call('XINFO', 'GROUPS', scratch)
  redis.call('XACK', scratch, 'nobody', id)
  redis.call('XDEL', scratch, id)
  redis.call('PEXPIREAT', scratch, 1)
  redis.call('ZRANGE', scratch, 0, 0)
  redis.call('ZREM', scratch, 'a')
  redis.call('SSCAN', scratch, 0, 'COUNT', 1)
  redis.call('SREM', scratch, 'a')
  -- on the queue itself: takes out a job that is not there
  redis.call('TYPE', queue)
  if kind == 'Stream' then
    redis.call('XRANGE', queue, '0-0', '0-0')
    redis.call('XDEL', queue, '0-0')
  else
    redis.call('LRANGE', queue, 0, 0)
    redis.call('LREM', queue, 1, nobody)
  end
end
local done, problem = pcall(all)
pcall(redis.call, 'PEXPIREAT', scratch, 1)
pcall(redis.call, 'HDEL', scratch, 'closed')
if done then return 'OK' end
return {err = type(problem) == 'table' and problem['err'] or tostring(problem)}
"""
"""KEYS: a key of our own, the queue. ARGV: kind, a job that nobody has, when our key ends if it is left (ms)."""

_HELP: Final = {
    "NOAUTH": "it asks for a password, and a drill has none: name a Redis that needs none",
    "WRONGPASS": "it asks for a password, and a drill has none: name a Redis that needs none",
    "DENIED": "it is in protected mode and serves its own host alone: name another one",
    "READONLY": "it is a read-only replica: name the Service of the master",
    "CROSSSLOT": "it is a Redis Cluster, in which queue and mark are apart: name a Redis that is none",
    "MOVED": "it is a Redis Cluster, in which the queue is elsewhere: name a Redis that is none",
    "OOM": "its memory is used up already (maxmemory): free some first",
    "MISCONF": "it takes no writes, because it can't save to its disk: mend that first",
    "NOREPLICAS": "it takes no writes, because too few replicas are in reach: mend that first",
}
_RIGHTS: Final = (
    "the default user must be allowed scripts (EVAL) and all commands on lists, streams, hashes, sets and sorted"
    " sets, on the queue's keys and on kubedrill:*"
)


async def refusal_of(redis: Wire, operation: Enqueue, mark: str, now: datetime) -> Refusal | None:
    """Why jobs can't be pushed to a queue or not be taken out again; None when they can.

    Raises:
        RedisRefuses, Unanswered: it does not answer as it does usually; `refused` has words for it.
    """
    return (
        await _of_the_server(redis, operation, now)
        or await _of_the_keys(redis, operation)
        or await _of_the_commands(redis, operation, mark, now)
    )


def refused(operation: Enqueue, refusal: RedisRefuses) -> Refusal:
    """The words for what Redis refuses; of what passes by itself, that it is unreachable."""
    where = f"Redis at {operation.host}:{operation.port}"
    if refusal.passing:
        return Refusal("QueueUnreachable", f"{where} does not answer now: {refusal}")
    return Refusal("QueueRefuses", f"{where}: {_HELP.get(refusal.code, _RIGHTS)} ({refusal})")


async def _of_the_server(redis: Wire, operation: Enqueue, now: datetime) -> Refusal | None:
    there = _at(await redis.call("TIME"))
    if abs(there - now.timestamp()) > CLOCKS_DIFFER.total_seconds():
        return Refusal(
            "QueueClockIsOff",
            f"the clock of Redis at {operation.host}:{operation.port} is {there - now.timestamp():+.0f} s from the"
            " cluster's, and by it the drill ends: set it right",
        )
    try:
        said = await redis.call("INFO", "everything")
    except RedisRefuses:
        return None  # it may be forbidden; what matters shows when it is tried
    if not isinstance(said, str):
        raise RedisSilent(f"{said!r:.80} is not an answer to INFO")
    if _value(said, "cluster_enabled") == "1":
        return Refusal("QueueRefuses", f"Redis at {operation.host}:{operation.port}: {_HELP['CROSSSLOT']}")
    return _of_the_room(said, operation)


def _of_the_room(said: str, operation: Enqueue) -> Refusal | None:
    """A full Redis that makes room by throwing out keys would throw out the app's, and no undo brings those back."""
    most, used = (int(_value(said, name, r"\d{1,18}") or 0) for name in ("maxmemory", "used_memory"))
    text = sum(len(name) + len(value) + 8 for name, value in operation.job.items()) + len(operation.prefix) + 24
    wanted = operation.count * (text + _A_JOB_TAKES)
    if not most or _value(said, "maxmemory_policy") == "noeviction" or used + wanted <= most:
        return None
    return Refusal(
        "QueueWouldEvict",
        f"{operation.count} fake jobs take up to {wanted >> 20} MiB, and Redis at {operation.host}:{operation.port}"
        f" has {max(0, most - used) >> 20} MiB left of its maxmemory, beyond which it throws out other keys"
        f" ({_value(said, 'maxmemory_policy')}): lower count, or set its policy to noeviction",
    )


async def _of_the_keys(redis: Wire, operation: Enqueue) -> Refusal | None:
    found = _type(await redis.call("TYPE", operation.key))
    if found not in ("none", KINDS[operation.kind]):
        return Refusal(
            "QueueIsOfAnotherKind",
            f"{operation.key} is a {found} in Redis, not a {KINDS[operation.kind]}: correct kind or key",
        )
    for name in filter(is_named, operation.in_flight):
        found = _type(await redis.call("TYPE", name))
        if found not in TYPES | {"none"}:
            return Refusal(
                "InFlightIsOfAnotherKind",
                f"{name} is a {found} in Redis, in which no fake job can be found again: name lists, streams, sorted"
                " sets, hashes or sets in inFlight",
            )
    scanned(await redis.call("SCAN", "0", "COUNT", 1))
    return None


async def _of_the_commands(redis: Wire, operation: Enqueue, mark: str, now: datetime) -> Refusal | None:
    nobody, ends = f"{operation.prefix}probe", int(now.timestamp() * 1000) + 60_000
    said = await redis.call("EVAL", PROBE, 2, f"{mark}:probe", operation.key, operation.kind, nobody, ends)
    if said != "OK":
        raise RedisSilent(f"{said!r:.80} is not an answer to a script")
    return None


def _at(answer: Reply) -> float:
    match answer:
        case [str(seconds), str(micros)] if (seconds + micros).isdecimal() and len(seconds + micros) < 20:
            return int(seconds) + int(micros) / 1e6
    raise RedisSilent(f"{answer!r:.80} is not an answer to TIME")


def _type(answer: Reply) -> str:
    match answer:
        case str(kind) if re.fullmatch(r"[\w-]{1,40}", kind, re.ASCII):
            return kind
    raise RedisSilent(f"{answer!r:.80} is not an answer to TYPE")


def _value(said: str, name: str, form: str = r"[\w-]{1,40}") -> str:
    """A value of INFO; empty where there is none of that form."""
    found = re.search(rf"^{name}:({form})\r?$", said, re.MULTILINE | re.ASCII)
    return found[1] if found else ""
