"""Several questions at once, of which none is left behind: when one fails, the others are ended before it is told.

`asyncio.gather` lets them go on. Then a turn that has failed reads on beside the next one, and what it reads last, by
then old, is taken for the newest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar, overload

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")


@overload
async def together(one: Awaitable[A], two: Awaitable[B], /) -> tuple[A, B]: ...


@overload
async def together(one: Awaitable[A], two: Awaitable[B], three: Awaitable[C], /) -> tuple[A, B, C]: ...


@overload
async def together(
    one: Awaitable[A], two: Awaitable[B], three: Awaitable[C], four: Awaitable[D], /
) -> tuple[A, B, C, D]: ...


@overload
async def together(*asked: Awaitable[A]) -> tuple[A, ...]: ...


async def together(*asked: Awaitable[Any]) -> tuple[Any, ...]:
    """What they give, in their order. Of several failures the first one is raised."""
    tasks = [asyncio.ensure_future(one) for one in asked]
    try:
        return tuple(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
