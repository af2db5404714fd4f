"""What the controller is told to do. Each command is idempotent and derived anew from state and observation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AddFinalizer:
    """Keep the Drill from vanishing before everything is put back."""


@dataclass(frozen=True, slots=True)
class RemoveFinalizer:
    """Let the Drill go: everything is put back."""


@dataclass(frozen=True, slots=True)
class InjectFaults:
    """Inject these faults (or take up an injection that was begun)."""

    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sustain:
    """Go on pushing jobs and refreshing alerts of this record."""

    record: str


@dataclass(frozen=True, slots=True)
class Release:
    """Let the rollout of this record's target go: somebody has taken the fault out of it."""

    record: str


@dataclass(frozen=True, slots=True)
class Revert:
    """Put back what this record tells of."""

    record: str


@dataclass(frozen=True, slots=True)
class CloseRecord:
    """Delete the record: its outcome stands in the Drill's status."""

    record: str


@dataclass(frozen=True, slots=True)
class Deliver:
    """Give an inject to the players."""

    inject: str


@dataclass(frozen=True, slots=True)
class WriteReport:
    """Write the after-action report, or a new revision of it."""

    revision: int


@dataclass(frozen=True, slots=True)
class DeleteDrill:
    """Delete the Drill: it ended long enough ago, everything is put back, and its report outlives it."""


Command = (
    AddFinalizer
    | RemoveFinalizer
    | InjectFaults
    | Sustain
    | Release
    | Revert
    | CloseRecord
    | Deliver
    | WriteReport
    | DeleteDrill
)
