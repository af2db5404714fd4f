"""PlayerAction objects: what players and the facilitator say.

A player's word counts when its actor is on the drill's list (`identities.kubernetes`); anybody else's is
noted and credited to nobody. That its actor is who made it, and that the facilitator's words (Observe, Confirm,
Attribute, Hint) are said by somebody who may, is seen to by the policy `kubedrill-own-words`. The latter count only in
the control namespace. What the facilitator observed is a fact of source Observer and
never overwrites a machine's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from kubedrill.api.base import GROUP
from kubedrill.api.durations import parse_duration
from kubedrill.api.people import FACILITATORS, Action, FacilitatorObservation, PlayerAction, PlayerActionSpec
from kubedrill.core.evidence.attribution import who_is
from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.core.evidence.timestamps import Received, instant
from kubedrill.core.measure.milestone_table import MILESTONES
from kubedrill.core.plan.drill_plan import KUBERNETES
from kubedrill.core.rights import Right
from kubedrill.kube.paths import PLAYER_ACTIONS
from kubedrill.plugins.channels.base import ChannelKind, Hearing, SpokenObjects

SAID: Mapping[Action, FactKind] = {
    **{kind.action: kind.fact for kind in MILESTONES.values() if kind.action},
    Action.LEAD: FactKind.LEAD_TAKEN,
    Action.POSTMORTEM: FactKind.POSTMORTEM_ASSIGNED,
    Action.NOTE: FactKind.NOTED,
}
OBSERVED: Mapping[str, FactKind] = {str(kind.name): kind.fact for kind in MILESTONES.values() if kind.observable}


def facts_of(wire: Mapping[str, Any], receipt: Received, hearing: Hearing) -> tuple[Fact, ...]:
    """The facts in one PlayerAction object; none when it is about another drill, older, or no action."""
    try:
        action = PlayerAction.model_validate({k: v for k, v in wire.items() if k != "status"})
        created = instant(action.metadata.creation_timestamp or "")
    except (ValidationError, ValueError):
        return ()
    at = receipt.of_second(created)
    if action.spec.drill not in (None, hearing.drill) or at.not_after < hearing.since:
        return ()
    fact_id = f"action/{action.metadata.uid}"
    if action.spec.action in FACILITATORS:
        return _facilitators(action.spec, at, fact_id) if hearing.control else ()
    return (_players(action.spec, at, fact_id, hearing),)


def _players(spec: PlayerActionSpec, at: Interval, fact_id: str, hearing: Hearing) -> Fact:
    player = who_is(KUBERNETES, spec.actor, hearing.players).player
    told = f"said {spec.action.value}" + (f": {spec.message}" if spec.message else "")
    if not player:
        who = "the facilitator" if hearing.control else f"{spec.actor}, who is not on the drill's list,"
        return Fact(
            FactKind.NOTED,
            at,
            Source.PLAYER_ACTION,
            fact_id,
            evidence=f"{who} {told}",
            detail={"message": spec.message or "", "user": spec.actor, "unknown": not hearing.control},
        )
    return Fact(
        SAID[spec.action],
        at,
        Source.PLAYER_ACTION,
        fact_id,
        player,
        f"{player} {told}",
        _said_detail(spec),
    )


def _said_detail(spec: PlayerActionSpec) -> dict[str, Any]:
    detail: dict[str, Any] = {"user": spec.actor}
    if spec.message:
        detail["message"] = spec.message
    if spec.severity:
        detail["severity"] = spec.severity
    if spec.level:
        detail["level"] = spec.level
    if spec.diagnosis is not None:
        detail |= {
            "component": spec.diagnosis.component or "",
            "faultClass": spec.diagnosis.fault_class or "",
        }
    if spec.action in (Action.CONTAIN, Action.FIX):
        detail["what"] = spec.message or ""
    if spec.action is Action.POSTMORTEM:
        detail["owner"] = spec.message or spec.actor
    if spec.action is Action.NOTIFY:
        detail["declared"] = True
    return detail


def _facilitators(spec: PlayerActionSpec, at: Interval, fact_id: str) -> tuple[Fact, ...]:
    words = spec.message or ""
    if spec.action is Action.OBSERVE and spec.observation is not None:
        return _observed(spec, spec.observation, fact_id)
    if spec.action is Action.CONFIRM and spec.confirmation is not None:
        fault, step = spec.confirmation.fault, spec.confirmation.step.value
        return (
            Fact(
                FactKind.CONFIRMED,
                at,
                Source.OBSERVER,
                fact_id,
                evidence=f"{spec.actor} confirmed {step} of {fault}",
                detail={"fault": fault, "step": step},
            ),
        )
    if spec.action is Action.ATTRIBUTE and spec.attribution is not None:
        change, player = spec.attribution.change, spec.attribution.player
        return (
            Fact(
                FactKind.ATTRIBUTED,
                at,
                Source.OBSERVER,
                fact_id,
                evidence=f"{spec.actor}: {change} was {player}'s doing. {words}".rstrip(),
                detail={"fact": change, "to": player, "evidence": words, "user": spec.actor},
            ),
        )
    if spec.action is Action.HINT:
        return (
            Fact(
                FactKind.HINT_GIVEN,
                at,
                Source.OBSERVER,
                fact_id,
                evidence=f"hint: {words}",
                detail={"message": words},
            ),
        )
    return ()


def _observed(spec: PlayerActionSpec, observation: FacilitatorObservation, fact_id: str) -> tuple[Fact, ...]:
    kind = OBSERVED.get(str(observation.milestone))
    if kind is None:
        return ()
    try:
        at = Interval.at(instant(observation.time), parse_duration(observation.within))
    except ValueError:
        return ()
    words = f": {spec.message}" if spec.message else ""
    evidence = f"{spec.actor} observed {observation.milestone}{words}"
    player = observation.player or ""
    return (Fact(kind, at, Source.OBSERVER, fact_id, player, evidence, _said_detail(spec)),)


CHANNEL: Final = ChannelKind(
    name="playerActions",
    summary="PlayerAction objects, which the verbs of kubectl drill make.",
    identity=KUBERNETES,
    objects=SpokenObjects(
        where=PLAYER_ACTIONS,
        read=facts_of,
        rights=(Right(GROUP, "playeractions", "list"), Right(GROUP, "playeractions", "watch")),
    ),
)
