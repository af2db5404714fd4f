"""A drill's conditions, for `kubectl wait` and CI.

All are written at the first visit as Unknown, so that a wait for one of them never misses it, always in the
same order, and `lastTransitionTime` moves only when the status does (the Kubernetes API conventions).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from kubedrill.api.drill_status import ConditionStatus


class ConditionType(StrEnum):
    """What a condition speaks of. `Finished` is True whatever the verdict, `Succeeded` when it is Passed."""

    ACCEPTED = "Accepted"
    STEADY_STATE = "SteadyState"
    INJECTED = "Injected"
    FAULT_EFFECTIVE = "FaultEffective"
    ALERT_FIRED = "AlertFired"
    DETECTED = "Detected"
    MITIGATED = "Mitigated"
    RECOVERED = "Recovered"
    RESTORED = "Restored"
    WORKLOADS_READY = "WorkloadsReady"
    FINISHED = "Finished"
    SUCCEEDED = "Succeeded"
    STALLED = "Stalled"
    WITNESS_SEEN = "WitnessSeen"


REASON_LENGTH, UNSAID = 63, "NoReason"
MESSAGE_LENGTH = 1024
"""The schema's maximum; a longer message is cut, because a status that can't be written tells nobody."""


def initial_conditions(now: datetime, generation: int = 0) -> tuple[ConditionStatus, ...]:
    """All conditions as Unknown, as on the first visit."""
    return tuple(
        ConditionStatus(
            type=kind.value,
            status="Unknown",
            reason="NotYetKnown",
            last_transition_time=_wire(now),
            observed_generation=generation,
        )
        for kind in ConditionType
    )


def with_condition(
    conditions: Iterable[ConditionStatus],
    kind: ConditionType,
    status: bool | None,
    reason: str,
    message: str = "",
    *,
    now: datetime,
    generation: int = 0,
) -> tuple[ConditionStatus, ...]:
    """The conditions with one of them set (`None` is Unknown); those that are missing are added as Unknown.

    `lastTransitionTime` is kept while the status stays the same, even when reason or message change.
    """
    known = {c.type: c for c in initial_conditions(now, generation)} | {c.type: c for c in conditions}
    word = "Unknown" if status is None else str(status)
    before = known[kind.value]
    known[kind.value] = ConditionStatus(
        type=kind.value,
        status=word,
        reason=reason[:REASON_LENGTH] or UNSAID,
        message=message[:MESSAGE_LENGTH],
        last_transition_time=before.last_transition_time if before.status == word else _wire(now),
        observed_generation=generation,
    )
    return tuple(known[k.value] for k in ConditionType)


def _wire(now: datetime) -> str:
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
