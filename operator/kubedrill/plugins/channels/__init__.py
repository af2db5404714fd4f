"""The registry of channels to people: one module a channel, found by itself.

To add a channel: a module here with `CHANNEL: Final = ChannelKind(…)`. Its name in camelCase is the channel's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from pydantic.alias_generators import to_camel

from kubedrill.core.machine.state import CheckResult
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.core.rights import Right
from kubedrill.plugins.channels.base import Asking, ChannelKind, Outbound, SpokenObjects
from kubedrill.plugins.registry import members

# Modules of this package that are no channel.
_SHARED = frozenset({"base"})


@cache
def discover() -> Mapping[str, ChannelKind]:
    """Every channel by its name.

    Raises:
        DefectiveMemberError: a module has no `CHANNEL`, or one of another name.
    """
    return members(
        __name__,
        __path__,
        "CHANNEL",
        ChannelKind,
        noun="channel",
        name=lambda channel: channel.name,
        named_after=to_camel,
        shared=_SHARED,
    )


def spoken() -> tuple[SpokenObjects, ...]:
    """The objects by which people speak."""
    return tuple(channel.objects for channel in discover().values() if channel.objects)


def rights_for(drill_plan: DrillPlan) -> tuple[Right, ...]:
    """What the operator must be allowed in the target namespace to hear people and to tell them what is told."""
    kinds = {inject.channel for inject in drill_plan.injects}
    needed = [one.rights for one in spoken()]
    needed += [one.rights for kind in sorted(kinds) for one in carriers(kind).values()]
    return tuple(dict.fromkeys(right for rights in needed for right in rights))


async def looked_at(ask: Asking, drill_plan: DrillPlan) -> tuple[CheckResult, ...]:
    """What each channel looks at before a drill, and what to do where that is not as it should be."""
    found = []
    for channel in discover().values():
        if channel.doctor is not None:
            check = await channel.doctor.look(ask, drill_plan)
            fix = f"{check.message}: {channel.doctor.fix}" if check.ok is False else check.message
            found.append(replace(check, message=fix))
    return tuple(found)


def carriers(kind: str) -> dict[str, Outbound]:
    """What tells people a message of this kind, by the channel's name."""
    outbound = {channel.name: channel.outbound for channel in discover().values() if channel.outbound}
    return {name: one for name, one in outbound.items() if kind in one.carries}
