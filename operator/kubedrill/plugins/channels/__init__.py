"""The registry of channels to people: one module a channel, found by itself.

To add a channel: a module here with `CHANNEL: Final = ChannelKind(…)`. Its name in camelCase is the channel's name.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from pydantic.alias_generators import to_camel

from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.core.rights import Right
from kubedrill.plugins.channels.base import ChannelKind, Outbound, SpokenObjects

# Modules of this package that are no channel.
_SHARED = frozenset({"base"})


class DefectiveChannelError(Exception):
    """A module of this package is no valid channel."""


@cache
def discover() -> Mapping[str, ChannelKind]:
    """Every channel by its name.

    Raises:
        DefectiveChannelError: a module has no `CHANNEL`, or one of another name.
    """
    found: dict[str, ChannelKind] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
        if module.name in _SHARED:
            continue
        channel = getattr(importlib.import_module(f"{__name__}.{module.name}"), "CHANNEL", None)
        if not isinstance(channel, ChannelKind):
            raise DefectiveChannelError(f"channels/{module.name}.py has no CHANNEL: ChannelKind")
        if channel.name != to_camel(module.name):
            raise DefectiveChannelError(
                f"channels/{module.name}.py is the channel {channel.name}: name it after its module"
            )
        found[channel.name] = channel
    return MappingProxyType(found)


def spoken() -> tuple[SpokenObjects, ...]:
    """The objects by which people speak."""
    return tuple(channel.objects for channel in discover().values() if channel.objects)


def rights_for(drill_plan: DrillPlan) -> tuple[Right, ...]:
    """What the operator must be allowed in the target namespace to hear people and to tell them what is told."""
    kinds = {inject.channel for inject in drill_plan.injects}
    needed = [one.rights for one in spoken()]
    needed += [one.rights for kind in sorted(kinds) for one in carriers(kind).values()]
    return tuple(dict.fromkeys(right for rights in needed for right in rights))


def carriers(kind: str) -> dict[str, Outbound]:
    """What tells people a message of this kind, by the channel's name."""
    outbound = {channel.name: channel.outbound for channel in discover().values() if channel.outbound}
    return {name: one for name, one in outbound.items() if kind in one.carries}
