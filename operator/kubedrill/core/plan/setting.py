"""Where a drill is played and who plays: its spec, its environment and its roster, brought together in one place.

What the drill itself says wins; then the environment and the roster speak; then the defaults. Nobody after this needs
to know where monitoring or a person was written down.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from kubedrill.api.drill import DrillSpec, PlayerSpec
from kubedrill.api.environment import DrillEnvironment, DrillEnvironmentSpec, MetricLabels
from kubedrill.api.faults import ServiceRef
from kubedrill.api.roster import DrillRoster, Identities, PlayerKind, RosterPerson
from kubedrill.core.addresses import nobodys_kind
from kubedrill.core.plan.drill_plan import DrillPlan, Endpoint, Participant
from kubedrill.core.plan.endpoints import Whereabouts, another, served
from kubedrill.core.undo.operations import Refusal

MOST_NAMES: Final = 10
"""A message that lists names shows so many, and how many more there are."""
LONGEST_LINE: Final = 256
"""Characters that the status keeps of a line."""


@dataclass(frozen=True, slots=True)
class DrillSetting:
    """What the plan takes over of environment and roster: see `DrillPlan`. `said` tells what was chosen and why."""

    prometheus: Endpoint
    alertmanager: Endpoint
    players: tuple[Participant, ...]
    environment: str = ""
    roster: str = ""
    namespace_label: str = "namespace"
    cluster: str = ""
    cluster_label: str = "cluster"
    allowed_services: tuple[str, ...] = ()
    people_receivers: frozenset[str] = frozenset()
    other_alertmanagers: tuple[Endpoint, ...] = ()
    said: tuple[str, ...] = ()


def resolve(
    spec: DrillSpec, environments: Sequence[DrillEnvironment], rosters: Sequence[DrillRoster]
) -> DrillSetting | Refusal:
    """The setting of a drill, from all environments and rosters that stand beside it; or what is wrong with them."""
    environment = _environment(spec, environments)
    if isinstance(environment, Refusal):
        return environment
    roster = _roster(spec, rosters)
    if isinstance(roster, Refusal):
        return roster
    unknown = _without_a_role(spec, roster, rosters)
    return unknown or _setting(spec, environment, roster)


def alone(spec: DrillSpec) -> DrillSetting:
    """The setting of a drill by what it says itself: where there is no environment and no roster."""
    return _setting(spec, None, None)


def out_of_reach(drill_plan: DrillPlan) -> Refusal | None:
    """What the drill wants to reach and may not: Services elsewhere that its environment does not allow.

    Without an environment nobody has said what is allowed, and nothing is refused.
    """
    if not drill_plan.environment:
        return None
    servers = (drill_plan.prometheus, *drill_plan.alertmanagers)
    if wrong := [server for server in servers if server.is_outside and nobodys_kind(server.name)]:
        return Refusal(
            "AddressNotAllowed",
            f"DrillEnvironment {drill_plan.environment} names {wrong[0]}, a {nobodys_kind(wrong[0].name)} address:"
            " no monitoring is there, so name another url",
        )
    wanted = dict.fromkeys(f"{server.namespace}/{server.name}" for server in servers if not server.is_outside)
    wanted |= dict.fromkeys(name for profile in drill_plan.profiles for name in sorted(profile.services))
    own = f"{drill_plan.target_namespace}/"
    refused = [name for name in wanted if not name.startswith(own) and name not in drill_plan.allowed_services]
    if not refused:
        return None
    return Refusal(
        "ServiceNotAllowed",
        f"DrillEnvironment {drill_plan.environment} does not let drills on {drill_plan.target_namespace} reach"
        f" {_names(refused)}: add it to allowedServices, or use one in {drill_plan.target_namespace}",
    )


def _environment(spec: DrillSpec, known: Sequence[DrillEnvironment]) -> DrillEnvironment | Refusal | None:
    namespace = spec.target_namespace
    claiming = [e for e in known if namespace in e.spec.target_namespaces]
    if len(claiming) > 1:
        names = _names(e.metadata.name for e in claiming)
        return Refusal(
            "EnvironmentAmbiguous",
            f"several DrillEnvironments ({names}) list namespace {namespace}: take it out of all but one",
        )
    if spec.environment is None:
        return claiming[0] if claiming else None
    named = next((e for e in known if e.metadata.name == spec.environment), None)
    if named is None:
        return Refusal(
            "EnvironmentNotFound",
            f"there is no DrillEnvironment {spec.environment} in the drill's namespace"
            f" ({_names(e.metadata.name for e in known)}): name another in environment, or leave it out to use the one"
            f" that lists {namespace}",
        )
    if named not in claiming:
        return Refusal(
            "EnvironmentNotForNamespace",
            f"DrillEnvironment {spec.environment} is not for namespace {namespace} (it lists"
            f" {_names(named.spec.target_namespaces)}): add {namespace} to its targetNamespaces, or name another",
        )
    return named


def _roster(spec: DrillSpec, known: Sequence[DrillRoster]) -> DrillRoster | Refusal | None:
    if spec.roster is None:
        return known[0] if len(known) == 1 else None
    named = next((r for r in known if r.metadata.name == spec.roster), None)
    return named or Refusal(
        "RosterNotFound",
        f"there is no DrillRoster {spec.roster} in the drill's namespace ({_names(r.metadata.name for r in known)}):"
        " name another in roster, or create it",
    )


def _without_a_role(spec: DrillSpec, roster: DrillRoster | None, known: Sequence[DrillRoster]) -> Refusal | None:
    """That a player is only named, and nobody says who that is."""
    people = _people(roster)
    missing = [p.name for p in spec.players if p.role is None and p.name not in people]
    if not missing:
        return None
    said = f"no role is given for {_names(missing)}"
    if roster is not None:
        return Refusal(
            "PlayerUnknown",
            f"{said}, and DrillRoster {roster.metadata.name} does not list them: add them to it, or give a role in"
            " players",
        )
    if known:
        names = _names(r.metadata.name for r in known)
        return Refusal("RosterAmbiguous", f"{said}, and there are several DrillRosters ({names}): name one in roster")
    return Refusal(
        "PlayerUnknown",
        f"{said}, and there is no DrillRoster in the drill's namespace: give a role in players, or create a roster",
    )


def _names(names: Iterable[str]) -> str:
    """Names in a message, as many as people read."""
    found = sorted(names)
    more = f" and {len(found) - MOST_NAMES} more" if len(found) > MOST_NAMES else ""
    return ", ".join(found[:MOST_NAMES]) + more or "there is none"


def _setting(spec: DrillSpec, environment: DrillEnvironment | None, roster: DrillRoster | None) -> DrillSetting:
    facts, own, people = environment.spec if environment else None, spec.monitoring, _people(roster)
    labels = facts.labels if facts else MetricLabels()
    prometheus, alertmanager = (facts.prometheus, facts.alertmanager) if facts else (None, None)
    where = Whereabouts(spec.target_namespace, (environment.metadata.namespace or "") if environment else "")
    shared = None if own.alertmanager else alertmanager  # what is said of one Alertmanager is not said of another
    return DrillSetting(
        prometheus=served(own.prometheus, prometheus, ("prometheus", 9090), where),
        alertmanager=served(own.alertmanager, alertmanager, ("alertmanager", 9093), where),
        players=tuple(_participant(player, people.get(player.name)) for player in spec.players),
        environment=environment.metadata.name if environment else "",
        roster=roster.metadata.name if roster else "",
        namespace_label=labels.namespace,
        cluster=(facts.cluster or "") if facts else "",
        cluster_label=labels.cluster,
        allowed_services=tuple(_allowed(facts)) if facts else (),
        people_receivers=frozenset(shared.receivers_for_people) if shared else frozenset(),
        other_alertmanagers=tuple(another(server, where) for server in shared.others) if shared else (),
        said=tuple(_said(spec, environment, roster)),
    )


def _people(roster: DrillRoster | None) -> dict[str, RosterPerson]:
    return {person.name: person for person in roster.spec.people} if roster else {}


def _allowed(environment: DrillEnvironmentSpec) -> Iterator[str]:
    """Those that it lists, and the monitoring that it names itself."""
    yield from (str(service) for service in environment.allowed_services)
    servers = [server for server in (environment.prometheus, environment.alertmanager) if server]
    named: list[ServiceRef] = [server.service for server in servers if server.service]
    named += environment.alertmanager.others if environment.alertmanager else []
    yield from (f"{service.namespace}/{service.name}" for service in named if service.namespace)


def _participant(player: PlayerSpec, known: RosterPerson | None) -> Participant:
    identities = player.identities or (known.identities if known else Identities())
    return Participant(
        player.name,
        player.role or (known.role if known else ""),
        (player.kind or (known.kind if known else PlayerKind.HUMAN)).value,
        identities.kubernetes or "",
        identities.field_manager or "",
    )


def _said(spec: DrillSpec, environment: DrillEnvironment | None, roster: DrillRoster | None) -> Iterator[str]:
    """What was chosen for a drill that does not say it."""
    if environment and spec.environment is None:
        yield f"environment: {environment.metadata.name}, which lists {spec.target_namespace}"
    people = _people(roster)
    taken = [p for p in spec.players if p.name in people and None in (p.role, p.kind, p.identities)]
    if roster and taken:
        told = ", ".join(f"{p.name} ({p.role or people[p.name].role})" for p in taken)
        yield textwrap.shorten(f"players of roster {roster.metadata.name}: {told}", LONGEST_LINE, placeholder=" …")
