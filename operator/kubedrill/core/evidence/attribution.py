"""Who changed what during a drill: players, strangers, automation, the operator itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from kubedrill.core.evidence.facts import Fact, FactKind, first, in_order
from kubedrill.core.measure.results import By
from kubedrill.core.plan.drill_plan import DrillPlan

CHANGES = (FactKind.TARGET_CHANGED, FactKind.SCALED, FactKind.PODS_DELETED)
READS = (FactKind.PODS_LISTED, FactKind.EVIDENCE_READ)
OF_PEOPLE = frozenset(
    {
        *CHANGES,
        *READS,
        FactKind.ACKNOWLEDGED,
        FactKind.SEVERITY_ASSESSED,
        FactKind.COMMAND_ASSUMED,
        FactKind.ESCALATION_REQUESTED,
        FactKind.ESCALATION_ENGAGED,
        FactKind.LEAD_TAKEN,
        FactKind.CLIENT_COMPLAINED,
        FactKind.CLIENT_NOTIFIED,
        FactKind.CONTAINMENT_ATTEMPTED,
        FactKind.CAUSE_IDENTIFIED,
        FactKind.FIX_APPLIED,
        FactKind.MITIGATED_DECLARED,
        FactKind.RESOLVED_DECLARED,
        FactKind.ALL_CLEAR_SENT,
        FactKind.POSTMORTEM_ASSIGNED,
    }
)
"""What people do and say. Before the start of a drill none of it is about that drill."""
CONTROLLER: Final = re.compile(r"controller|operator|argocd|argo-cd|flux|kustomize|fleet|configsync", re.IGNORECASE)
SAID = (FactKind.FIX_APPLIED, FactKind.CONTAINMENT_ATTEMPTED)


def changes_of_players(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """The changes that are matched to a player, in order."""
    return tuple(f for f in in_order(facts, *CHANGES) if f.actor)


def is_cause(change: Fact, drill_plan: DrillPlan) -> bool:
    """Whether a change is to what a fault had changed, as the fault's kind tells a fix."""
    if change.kind is not FactKind.TARGET_CHANGED:
        return False
    target, path = change.detail.get("target"), str(change.detail.get("path", ""))
    return any(
        target in profile.workloads and profile.cause and re.search(profile.cause, path) is not None
        for profile in drill_plan.profiles
    )


def taken_out(facts: Iterable[Fact], drill_plan: DrillPlan) -> Fact | None:
    """The change by which somebody else's controller took the fault out, where no player had changed the cause before.

    A controller is known as one: a ServiceAccount by the audit log, or a field manager that calls itself a controller,
    an operator or one of the usual GitOps tools. Anybody else may be a person whom nobody has listed.
    """
    first_cause = next((f for f in in_order(facts, FactKind.TARGET_CHANGED) if is_cause(f, drill_plan)), None)
    if first_cause is None or first_cause.actor or not _is_controller(first_cause):
        return None
    return first_cause


def by_whom(change: Fact) -> str:
    """Who changed it, as far as is known: the audit log's user, or the field manager."""
    return str(change.detail.get("user") or change.detail.get("manager") or "somebody")


def _is_controller(change: Fact) -> bool:
    user, manager = str(change.detail.get("user", "")), str(change.detail.get("manager", ""))
    return user.startswith("system:serviceaccount:") or (not user and CONTROLLER.search(manager) is not None)


def own_revert(facts: Iterable[Fact]) -> Fact | None:
    """The operator's first revert: nothing after it is anybody else's doing."""
    return first(facts, FactKind.FAULT_REVERTED)


def credited(facts: Iterable[Fact], drill_plan: DrillPlan, until: datetime) -> tuple[By, str]:
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
    fixes = [f for f in changes if is_cause(f, drill_plan)] or [f for f in said if f.kind is FactKind.FIX_APPLIED]
    doings = fixes or changes or said
    if doings:
        return By.PLAYER, doings[-1].actor
    return (By.AUTOMATION if any(f.kind in CHANGES for f in before) else By.NOBODY), ""


def since_start(facts: Iterable[Fact], start: datetime | None) -> frozenset[Fact]:
    """Without what people did and said before the drill began: it was about something else, or a rehearsal.

    What was changed before is the baseline and nobody's interference; a word from before, such as an acknowledgement
    of another drill's page, can't meet an objective of this one.
    """
    return frozenset(f for f in facts if start is None or f.at.not_after >= start or f.kind not in OF_PEOPLE)
