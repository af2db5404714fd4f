"""What the proxy itself does to a request, by the words of the plans. A response ends the request, None does not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiohttp import web
from tests.faultmatrix.answers import cut, parsed, replied, truncated
from tests.faultmatrix.refusals import Refused, refusal

if TYPE_CHECKING:
    from tests.faultmatrix.proxy import Proxy


@dataclass(frozen=True, slots=True)
class Struck:
    """A request that an action is done to. `raw` is what there is by then: the request's body, or the answer's."""

    proxy: Proxy
    incoming: web.Request
    raw: bytes
    argument: str


async def reply(struck: Struck) -> web.StreamResponse:
    """An answer that the API server did not give: `reply 429 30` with the seconds of Retry-After."""
    return replied(struck.argument)


async def refuse(struck: Struck) -> web.StreamResponse:
    """Somebody refuses the write, in the API server's own words: `refuse policy-422`, as `refusals.KINDS` has them."""
    said = refusal(struck.argument, Refused.at(struck.incoming.path, parsed(struck.raw)))
    return web.json_response(said, status=said["code"])


async def reset(struck: Struck) -> web.StreamResponse:
    """The connection is cut."""
    return cut(struck.incoming)


async def truncate(struck: Struck) -> web.StreamResponse:
    """The connection is cut in the middle of the answer."""
    return await truncated(struck.incoming, struck.raw)


async def pretend(struck: Struck) -> web.StreamResponse:
    """Says that it is done, with the object as it is: nothing was done."""
    status, body = await struck.proxy.looked_up(struck.incoming, struck.incoming.raw_path)
    return web.Response(status=status, body=body, content_type="application/json")


async def delay(struck: Struck) -> None:
    """It takes so many seconds longer."""
    await asyncio.sleep(float(struck.argument))


async def twice(struck: Struck) -> None:
    """It arrives once more, at once."""
    await struck.proxy.forward(struck.incoming, await struck.incoming.read())


async def late(struck: Struck) -> None:
    """It arrives once more after so many seconds: a packet that took the long way."""
    raw = await struck.incoming.read()

    async def again() -> None:
        await asyncio.sleep(float(struck.argument))
        await struck.proxy.forward(struck.incoming, raw)

    struck.proxy.later(again())


async def stale(struck: Struck) -> None:
    """This read gives for so many seconds what it gives now."""
    await struck.proxy.remember(struck.incoming, struck.incoming.raw_path, float(struck.argument))


async def stale_all(struck: Struck) -> None:
    """The same for all reads of a kind that were made so far: `stale-all get-target 2`."""
    kind, _, seconds = struck.argument.partition(" ")
    paths = {t.raw_path for t in struck.proxy.trace if t.request.kind == kind}
    await asyncio.gather(*(struck.proxy.remember(struck.incoming, path, float(seconds)) for path in paths))


async def hold_watches(struck: Struck) -> None:
    """No event comes for so many seconds; then all of them."""
    struck.proxy.upset("hold-watches", float(struck.argument))


async def drop_events(struck: Struck) -> None:
    """The events of so many seconds never come."""
    struck.proxy.upset("drop-events", float(struck.argument))


async def cut_watches(struck: Struck) -> None:
    """Every watch ends."""
    struck.proxy.upset("cut-watches", 0)


ACTIONS: Final[Mapping[str, Callable[[Struck], Awaitable[web.StreamResponse | None]]]] = {
    action.__name__.replace("_", "-"): action
    for action in (
        reply,
        refuse,
        reset,
        truncate,
        pretend,
        delay,
        twice,
        late,
        stale,
        stale_all,
        hold_watches,
        drop_events,
        cut_watches,
    )
}
"""By the words that the plans have for them."""
