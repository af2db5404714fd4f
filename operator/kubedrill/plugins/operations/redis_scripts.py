"""What is done inside Redis in one atomic step each (Redis 5 to 7): pushing, and the undo's beginning and end.

One hash per drill and fault, the *mark*, holds how far the push has come: `pushed` (the high-water mark),
`at` (Redis time, in milliseconds, up to which the rate is used up), `closed` and `seen` (times of the undo
and of the last fake job that it saw) and `removed`. Whoever calls and how often makes no difference: ids
follow from the mark, and the rate from Redis' own clock.

A full Redis (`maxmemory`, noeviction) refuses whatever may take memory, in a script only if that is its *first* write:
half a script can't be taken back. So the first write of every script of the undo is one that takes none.
"""

from __future__ import annotations

from typing import Final

NOW: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

PUSH: Final = (
    NOW
    + """
local mark, queue = KEYS[1], KEYS[2]
local kind, prefix, rest = ARGV[1], ARGV[2], ARGV[3]
local count, rate, ends, keep = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local begins = tonumber(ARGV[8])
local stored = redis.call('HMGET', mark, 'pushed', 'at', 'closed')
local pushed, at = tonumber(stored[1] or 0), tonumber(stored[2] or 0)
if stored[3] then return {'closed', pushed} end
if now >= ends then return {'late', pushed} end
if not stored[1] then
  if begins == 0 then return {'lost', 0} end
  if now >= begins then return {'stale', 0} end
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
the mark is kept after it (ms), until when it may begin (ms; 0: it has begun before), then the stream entry's
further fields.

Gives the state (open, closed, late, lost: the mark is gone, stale: too late to begin) and how many were pushed in
all. After a pause two seconds' worth is caught up at the most.
"""

CLOSE: Final = (
    NOW
    + """
local ends, keep = tonumber(ARGV[1]), tonumber(ARGV[2])
local until_then = math.max(now, ends) + keep
redis.call('PEXPIREAT', KEYS[1], until_then)
if redis.call('HSETNX', KEYS[1], 'closed', now) == 1 then redis.call('HSET', KEYS[1], 'seen', now) end
redis.call('PEXPIREAT', KEYS[1], until_then)
return 1
"""
)
"""KEYS: mark. ARGV: end of pushing (ms), how long the mark is kept after it (ms).

Nothing is pushed from here on, by whomever, not even if it was never begun. The first PEXPIREAT is the write that
takes no memory; the second is for a mark that was not there.
"""

SETTLE: Final = (
    NOW
    + """
local stored = redis.call('HMGET', KEYS[1], 'seen', 'removed', 'pushed')
local quiet = now - tonumber(stored[1] or now)
if quiet > tonumber(ARGV[2]) then
  redis.call('PEXPIREAT', KEYS[1], math.max(now + 60000, tonumber(ARGV[1])))
end
return {quiet, tonumber(stored[2] or 0), tonumber(stored[3] or -1)}
"""
)
"""KEYS: mark. ARGV: end of pushing (ms), redelivery (ms).

Gives for how long (ms) no fake job was seen, how many were removed, and how many had been pushed (-1: the mark does
not say: none, or it was lost with its count). Once that is long enough the mark is
left to expire at the end of pushing (in a minute at the earliest): until then it is what stops a late push.
"""
