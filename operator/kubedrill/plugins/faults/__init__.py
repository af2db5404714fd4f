"""The registry of fault kinds: one module a kind, found by itself.

To add a kind: a module here with `FAULT: Final = FaultKind(…)`. Its name in camelCase is the kind's name. Importing
this package registers all kinds with the API, so scenarios may choose them and the CRDs have them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from pydantic.alias_generators import to_camel

from kubedrill.api.faults import FaultChoice, register
from kubedrill.plugins.faults.base import FaultKind
from kubedrill.plugins.registry import members

# Modules of this package that are no kind.
_SHARED = frozenset({"base", "of_drill", "shortfall", "strategy", "workload"})


@cache
def discover() -> Mapping[str, FaultKind[Any]]:
    """Every fault kind by the name that it has in the API: what breaks something first, then what is for people only.

    Raises:
        DefectiveMemberError: a module has no `FAULT`, or one of another name.
    """
    found = members(
        __name__,
        __path__,
        "FAULT",
        FaultKind,
        noun="kind",
        name=lambda fault: fault.kind,
        named_after=to_camel,
        shared=_SHARED,
    )
    ordered = sorted(found.values(), key=lambda fault: (fault.people_only, fault.kind))
    return MappingProxyType({fault.kind: fault for fault in ordered})


register(*(FaultChoice(kind.kind, kind.params, kind.summary) for kind in discover().values()))
