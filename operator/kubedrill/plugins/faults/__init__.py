"""The registry of fault kinds: one module a kind, found by itself.

To add a kind: a module here with `FAULT: Final = FaultKind(…)`. Its name in camelCase is the kind's name. Importing
this package registers all kinds with the API, so scenarios may choose them and the CRDs have them.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from pydantic.alias_generators import to_camel

from kubedrill.api.faults import FaultChoice, register
from kubedrill.plugins.faults.base import FaultKind

# Modules of this package that are no kind.
_SHARED = frozenset({"base", "of_drill", "strategy", "workload"})


class DefectiveRegistryError(Exception):
    """A module of this package is no valid fault kind."""


@cache
def discover() -> Mapping[str, FaultKind[Any]]:
    """Every fault kind by the name that it has in the API: what breaks something first, then what is for people only.

    Raises:
        DefectiveRegistryError: a module has no `FAULT`, or one of another name.
    """
    kinds: list[FaultKind[Any]] = []
    for module in pkgutil.iter_modules(__path__):
        if module.name in _SHARED:
            continue
        fault = getattr(importlib.import_module(f"{__name__}.{module.name}"), "FAULT", None)
        if not isinstance(fault, FaultKind):
            raise DefectiveRegistryError(f"faults/{module.name}.py has no FAULT: FaultKind")
        if fault.kind != to_camel(module.name):
            raise DefectiveRegistryError(f"faults/{module.name}.py is the kind {fault.kind}: name it after its module")
        kinds.append(fault)
    kinds.sort(key=lambda kind: (kind.people_only, kind.kind))
    return MappingProxyType({kind.kind: kind for kind in kinds})


register(*(FaultChoice(kind.kind, kind.params, kind.summary) for kind in discover().values()))
