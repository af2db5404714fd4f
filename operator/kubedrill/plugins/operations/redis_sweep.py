"""Finding and removing fake jobs wherever an app keeps its jobs in Redis (5 to 7).

Waiting in lists and streams, taken in lists, a stream's pending entries, hashes and sets, put off or to be tried
again in sorted sets. Each stretch of a key is one atomic step, whatever the key's type.
"""

from __future__ import annotations

from typing import Final

from kubedrill.core.undo.operations import Enqueue
from kubedrill.plugins.operations.redis_scripts import NOW
from kubedrill.plugins.operations.resp import RedisSilent, Wire
from kubedrill.plugins.operations.writing import run

TYPES: Final = frozenset({"list", "stream", "zset", "hash", "set"})
"""What can be swept, in Redis' words."""
STRETCH: Final = 1000
"""Jobs that one atomic step looks at: a few milliseconds of Redis' time."""
_KEYS: Final = 250

SWEEP: Final = (
    NOW
    + """
local mark, key = KEYS[1], KEYS[2]
local prefix, at, count = ARGV[1], ARGV[2], tonumber(ARGV[3])
local kind, found, onward = redis.call('TYPE', key)['ok'], 0, ''

-- The id decides, never the text of the job: a real job may quote a fake one's id.
local function ours(id)
  return type(id) == 'string' and string.sub(id, 1, #prefix) == prefix
    and string.find(id, '^%d+$', #prefix + 1) ~= nil
end

local function fake(job)
  if not string.find(job, prefix, 1, true) then return false end
  local read, value = pcall(cjson.decode, job)
  return read and type(value) == 'table' and ours(value['id'])
end

if kind == 'list' then
  local from, gone = tonumber(at) or 0, '\\0gone\\0' .. prefix
  local jobs = redis.call('LRANGE', key, from, from + count - 1)
  for i, job in ipairs(jobs) do
    if fake(job) then
      -- the first write of a script of the undo takes no memory, and LSET may
      if found == 0 then redis.call('PEXPIREAT', mark, math.max(now, tonumber(ARGV[4])) + tonumber(ARGV[5])) end
      redis.call('LSET', key, from + i - 1, gone)
      found = found + 1
    end
  end
  -- marked first, so that one pass of LREM is enough for a whole stretch
  if found > 0 then redis.call('LREM', key, found, gone) end
  if #jobs == count then onward = string.format('%.0f', from + #jobs - found) end
elseif kind == 'zset' then
  local from = tonumber(at) or 0
  local jobs = redis.call('ZRANGE', key, from, from + count - 1)
  for _, job in ipairs(jobs) do
    if fake(job) then found = found + redis.call('ZREM', key, job) end
  end
  if #jobs == count then onward = string.format('%.0f', from + #jobs - found) end
elseif kind == 'set' or kind == 'hash' then
  local step = kind == 'hash' and 2 or 1
  local page = redis.call(kind == 'hash' and 'HSCAN' or 'SSCAN', key, tonumber(at) and at or '0', 'COUNT', count)
  for i = 1, #page[2], step do
    local name = page[2][i]
    if kind == 'set' and fake(name) then
      found = found + redis.call('SREM', key, name)
    elseif kind == 'hash' and (ours(name) or fake(page[2][i + 1])) then
      found = found + redis.call('HDEL', key, name)
    end
  end
  if page[1] ~= '0' then onward = page[1] end
elseif kind == 'stream' then
  local entries, fakes = redis.call('XRANGE', key, at == '' and '-' or at, '+', 'COUNT', count), {}
  for _, entry in ipairs(entries) do
    for i = 1, #entry[2], 2 do
      if entry[2][i] == 'id' and ours(entry[2][i + 1]) then fakes[#fakes + 1] = entry[1] end
    end
  end
  if #fakes > 0 then
    -- whichever consumer of whichever group has it
    for _, group in ipairs(redis.call('XINFO', 'GROUPS', key)) do
      redis.call('XACK', key, group[2], unpack(fakes))
    end
    found = redis.call('XDEL', key, unpack(fakes))
  end
  if #entries == count then
    local time, number = string.match(entries[#entries][1], '^(%d+)-(%d+)$')
    onward = time .. '-' .. string.format('%.0f', tonumber(number) + 1)
  end
end
if found > 0 then
  redis.call('HINCRBY', mark, 'removed', found)
  redis.call('HSET', mark, 'seen', now)
end
return {found, onward}
"""
)
"""KEYS: mark, any key. ARGV: prefix, where to begin (empty: at the start), how many, end of pushing (ms), how long the
mark is kept after it (ms).

Removes the fake jobs of this stretch; gives how many, and where the next one begins (empty: that was the last).
"""


def is_named(pattern: str) -> bool:
    """Whether a pattern is one key's name: it has none of the signs of a glob."""
    return not any(sign in pattern for sign in "*?[\\")


async def sweep(redis: Wire, operation: Enqueue, mark: str, ends: int, keep: int) -> None:
    """Remove every fake job of an operation from its queue and from all that matches its in-flight patterns.

    Raises:
        RedisRefuses, Unanswered: it is not done.
    """
    await _key(redis, operation, mark, operation.key, ends, keep)
    for pattern in operation.in_flight:
        if is_named(pattern):
            await _key(redis, operation, mark, pattern, ends, keep)
            continue
        at = "0"
        while True:
            at, keys = scanned(await redis.call("SCAN", at, "MATCH", pattern, "COUNT", _KEYS))
            for key in keys:
                await _key(redis, operation, mark, key, ends, keep)
            if at == "0":
                break


async def _key(redis: Wire, operation: Enqueue, mark: str, key: str, ends: int, keep: int) -> None:
    at = ""
    while True:
        answer = await run(redis, SWEEP, [mark, key], operation.prefix, at, STRETCH, ends, keep)
        match answer:
            case [int(), ""]:
                return
            case [int(), str(onward)] if onward != at:
                at = onward
            case _:
                raise RedisSilent(f"{answer!r:.80} is not an answer to a sweep of {key!r:.80}")


def scanned(answer: object) -> tuple[str, list[str]]:
    """The next cursor and the keys of a SCAN.

    Raises:
        Unanswered: it is no such answer.
    """
    match answer:
        case [str(at), list(keys)] if all(isinstance(key, str) for key in keys):
            return at, [str(key) for key in keys]
    raise RedisSilent(f"{answer!r:.80} is not an answer to SCAN")
