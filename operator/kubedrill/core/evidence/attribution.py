"""Who somebody is, and whose doing a change was: a player's, a stranger's, an automation's, the operator's own.

`who_is` is the one place that tells. People are known by a name in a channel: their user at the API server, the field
manager that they alone use, and so on. Whoever has none there, or only the name of a tool, is unknown, which is not the
same as a stranger.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from kubedrill.api.durations import format_duration
from kubedrill.core.evidence.facts import Fact, FactKind, FactSet, first, in_order
from kubedrill.core.measure.results import By
from kubedrill.core.plan.drill_plan import FIELD_MANAGER, KUBERNETES, DrillPlan, FaultProfile, Participant

CHANGES = (FactKind.TARGET_CHANGED, FactKind.SCALED, FactKind.PODS_DELETED)
READS = (FactKind.PODS_LISTED, FactKind.EVIDENCE_READ)
OF_PEOPLE = frozenset(
    {
        *CHANGES,
        *READS,
        FactKind.ATTEMPTED,
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
CONTROLLER: Final = re.compile(r"controller|operator|argocd|argo-cd|flux|fleet|configsync|^manager$", re.IGNORECASE)
"""How controllers call themselves; `manager` is the name of those that are made with the usual toolkit."""
MACHINERY: Final = ("system:node:", "system:kube-", "system:apiserver", "system:serviceaccount:kube-system:")
"""How the users of the cluster's own machinery begin."""
MACHINES: Final = frozenset({"kube-controller-manager"})
"""Field managers of the cluster's own machinery; the autoscaler writes as one."""
SAID = (FactKind.FIX_APPLIED, FactKind.CONTAINMENT_ATTEMPTED)


class Standing(StrEnum):
    """What somebody is to a drill."""

    PLAYER = "Player"
    AUTOMATION = "Automation"
    OPERATOR = "Operator"
    STRANGER = "Stranger"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Somebody:
    """Who somebody is; `player` is the name of the one who it is, if it is one."""

    standing: Standing
    player: str = ""

    @property
    def is_open(self) -> bool:
        """Whether only the facilitator can say who it is."""
        return self.standing in (Standing.STRANGER, Standing.UNKNOWN)


def who_is(key: str, name: str, players: Iterable[Participant], own: Collection[str] = ()) -> Somebody:
    """Who acts under a name. `key` is how people are known there: `kubernetes`, `fieldManager`, a channel's own.

    `own` are the names under which the operator itself acts there. A stranger is somebody who is none of the players;
    while one of them has no name there it may be that one, and a field manager is the name of a tool that anybody may
    use: then it is unknown who it is.
    """
    known = [(player, player.identities.get(key, "")) for player in players]
    player = next((player.name for player, theirs in known if name and theirs == name), "")
    if player:
        return Somebody(Standing.PLAYER, player)
    if not name:
        return Somebody(Standing.UNKNOWN)
    if name in own:
        return Somebody(Standing.OPERATOR)
    if (key == KUBERNETES and name.startswith(MACHINERY)) or (key == FIELD_MANAGER and name in MACHINES):
        return Somebody(Standing.AUTOMATION)
    unsure = key == FIELD_MANAGER or not all(theirs for _, theirs in known)
    return Somebody(Standing.UNKNOWN if unsure else Standing.STRANGER)


def changes_of_players(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """The changes that are matched to a player, in order."""
    return tuple(f for f in in_order(facts, *CHANGES) if f.actor)


def is_cause(change: Fact, drill_plan: DrillPlan) -> bool:
    """Whether a change is to what a fault had changed, as the fault's kind tells a fix.

    One of a pod alone is none: its workload makes the next one as the fault wants it.
    """
    return any(_is_cause_of(profile, change) for profile in drill_plan.profiles)


def _is_cause_of(profile: FaultProfile, change: Fact) -> bool:
    if change.kind is not FactKind.TARGET_CHANGED or change.detail.get("pod") or not profile.cause:
        return False
    path = str(change.detail.get("path", ""))
    return change.detail.get("target") in profile.subjects and re.search(profile.cause, path) is not None


def first_cause_change(facts: Iterable[Fact], drill_plan: DrillPlan, fault: str = "") -> Fact | None:
    """The first change, whoever's, of what one fault had changed; without a name, of what any of them had.

    `facts` are of this drill (`core.measure.order`): what was before the injection takes nothing out.
    """
    profiles = [p for p in drill_plan.profiles if fault in ("", p.fault)]
    changes = in_order(facts, FactKind.TARGET_CHANGED)
    return next((change for change in changes if any(_is_cause_of(p, change) for p in profiles)), None)


def disturbances(facts: FactSet) -> tuple[Fact, ...]:
    """The changes of the target and the deletions of pods since the injection, whoever made them."""
    injected = first(facts, FactKind.FAULT_INJECTED)
    changes = in_order(facts, FactKind.TARGET_CHANGED, FactKind.PODS_DELETED)
    return tuple(f for f in changes if injected and f.at.not_after >= injected.at.not_before)


def undisturbed(facts: Iterable[Fact]) -> frozenset[Fact]:
    """The facts from before anybody changed the target, or deleted pods, after the injection: the fault's own doing."""
    known = FactSet.of(facts)
    ends = [f.at.not_after for f in disturbances(known)]
    return frozenset(f for f in known if f.at.not_after <= min(ends)) if ends else known


def taken_out(facts: Iterable[Fact], drill_plan: DrillPlan) -> Fact | None:
    """The change by which somebody else's controller took the fault out, where no player had changed the cause before.

    A controller is known as one: a ServiceAccount by the audit log, or a field manager that calls itself a controller,
    an operator or one of the usual GitOps tools. Anybody else may be a person whom nobody has listed. In a drill that
    accepts it, it is how the trouble ends.
    """
    first_cause = first_cause_change(facts, drill_plan)
    if first_cause is None or first_cause.actor or drill_plan.accepts_reconcilers:
        return None
    user, manager = str(first_cause.detail.get("user", "")), str(first_cause.detail.get("manager", ""))
    if not is_controller(user, manager):
        return None
    return first_cause


def by_whom(change: Fact) -> str:
    """Who changed it, as far as is known: a player, the audit log's user, or the field manager, which is a tool's."""
    user, manager = str(change.detail.get("user") or ""), str(change.detail.get("manager") or "")
    if change.actor or user or is_controller(user, manager):
        return change.actor or user or manager
    return f"somebody with {manager}" if manager else "somebody"


def taken_out_in_words(change: Fact, facts: Iterable[Fact], fault: str = "") -> str:
    """Who took a fault out, of what, how long after it was put in, and when; `fault` is its name where one is meant."""
    injections = in_order(facts, FactKind.FAULT_INJECTED)
    its_own = next((f for f in injections if f.detail.get("fault") == fault), None) or next(iter(injections), None)
    waited = change.at.not_after - its_own.at.not_after if its_own else timedelta(0)
    after = format_duration(timedelta(seconds=max(0, round(waited.total_seconds()))))
    when = (
        f"{after} after its injection, at {change.at.not_after:%H:%M:%SZ}"
        if its_own
        else f"at {change.at.not_after:%H:%M:%SZ}"
    )
    return (
        f"{by_whom(change)} took {fault or 'the fault'} out of {change.detail.get('target')} {when} ({change.evidence})"
    )


def is_controller(user: str, manager: str) -> bool:
    """Whether somebody is known as a controller: by the audit log's user, else by the field manager."""
    return user.startswith("system:serviceaccount:") or (not user and CONTROLLER.search(manager) is not None)


def how_to_attribute(change_id: str, drill: str) -> str:
    """The command by which a facilitator says whose doing a change was."""
    which = f" --drill {drill}" if drill else ""
    return f"kubectl drill attribute {shlex.quote(change_id)}{which} --to PLAYER --evidence 'how you know'"


def own_revert(facts: Iterable[Fact]) -> Fact | None:
    """The operator's first revert: nothing after it is anybody else's doing."""
    return first(facts, FactKind.FAULT_REVERTED)


def credited(facts: Iterable[Fact], drill_plan: DrillPlan, until: datetime) -> tuple[By, str]:
    """Whose doing it is that things got better by `until`, and which player's.

    An unattributed change, by a stranger or by nobody knows whom, leaves it open, whatever players did too. Of what
    players did, the change to the cause tells who; without one the fix that they spoke of, then any other change or
    word of one. Without any it is the automation's where it changed something.
    """
    telling = in_order(facts, FactKind.INTERFERENCE, *CHANGES, *SAID)
    before = tuple(f for f in telling if f.at.not_before <= until)
    whose = {f.detail.get("by") for f in before if f.kind is FactKind.INTERFERENCE}
    if whose:
        return (By.STRANGER if Standing.STRANGER in whose else By.UNKNOWN), ""
    changes = changes_of_players(before)
    said = tuple(f for f in before if f.kind in SAID and f.actor)
    fixes = [f for f in changes if is_cause(f, drill_plan)] or [f for f in said if f.kind is FactKind.FIX_APPLIED]
    doings = fixes or changes or said
    if doings:
        return By.PLAYER, doings[-1].actor
    return (By.AUTOMATION if any(f.kind in CHANGES for f in before) else By.NOBODY), ""


def since_start(facts: Iterable[Fact], start: datetime | None) -> FactSet:
    """Without what people did and said before the drill began: it was about something else, or a rehearsal.

    What was changed before is the baseline and nobody's interference; a word from before, such as an acknowledgement
    of another drill's page, can't meet an objective of this one.
    """
    known = FactSet.of(facts)
    if start is None:
        return known
    early = frozenset(f for f in in_order(known, *OF_PEOPLE) if f.at.not_after < start)
    return FactSet(known - early) if early else known
