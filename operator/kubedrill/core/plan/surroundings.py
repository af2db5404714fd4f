"""What was read around a drill's target before anything is touched: all that the preflight judges by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from kubedrill.core.evidence.facts import Series
from kubedrill.core.measure.windows import IMPACT
from kubedrill.core.plan.reconcilers import Keepers
from kubedrill.core.undo.operations import Refusal

LOOK_BACK: Final = timedelta(seconds=15)
"""Steadiness is read from the samples of this time before now, so that a start needs no waiting."""


@dataclass(frozen=True, slots=True)
class StopReading:
    """A stop condition as it was asked for: met or not, None when there was no answer.

    `said` is what was seen, or why nothing was. `refused`: it can never be answered as it is written.
    """

    name: str
    met: bool | None
    said: str = ""
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What was read around the target before anything is touched. None: it could not be read.

    `hidden` are targets that may be there, and that the operator may not see.
    """

    control_namespace: str
    namespace_found: bool | None = None
    namespace_control: str = ""
    missing_rights: tuple[str, ...] | None = None
    other_drills: tuple[str, ...] = ()
    busy_records: tuple[str, ...] = ()
    refusals: Mapping[str, Refusal] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    not_ready: tuple[str, ...] = ()
    monitoring_error: str = ""
    rules_loaded: frozenset[str] | None = None
    firing: frozenset[str] | None = None
    pending: frozenset[str] = frozenset()
    series: Mapping[str, Series] = field(default_factory=dict)
    impact: Series = field(default_factory=lambda: Series(IMPACT))
    announced: frozenset[str] = frozenset()
    stops: tuple[StopReading, ...] = ()
    withheld: tuple[str, ...] = ()
    keepers: Keepers = field(default_factory=Keepers)


def recent(series: Series, now: datetime) -> Series:
    """What of a series tells of now: the samples of LOOK_BACK, or of what is scraped rarely those of two scrapes."""
    return series.between(now - max(LOOK_BACK, 2 * series.step), now)
