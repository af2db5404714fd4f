"""alert: fires an alert at Alertmanager directly, for drills of people without a broken cluster."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final

from pydantic import Field

from kubedrill.api.base import AlertName, ApiModel, Line
from kubedrill.core.evidence.facts import Fact, FactKind
from kubedrill.core.undo.operations import Announce, Refusal, Target
from kubedrill.plugins.faults.base import Effect, FaultKind, Observed, Plan, injection

EVENT_LABEL = "event"
"""Sets this alert apart from a real one with the same labels, which the undo would otherwise resolve."""


class AlertAnnounce(ApiModel):
    """Fires an alert at Alertmanager directly: a drill of people without a broken cluster."""

    alert: AlertName = Field(description="The alert's name (label alertname).")
    labels: Annotated[dict[str, Line], Field(max_length=16)] = Field(
        default_factory=dict, description="Further labels, for example severity: page."
    )
    summary: Line = Field("", description="Annotation `summary` of the alert.")


def targets(params: AlertAnnounce, namespace: str) -> tuple[Target, ...]:  # noqa: ARG001  the contract's signature
    """Nothing at the API server."""
    return ()


def plan(params: AlertAnnounce, seen: Observed) -> Plan[AlertAnnounce] | Refusal:
    """Announce it, with the target namespace and an event label of the drill's own."""
    reserved = sorted({"alertname", EVENT_LABEL} & params.labels.keys())
    if reserved:
        return Refusal("LabelReserved", f"the label {reserved[0]} is set by the drill: leave it out of labels")
    labels = {
        seen.namespace_label: seen.namespace,
        **params.labels,
        "alertname": params.alert,
        EVENT_LABEL: _event(seen),
    }
    annotations = {"summary": params.summary} if params.summary else {}
    where = seen.alertmanager
    operation = Announce(where.host, where.port, labels, annotations, where.namespace, where.access)
    said = f"labels: {', '.join(f'{k}={v}' for k, v in sorted(labels.items()))}"
    return Plan((operation,), params, f"Alertmanager {where.name}", (said,))


def effect(name: str, params: AlertAnnounce, facts: Iterable[Fact]) -> Effect:
    """Alertmanager has the alert as active."""
    facts = tuple(facts)
    since = injection(name, facts)
    if since is None:
        return Effect(0, 1, "not injected")
    firing = [
        f
        for f in facts
        if f.kind is FactKind.ALERT_FIRING
        and f.detail.get("alert") == params.alert
        and f.at.not_after >= since.not_before
    ]
    if not firing:
        held = [f for f in facts if f.kind is FactKind.ALERT_SUPPRESSED and f.detail.get("alert") == params.alert]
        return Effect(0, 1, held[0].evidence if held else f"{params.alert} is not active at Alertmanager yet")
    return Effect(1, 1, f"{params.alert} is active at Alertmanager", min(f.at for f in firing))


def describe(params: AlertAnnounce, plan: Plan[AlertAnnounce]) -> tuple[str, ...]:
    """One line for what is done, then the notes."""
    operation = plan.operations[0]
    at = f" at {operation.host}:{operation.port}" if isinstance(operation, Announce) else ""
    return (f"alert: {params.alert} is fired{at} and resolved by the undo", *plan.notes)


def _event(seen: Observed) -> str:
    return f"{seen.drill_uid[:8]}-{seen.fault}"


def announces(params: AlertAnnounce) -> tuple[str, ...]:
    """The alert itself."""
    return (params.alert,)


FAULT: Final = FaultKind(
    kind="alert",
    params=AlertAnnounce,
    summary="Fire an alert at Alertmanager directly.",
    targets=targets,
    rights=(),
    plan=plan,
    describe=describe,
    effect=effect,
    announces=announces,
    people_only=True,
)
