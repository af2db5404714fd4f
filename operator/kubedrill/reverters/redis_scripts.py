"""What is done inside Redis in one atomic step each (Redis ≥ 5).

One hash per drill and fault, the *mark*, holds how far the push has come: `pushed` (the high-water mark),
`at` (Redis time, in milliseconds, up to which the rate is used up), `closed` and `seen` (times of the undo
and of the last fake job that it saw) and `removed`. Whoever calls and how often makes no difference: ids
follow from the mark, and the rate from Redis' own clock.
"""

from __future__ import annotations

from typing import Final

_NOW: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

# The id decides, never the text of the job: a real job may quote a fake one's id.
_OURS: Final = """
local function ours(id)
  return type(id) == 'string' and string.sub(id, 1, #prefix) == prefix
    and string.find(id, '^%d+$', #prefix + 1) ~= nil
end
"""

PUSH: Final = (
    _NOW
    + """
local mark, queue = KEYS[1], KEYS[2]
local kind, prefix, rest = ARGV[1], ARGV[2], ARGV[3]
local count, rate, ends, keep = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local stored = redis.call('HMGET', mark, 'pushed', 'at', 'closed')
local pushed, at = tonumber(stored[1] or 0), tonumber(stored[2] or 0)
if stored[3] then return {'closed', pushed} end
if now >= ends then return {'late', pushed} end
if not stored[1] then
  if ARGV[8] ~= 'open' then return {'lost', 0} end
  at = now - math.ceil(1000 / rate)
end
at = math.max(at, now - 2000)
local due = math.min(math.floor((now - at) * rate / 1000), count - pushed)
for n = pushed + 1, pushed + due do
  if kind == 'Stream' then
    redis.call('XADD', queue, '*', 'id', prefix .. n, unpack(ARGV, 9))
  else
    redis.call('LPUSH', queue, '{"id":"' .. prefix .. n .. '"' .. rest .. '}')
  end
end
redis.call('HSET', mark, 'pushed', pushed + due, 'at', at + due * 1000 / rate)
redis.call('PEXPIREAT', mark, ends + keep)
return {'open', pushed + due}
"""
)
"""KEYS: mark, queue. ARGV: kind, prefix, rest of the job's JSON, count, rate, end of pushing (ms), how long
the mark is kept after it (ms), `open` if it may begin, then the stream entry's further fields.

Gives the state and how many were pushed in all. After a pause two seconds' worth is caught up at the most.
"""

CLOSE: Final = (
    _NOW
    + """
local ends, keep = tonumber(ARGV[1]), tonumber(ARGV[2])
if redis.call('HSETNX', KEYS[1], 'closed', now) == 1 then redis.call('HSET', KEYS[1], 'seen', now) end
redis.call('PEXPIREAT', KEYS[1], math.max(now, ends) + keep)
return 1
"""
)
"""KEYS: mark. Nothing is pushed from here on, by whomever, not even if it was never begun."""

SWEEP_LIST: Final = (
    _NOW
    + """
local mark, list, prefix, start = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2])
"""
    + _OURS
    + """
local jobs = redis.call('LRANGE', list, start, start + tonumber(ARGV[3]) - 1)
local gone, found = '\\0gone\\0' .. prefix, 0
for i, job in ipairs(jobs) do
  if string.find(job, prefix, 1, true) then
    local read, value = pcall(cjson.decode, job)
    if read and type(value) == 'table' and ours(value['id']) then
      redis.call('LSET', list, start + i - 1, gone)
      found = found + 1
    end
  end
end
if found > 0 then
  redis.call('LREM', list, 0, gone)
  redis.call('HINCRBY', mark, 'removed', found)
  redis.call('HSET', mark, 'seen', now)
end
return {#jobs, found}
"""
)
"""KEYS: mark, list. ARGV: prefix, first index, how many.

Removes the fake jobs of this stretch; gives how many jobs were looked at and removed. Marking them first
makes one pass of LREM enough for a whole stretch.
"""

SWEEP_STREAM: Final = (
    _NOW
    + """
local mark, stream, prefix = KEYS[1], KEYS[2], ARGV[1]
"""
    + _OURS
    + """
local entries, found = redis.call('XRANGE', stream, ARGV[2], '+', 'COUNT', ARGV[3]), {}
local last = ''
for _, entry in ipairs(entries) do
  last = entry[1]
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 'id' and ours(entry[2][i + 1]) then found[#found + 1] = entry[1] end
  end
end
if #found > 0 then
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    redis.call('XACK', stream, group[2], unpack(found))
  end
  redis.call('XDEL', stream, unpack(found))
  redis.call('HINCRBY', mark, 'removed', #found)
  redis.call('HSET', mark, 'seen', now)
end
return {#entries, #found, last}
"""
)
"""KEYS: mark, stream. ARGV: prefix, first id, how many.

Acknowledges and deletes the fake entries of this stretch; gives how many were looked at and removed, and the
last id.
"""

SETTLE: Final = (
    _NOW
    + """
local stored = redis.call('HMGET', KEYS[1], 'seen', 'removed')
local quiet = now - tonumber(stored[1] or now)
if quiet > tonumber(ARGV[2]) then
  redis.call('PEXPIREAT', KEYS[1], math.max(now + 60000, tonumber(ARGV[1])))
end
return {quiet, tonumber(stored[2] or 0)}
"""
)
"""KEYS: mark. ARGV: end of pushing (ms), redelivery (ms).

Gives for how long (ms) no fake job was seen, and how many were removed. Once that is long enough the mark is
left to expire at the end of pushing (in a minute at the earliest): until then it is what stops a late push.
"""
