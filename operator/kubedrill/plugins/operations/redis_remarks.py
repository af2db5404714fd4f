"""What is odd about a queue that can be loaded all the same: a typing error in its key makes one that nobody reads.

An empty queue has no key in Redis, so a key that is not there is no reason to refuse; which others are there, helps.
"""

from __future__ import annotations

from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Final

from kubedrill.core.undo.operations import Enqueue
from kubedrill.kube.answers import quoted
from kubedrill.plugins.operations.redis_probe import KINDS
from kubedrill.plugins.operations.resp import RedisSilent, Wire

MOST_KEYS: Final = 2_000
"""Keys that are looked at. Redis goes through so many in a few milliseconds."""
MOST_TOLD: Final = 5
MOST_FOUND: Final = 200

LOOK: Final = """
local wanted, cursor, left, found = ARGV[1], '0', tonumber(ARGV[2]), {}
repeat
  local page = redis.call('SCAN', cursor, 'COUNT', 250)
  cursor, left = page[1], left - math.max(1, #page[2])
  for _, key in ipairs(page[2]) do
    if #found < tonumber(ARGV[3]) and redis.call('TYPE', key)['ok'] == wanted then found[#found + 1] = key end
  end
until cursor == '0' or left <= 0
return found
"""
"""ARGV: a type, how many keys to look at, how many to find. It gives keys of that type."""


async def remarks_on(redis: Wire, operation: Enqueue) -> tuple[str, ...]:
    """That a queue's key is not there, and which of its kind are.

    Raises:
        RedisRefuses, Unanswered: that can't be told.
    """
    kind = KINDS[operation.kind]
    if await redis.call("TYPE", operation.key) != "none":
        return ()
    match await redis.call("EVAL", LOOK, 0, kind, MOST_KEYS, MOST_FOUND):
        case list(found):
            keys = sorted(key for key in found if isinstance(key, str) and not _is_in_flight(key, operation))
        case answer:
            raise RedisSilent(f"{answer!r:.80} is not an answer to a script")
    missing = f"there is no {kind} {operation.key} in Redis now: it is empty, or the key is another one"
    others = ", ".join(quoted(key) for key in _likest(operation.key, keys))
    return (f"{missing}. {'Streams' if kind == 'stream' else 'Lists'} that are there: {others}" if keys else missing,)


def _is_in_flight(key: str, operation: Enqueue) -> bool:
    return any(fnmatchcase(key, pattern) for pattern in operation.in_flight)


def _likest(key: str, others: list[str]) -> list[str]:
    """The ones that look most like it first; a few."""
    alike = get_close_matches(key, others, n=MOST_TOLD, cutoff=0.5)
    return [*alike, *(other for other in others if other not in alike)][:MOST_TOLD]
