"""The environments and rosters that stand beside the drills: read, never written. They are people's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import ValidationError

from kubedrill.api.base import in_words
from kubedrill.api.drill import DrillSpec
from kubedrill.api.environment import DrillEnvironment
from kubedrill.api.roster import DrillRoster
from kubedrill.api.stored import understood
from kubedrill.core.plan.setting import DrillSetting, resolve
from kubedrill.core.undo.operations import Refusal
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.kube.paths import ENVIRONMENTS, ROSTERS, Namespaced
from kubedrill.kube.together import together

B = TypeVar("B", bound=DrillEnvironment | DrillRoster)


async def setting_beside(
    kube: Kube, namespace: str, spec: DrillSpec, *given: DrillEnvironment | DrillRoster
) -> DrillSetting | Refusal:
    """The setting of a drill among all environments and rosters of its namespace; or what is wrong with them.

    Those that are `given` are not stored yet: each stands for the stored one of its name.

    Raises:
        Unreachable: they could not be read.
    """
    found = await together(_items(kube, ENVIRONMENTS, namespace), _items(kube, ROSTERS, namespace))
    environments, rosters = _read(DrillEnvironment, found[0]), _read(DrillRoster, found[1])
    if isinstance(environments, Refusal):
        return environments
    if isinstance(rosters, Refusal):
        return rosters
    return resolve(spec, _with(DrillEnvironment, environments, given), _with(DrillRoster, rosters, given))


async def _items(kube: Kube, kind: Namespaced, namespace: str) -> list[Any]:
    """Those of a kind that there are: none where it is not installed yet."""
    answer = await kube.get(kind.of(namespace))
    if answer.status == 404:
        return []
    if not answer.ok:
        raise Unreachable(f"{kind.plural} of {namespace} can't be read: {answer.status} {answer.message}")
    return list(answer.body.get("items") or ())


def _with(model: type[B], stored: tuple[B, ...], given: Iterable[DrillEnvironment | DrillRoster]) -> tuple[B, ...]:
    """The stored ones, and those that are given in their place."""
    instead = {one.metadata.name: one for one in given if isinstance(one, model)}
    return (*(one for one in stored if one.metadata.name not in instead), *instead.values())


def _read(model: type[B], items: list[Any]) -> tuple[B, ...] | Refusal:
    found = []
    for item in items:
        try:
            found.append(understood(model, item))
        except ValidationError as error:
            first = error.errors()[0]
            where, name = ".".join(str(part) for part in first["loc"]), (item.get("metadata") or {}).get("name")
            return Refusal(f"{model.__name__[5:]}Invalid", f"{model.__name__} {name}: {where}: {in_words(first)}")
    return tuple(found)
