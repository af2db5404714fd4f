"""The queue in Redis: where a job is at each instant, and the atomic moves between those places.

A job waits in the list ``jobs``, or is in the hands of one worker, in the list ``inflight:<pod>``. It leaves
that list only when it is done. So a worker that is killed takes no job with it: what it held goes back to
``jobs`` when its container starts again, or when the reaper finds that its pod is gone.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any, Final, Self, cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

JOBS: Final = "jobs"
IN_FLIGHT: Final = "inflight:"
SEEN: Final = "workers:seen"
STARTS: Final = "workers:starts"
PRODUCED: Final = "produced"
PROCESSED: Final = "processed"

GONE_AFTER_SECONDS: Final = 10
"""A worker that sent no heartbeat for so long is gone; it sends one every second."""
FORGOTTEN_AFTER_SECONDS: Final = 600
"""Longer than the longest crash back-off (300 s): the start counter of a crashing pod must go on counting."""

# Redis' own clock is the only one here: the pods' clocks need not agree.
_NOW: Final = "local t = redis.call('TIME'); local now = t[1] + t[2] / 1000000; "

_PRODUCE: Final = """
local n = redis.call('INCR', 'produced')
local form = '{"id":"job-%d","ticket":"INC-%06d","tenant":"acme","priority":%d}'
local job = string.format(form, n, n, 1 + n % 4)
redis.call('LPUSH', 'jobs', job)
return n
"""
_FINISH: Final = """
if redis.call('LREM', KEYS[1], 1, ARGV[1]) == 0 then return 0 end
return redis.call('INCR', 'processed')
"""
_PUT_BACK: Final = """
local moved = 0
while redis.call('LMOVE', KEYS[1], 'jobs', 'LEFT', 'RIGHT') do moved = moved + 1 end
return moved
"""
_BEAT: Final = _NOW + "return redis.call('ZADD', 'workers:seen', now, ARGV[1])"
_REAP: Final = (
    _NOW
    + """
local moved = 0
for _, list in ipairs(redis.call('KEYS', 'inflight:*')) do
  local seen = redis.call('ZSCORE', 'workers:seen', string.sub(list, 10))
  if not seen or now - seen > tonumber(ARGV[1]) then
    while redis.call('LMOVE', list, 'jobs', 'LEFT', 'RIGHT') do moved = moved + 1 end
  end
end
for _, pod in ipairs(redis.call('ZRANGEBYSCORE', 'workers:seen', '-inf', now - ARGV[2])) do
  redis.call('ZREM', 'workers:seen', pod)
  redis.call('HDEL', 'workers:starts', pod)
end
return moved
"""
)
_COUNT: Final = (
    _NOW
    + """
local held, busy = 0, 0
for _, list in ipairs(redis.call('KEYS', 'inflight:*')) do
  held = held + redis.call('LLEN', list)
  busy = busy + 1
end
local alive = redis.call('ZCOUNT', 'workers:seen', now - ARGV[1], '+inf')
return {redis.call('LLEN', 'jobs'), held, tonumber(redis.call('GET', 'produced') or 0),
  tonumber(redis.call('GET', 'processed') or 0), alive, busy, redis.call('HGETALL', 'workers:starts')}
"""
)


@dataclass(frozen=True)
class Counts:
    """All figures of one instant: ``produced - processed - queued - in_flight`` jobs are lost."""

    queued: int
    in_flight: int
    produced: int
    processed: int
    workers_alive: int
    workers_busy: int
    starts: dict[str, int]
    """Container starts by pod."""


class Backlog:
    """The queue, as producer, workers, reaper and exporter use it.

    Every method but :meth:`wait` raises ``redis.RedisError`` when Redis can't be reached.
    """

    def __init__(self) -> None:
        # No silent retry: a move that is sent twice because its reply got lost would take two jobs.
        self._redis = redis.Redis.from_url(
            os.environ.get("REDIS_URL", "redis://redis:6379"),
            decode_responses=True,
            socket_timeout=5,
            socket_connect_timeout=2,
            retry=Retry(NoBackoff(), 0),
        )
        self._scripts: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._redis.close()

    def wait(self) -> None:
        """Return once Redis answers: parts of the application start in any order."""
        while True:
            try:
                self._redis.ping()
            except redis.RedisError:
                time.sleep(0.2)
            else:
                return

    def produce(self) -> int:
        """Add the next job; its number."""
        return int(self._run(_PRODUCE))

    def take(self, pod: str, patience_seconds: int) -> str | None:
        """Move the oldest job into the hands of ``pod``; nothing if none came within the patience."""
        job = self._redis.blmove(JOBS, IN_FLIGHT + pod, patience_seconds, "RIGHT", "LEFT")
        return cast("str | None", job)

    def finish(self, pod: str, job: str) -> bool:
        """Count a job as processed, unless it was taken from the worker's hands meanwhile."""
        return bool(self._run(_FINISH, IN_FLIGHT + pod, job))

    def put_back(self, pod: str) -> int:
        """Give back what ``pod`` held when it died, to be taken next; how many jobs."""
        return int(self._run(_PUT_BACK, IN_FLIGHT + pod))

    def note_start(self, pod: str) -> None:
        """Count a container start, outside the container: it survives what ends the container."""
        self.beat(pod)
        self._redis.hincrby(STARTS, pod, 1)

    def beat(self, pod: str) -> None:
        """Say that ``pod`` lives."""
        self._run(_BEAT, None, pod)

    def reap(self) -> int:
        """Put back the jobs of workers that are gone, and forget those gone for long; how many jobs."""
        return int(self._run(_REAP, None, GONE_AFTER_SECONDS, FORGOTTEN_AFTER_SECONDS))

    def count(self) -> Counts:
        """All figures, of one instant."""
        queued, held, produced, processed, alive, busy, starts = self._run(_COUNT, None, GONE_AFTER_SECONDS)
        by_pod = dict(zip(starts[::2], map(int, starts[1::2]), strict=True))
        return Counts(queued, held, produced, processed, alive, busy, by_pod)

    def _run(self, script: str, key: str | None = None, *arguments: str | int) -> Any:
        runner = self._scripts.setdefault(script, self._redis.register_script(script))
        return runner(keys=[key] if key else [], args=arguments)
