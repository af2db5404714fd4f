"""After the undo: a StatefulSet with ordered pods waits for its broken pod for ever, unless it is unstuck."""

from __future__ import annotations

from tests.e2e.faults.field import Field, Outcome, kubectl, ready, until_none
from tests.e2e.faults.rows import AS_PLANNED

ORDERED, PARALLEL = (next(r for r in AS_PLANNED if r.name == name) for name in ("last-ordered", "last-parallel"))
RESOURCES = "/spec/template/spec/containers/0/resources"
HEALTHY = {f"{RESOURCES}/limits/memory": "64Mi", f"{RESOURCES}/requests/memory": "48Mi"}


def unready(field: Field, name: str) -> list[str]:
    return [pod["metadata"]["name"] for pod in field.pods()[name] if not ready(pod)]


def test_only_ordered_pods_must_be_unstuck(field: Field, outcomes: dict[str, Outcome]) -> None:
    assert outcomes[ORDERED.name] == Outcome(ORDERED.failing, ORDERED.serving)
    for row in (ORDERED, PARALLEL):
        field.patch(row, HEALTHY)
    until_none(lambda: unready(field, PARALLEL.name), 90, "the parallel set heals by itself")
    (stuck,) = unready(field, ORDERED.name)
    kubectl("-n", field.namespace, "delete", "pod", stuck)
    until_none(
        lambda: unready(field, ORDERED.name) or len(field.pods()[ORDERED.name]) < ORDERED.replicas,
        90,
        "the ordered set heals once its broken pod is deleted",
    )
