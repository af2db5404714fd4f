"""The drill that a facilitator speaks of, and whether what was typed is in it.

Everything is held against the drill before anything is recorded: a word about nobody, or about another drill, would be
recorded and then be lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubedrill.api.faults import Fault
from kubedrill.cli.connection import CliError, demand, path_of
from kubedrill.cli.exit_codes import ExitCode
from kubedrill.cli.standing import ENDED, how_it_ended, phase_of
from kubedrill.core.evidence.attribution import CHANGES, who_is
from kubedrill.core.evidence.matching import interference_id
from kubedrill.core.evidence.testimony import OWN_WORD
from kubedrill.core.machine.status import MOST_INTERFERENCE
from kubedrill.core.plan.codec import UnreadablePlan
from kubedrill.core.plan.drill_plan import KUBERNETES, DrillPlan
from kubedrill.core.undo.record import DrillIdentity
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.plugins.faults import of_drill
from kubedrill.store.drill_parts import EvidenceRefused
from kubedrill.store.evidence_log import Evidence
from kubedrill.store.plans import PlanGone, read_plan


@dataclass(frozen=True, slots=True)
class DrillAtHand:
    """A Drill as it stands, and the plan that it is judged by: None before its start, and where it can't be read."""

    control: str
    body: Mapping[str, Any]
    plan: DrillPlan | None = None

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.body["metadata"]["name"])

    @property
    def status(self) -> Mapping[str, Any]:
        """Its status; empty before the operator has seen it."""
        return self.body.get("status") or {}

    @property
    def has_ended(self) -> bool:
        """Whether it is over, however it went."""
        return phase_of(self.body) in ENDED

    @property
    def began(self) -> datetime | None:
        """When it started."""
        at = self.status.get("startExTime")
        return datetime.fromisoformat(at) if at else None

    def demand_start(self) -> None:
        """Let a drill pass that has begun.

        Raises:
            CliError: it has not, so there is nothing to enter.
        """
        if self.began is None:
            ended = f"{how_it_ended(self.body)} before it started" if self.has_ended else f"{self.name} has not started"
            raise CliError(f"{ended}: there is nothing to enter for it", ExitCode.BAD_INPUT)

    def demand_on(self, what: str) -> None:
        """Let a drill pass that has begun and not ended; `what` says what comes too late else.

        Raises:
            CliError: it has not begun, or is over.
        """
        self.demand_start()
        if self.has_ended:
            raise CliError(f"{how_it_ended(self.body)}: {what}", ExitCode.BAD_INPUT)

    def demand_player(self, name: str) -> None:
        """Let the name of a player pass.

        Raises:
            CliError: nobody of that name plays.
        """
        players = [p.name for p in self.plan.players] if self.plan else [p["name"] for p in self._listed("players")]
        if name not in players:
            raise CliError(f"{name} does not play in {self.name}: {_those(players)}", ExitCode.BAD_INPUT)

    def demand_by_hand(self, fault: str) -> None:
        """Let the name of a fault pass that is done by hand.

        Raises:
            CliError: there is none of that name, or the drill does it itself.
        """
        if self.plan is not None:
            asks = {profile.fault: profile.asks for profile in self.plan.profiles}
        elif (self.body["spec"].get("scenario") or {}).get("faults"):
            faults = [Fault.model_validate(written) for written in self.body["spec"]["scenario"]["faults"]]
            asks = {f.name: of_drill.profile(f, self.body["spec"]["targetNamespace"]).asks for f in faults}
        else:
            return  # what its scenario holds is not known from here
        if asks.get(fault):
            return
        why = "is not done by hand" if fault in asks else f"is no fault of {self.name}"
        raise CliError(f"{fault} {why}: {_those([name for name, told in asks.items() if told])}", ExitCode.BAD_INPUT)

    def demand_other_than(self, user: str, credited: str) -> None:
        """Let a word pass that credits somebody else than who says it.

        Raises:
            CliError: it would credit its speaker, or, naming nobody, the team of its speaker.
        """
        speaker = who_is(KUBERNETES, user, self.plan.players).player if self.plan else ""
        if speaker and credited in ("", speaker):
            raise CliError(
                f"{OWN_WORD}, and {user} plays as {speaker} in {self.name}: somebody else has to enter it",
                ExitCode.REFUSED,
            )

    async def demand_change(self, kube: Kube, change: str) -> None:
        """Let the id of a change pass that the drill has seen, whether it is attributed already or not.

        Raises:
            CliError: it has seen no such change.
        """
        shown = self.status.get("interference") or []
        if change in [one["id"] for one in shown]:
            return
        known = await self._changes(kube)
        if change in known or (not known and len(shown) >= MOST_INTERFERENCE):
            return
        ids = ", ".join(f"{one['id']} (by {one.get('who') or 'nobody knows whom'})" for one in shown)
        raise CliError(
            f"{change} is no change that {self.name} has seen. Unattributed: {ids or 'none'}", ExitCode.BAD_INPUT
        )

    async def _changes(self, kube: Kube) -> set[str]:
        """The ids of all changes of which there is evidence; none where it can't be read."""
        metadata = self.body["metadata"]
        evidence = Evidence(kube, self.control, self.name, str(metadata.get("uid", "")))
        try:
            await evidence.load()
        except (EvidenceRefused, Unreachable):
            return set()
        facts = [fact for fact in evidence.facts if fact.kind in CHANGES]
        return {fact.id for fact in facts} | {interference_id(str(fact.detail.get("change"))) for fact in facts}

    def _listed(self, field: str) -> list[dict[str, Any]]:
        return list(self.body["spec"].get(field) or ())


def _those(names: list[str]) -> str:
    return f"there is {', '.join(names)}" if names else "there is none"


async def drill_at_hand(kube: Kube, control: str, name: str | None) -> DrillAtHand:
    """The drill of that name; the only one that is on where none is named.

    Raises:
        CliError: there is none of that name; or none is on, or several are.
    """
    if name is None:
        body = await _the_only_one(kube, control)
    else:
        body = await demand(kube.get(path_of("drills", control, name)), f"drill {control}/{name}")
    return DrillAtHand(control, body, await _plan_of(kube, control, body))


async def _the_only_one(kube: Kube, control: str) -> dict[str, Any]:
    listed = await demand(kube.get(path_of("drills", control)), f"drills of {control}")
    on: list[dict[str, Any]] = [d for d in listed["items"] if phase_of(d) not in ENDED]
    if len(on) != 1:
        those = f"these are on: {', '.join(d['metadata']['name'] for d in on)}" if on else "none is on"
        raise CliError(f"say which drill with --drill: {those} in {control}", ExitCode.BAD_INPUT)
    return on[0]


async def _plan_of(kube: Kube, control: str, body: Mapping[str, Any]) -> DrillPlan | None:
    """The plan that the drill has committed to; what can't be read is held against nobody."""
    metadata, stored = body["metadata"], (body.get("status") or {}).get("plan") or {}
    if not stored.get("hash"):
        return None
    identity = DrillIdentity(str(metadata.get("uid", "")), str(metadata["name"]), control)
    try:
        return await read_plan(kube, identity, str(stored["hash"]))
    except (PlanGone, UnreadablePlan, Unreachable):
        return None
