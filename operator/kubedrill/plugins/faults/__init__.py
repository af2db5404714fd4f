"""The catalogue of fault kinds: one module a kind, found by itself.

To add a kind: its parameters in `api/faults.py`, a module here with `FAULT: Final = FaultKind(…)`. The
contract tests and `kubectl explain` then know it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from kubedrill.api.faults import FAULT_KINDS
from kubedrill.plugins.faults.base import FaultKind

# Modules of this package that are no kind.
_SHARED = frozenset({"base", "effects", "strategy", "workload"})


class DefectiveCatalogueError(Exception):
    """A module of this package is no valid fault kind, or the API names a kind that nothing implements."""


@cache
def discover() -> Mapping[str, FaultKind[Any]]:
    """Every fault kind by the name that it has in the API.

    Raises:
        DefectiveCatalogueError: a module has no `FAULT`, or two claim one kind, or API and modules differ.
    """
    kinds: dict[str, FaultKind[Any]] = {}
    for module in pkgutil.iter_modules(__path__):
        if module.name in _SHARED:
            continue
        fault = getattr(importlib.import_module(f"{__name__}.{module.name}"), "FAULT", None)
        if not isinstance(fault, FaultKind):
            raise DefectiveCatalogueError(f"faults/{module.name}.py has no FAULT: FaultKind")
        if fault.kind in kinds:
            raise DefectiveCatalogueError(f"faults/{module.name}.py: the kind {fault.kind} is implemented twice")
        kinds[fault.kind] = fault
    if set(kinds) != set(FAULT_KINDS):
        raise DefectiveCatalogueError(f"the API has the kinds {sorted(FAULT_KINDS)}, faults/ has {sorted(kinds)}")
    return MappingProxyType(kinds)
