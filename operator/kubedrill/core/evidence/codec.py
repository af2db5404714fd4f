"""Facts as JSON, for evidence segments. Times keep their microseconds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source


def fact_to_wire(fact: Fact) -> dict[str, Any]:
    """A fact as JSON."""
    return {
        "id": fact.id,
        "kind": fact.kind.value,
        "source": fact.source.value,
        "actor": fact.actor,
        "notBefore": fact.at.not_before.isoformat(),
        "notAfter": fact.at.not_after.isoformat(),
        "evidence": fact.evidence,
        "detail": dict(fact.detail),
    }


def fact_from_wire(wire: Mapping[str, Any]) -> Fact:
    """The fact that was stored. Raises KeyError or ValueError on anything else."""
    at = Interval(datetime.fromisoformat(wire["notBefore"]), datetime.fromisoformat(wire["notAfter"]))
    return Fact(
        FactKind(wire["kind"]),
        at,
        Source(wire["source"]),
        wire["id"],
        wire.get("actor", ""),
        wire.get("evidence", ""),
        dict(wire.get("detail", {})),
    )
