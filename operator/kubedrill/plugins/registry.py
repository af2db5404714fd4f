"""How a registry finds its members: each is one module of its package, and is called after its module."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType
from typing import TypeVar

Member = TypeVar("Member")


class DefectiveMemberError(Exception):
    """A module of a registry's package is no valid member of it."""


def members(
    package: str,
    paths: Iterable[str],
    attribute: str,
    kind: type[Member],
    *,
    noun: str,
    name: Callable[[Member], str],
    named_after: Callable[[str], str],
    shared: Collection[str],
) -> Mapping[str, Member]:
    """Every member by its name, in the order of the modules.

    A member is what a module holds under `attribute`; `shared` modules hold none. `name` is what a member is called,
    `named_after` what one of a module must be called; `noun` says in a complaint what it is.

    Raises:
        DefectiveMemberError: a module has no member, or one of another name.
    """
    folder = package.rpartition(".")[2]
    found: dict[str, Member] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(paths)):
        if module in shared:
            continue
        member = getattr(importlib.import_module(f"{package}.{module}"), attribute, None)
        if not isinstance(member, kind):
            raise DefectiveMemberError(f"{folder}/{module}.py has no {attribute}: {kind.__name__}")
        if name(member) != named_after(module):
            raise DefectiveMemberError(f"{folder}/{module}.py is the {noun} {name(member)}: name it after its module")
        found[name(member)] = member
    return MappingProxyType(found)
