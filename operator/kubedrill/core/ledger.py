"""Who changed what during a drill: players, strangers, automation, the operator itself."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from kubedrill.core.conduct import Conduct
from kubedrill.core.facts import Fact, FactKind, first, in_order
from kubedrill.core.results import By

CHANGES = (FactKind.TARGET_CHANGED, FactKind.SCALED, FactKind.PODS_DELETED)
SAID = (FactKind.FIX_APPLIED, FactKind.CONTAINMENT_ATTEMPTED)


def changes_of_players(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """The changes that are matched to a player, in order."""
    return tuple(f for f in in_order(facts, *CHANGES) if f.actor)


def faulted_targets(conduct: Conduct) -> frozenset[str]:
    """The workloads, as `Deployment/name`, whose fields the faults change."""
    return frozenset(str(f.memory_limit.target) for f in conduct.faults if f.memory_limit is not None)


def is_cause(change: Fact, conduct: Conduct) -> bool:
    """Whether a change is to what a fault had changed: a container's resources on a faulted workload."""
    return (
        change.kind is FactKind.TARGET_CHANGED
        and change.detail.get("target") in faulted_targets(conduct)
        and "resources" in str(change.detail.get("path", ""))
    )


def own_revert(facts: Iterable[Fact]) -> Fact | None:
    """The operator's first revert: nothing after it is anybody else's doing."""
    return first(facts, FactKind.FAULT_REVERTED)


def credited(facts: Iterable[Fact], conduct: Conduct, until: datetime) -> tuple[By, str]:
    """Whose doing it is that things got better by `until`, and which player's.

    An unattributed change by a stranger leaves it open, whatever players did too. Of what players did, the
    change to the cause tells who; without one the fix that they spoke of, then any other change or word of
    one. Without any it is the automation's where it changed something.
    """
    before = tuple(f for f in in_order(facts) if f.at.not_before <= until)
    if any(f.kind is FactKind.INTERFERENCE for f in before):
        return By.STRANGER, ""
    changes = changes_of_players(before)
    said = tuple(f for f in before if f.kind in SAID and f.actor)
    fixes = [f for f in changes if is_cause(f, conduct)] or [f for f in said if f.kind is FactKind.FIX_APPLIED]
    doings = fixes or changes or said
    if doings:
        return By.PLAYER, doings[-1].actor
    return (By.AUTOMATION if any(f.kind in CHANGES for f in before) else By.NOBODY), ""
