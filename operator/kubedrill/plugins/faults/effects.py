"""Which faults were seen to have all of their effect, as facts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from kubedrill.api.faults import Fault
from kubedrill.core.evidence.facts import Fact, FactKind, Source
from kubedrill.plugins.faults import discover


def effective(faults: Iterable[Fault], known: Collection[Fact]) -> Iterator[Fact]:
    """A fact for each fault that has had all of its effect, from what is known so far."""
    kinds = discover()
    for fault in faults:
        effect = kinds[fault.kind].effect(fault.name, fault.params_of(fault.kind), known)
        if effect.complete and effect.at is not None:
            yield Fact(
                FactKind.FAULT_EFFECTIVE,
                effect.at,
                Source.OPERATOR,
                f"effective/{fault.name}",
                evidence=effect.evidence,
                detail={"fault": fault.name},
            )
