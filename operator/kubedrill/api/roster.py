"""DrillRoster: who the people are. It stands beside the drills, which then name their players and nothing more."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from kubedrill.api.base import ApiModel, Line, Name, Term
from kubedrill.api.scenario import NAMED, ObjectMeta


class PlayerKind(StrEnum):
    """What a player is."""

    HUMAN = "Human"
    AGENT = "Agent"
    SCRIPT = "Script"


class Identities(ApiModel):
    """The names under which somebody acts; a change by none of them stays unattributed."""

    kubernetes: Line | None = Field(
        None,
        description="User name at the API server, e.g. alice@example.com or system:serviceaccount:ns:name.",
    )
    field_manager: Line | None = Field(None, description="Field manager that nobody else uses.")


class RosterPerson(ApiModel):
    """Somebody who may play: a person, an agent or a script."""

    name: Name = Field(description="The name by which a drill's players call them.")
    role: Term = Field(description="L1, L2, Engineering, IncidentCommander or Comms; a drill may say another.")
    kind: PlayerKind = Field(PlayerKind.HUMAN, description="Human, Agent or Script.")
    identities: Identities = Field(default_factory=Identities, description="The names under which they act.")


class DrillRosterSpec(ApiModel):
    """The people who may play."""

    people: list[RosterPerson] = Field(
        min_length=1, max_length=200, json_schema_extra=NAMED, description="Who may play, by name."
    )


class DrillRoster(ApiModel):
    """The people who may play: their roles, and the names under which they act."""

    api_version: str = "kubedrill.dev/v1alpha1"
    kind: str = "DrillRoster"
    metadata: ObjectMeta
    spec: DrillRosterSpec = Field(description="The people.")
