"""Running a script in Redis; for the undo also while Redis takes no writes because it can't save to its disk."""

from __future__ import annotations

from typing import Final

from kubedrill.plugins.operations.resp import Command, RedisRefuses, Reply, Wire

_LET: Final[Command] = ("CONFIG", "SET", "stop-writes-on-bgsave-error", "no")
_STOP: Final[Command] = ("CONFIG", "SET", "stop-writes-on-bgsave-error", "yes")


async def run(redis: Wire, script: str, keys: list[str], *arguments: str | int) -> Reply:
    """The answer of a script, run whatever the disk is like.

    While the last snapshot failed, Redis refuses every write (`stop-writes-on-bgsave-error`), and what fills the
    disk may be the fake jobs themselves. So the script is run between two settings of that switch, in one
    transaction: no other client's command comes in between, and it is never left off.

    Raises:
        RedisRefuses: it is refused; where the switch may not be set, with the words about the disk.
        Unanswered: whether it was run is not known.
    """
    command: Command = ("EVAL", script, len(keys), *keys, *arguments)
    try:
        return await redis.call(*command)
    except RedisRefuses as refusal:
        # of an append-only file the same word is said, and no switch lets writes through
        if refusal.code != "MISCONF" or "RDB" not in str(refusal):
            raise
        answer = await _between_switches(redis, command)
        if answer is None or isinstance(answer, RedisRefuses):
            raise RedisRefuses(str(answer or refusal)) from None
        return answer


async def _between_switches(redis: Wire, command: Command) -> Reply:
    """The command's answer; None when the switch may not be set."""
    *_, done = await redis.calls(("MULTI",), _LET, command, _STOP, ("EXEC",))
    if isinstance(done, list) and len(done) == 3:  # the three that were queued
        return done[1]
    # With memory used up, too, nothing can be queued for a transaction. What is sent in one piece Redis does in
    # one go as well.
    let, answer, _ = await redis.calls(_LET, command, _STOP)
    return None if isinstance(let, RedisRefuses) else answer
