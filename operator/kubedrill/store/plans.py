"""The plan of a drill in the cluster: an immutable ConfigMap beside its evidence, named by what it says.

A plan that was stored and then never committed to (the operator died in between, or somebody edited the Drill) is in
nobody's way: another plan has another name, so nothing is ever overwritten or deleted to store one, and of two
operators neither can take away what the other has committed to. All of them go with their Drill (owner reference).
Only the plan that the Drill's status names by its digest is the drill's.
"""

from __future__ import annotations

from typing import Any, Final

from kubedrill.api.base import API_VERSION
from kubedrill.core.plan.codec import PLAN_BYTES, UnreadablePlan, digest_of, plan_from_json, plan_to_json
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.core.undo.record import DrillIdentity
from kubedrill.kube.client import Answer, Kube, Unreachable
from kubedrill.kube.paths import CONFIG_MAPS
from kubedrill.kube.refusals import is_admission, is_not_found, is_unstorable
from kubedrill.store.drill_parts import DRILL_LABEL, KIND_LABEL

_DATA: Final = "plan"


class PlanRefused(Exception):
    """The plan can't be stored. `for_good` when it never can be as it is."""

    def __init__(self, why: str, *, for_good: bool) -> None:
        super().__init__(f"the plan can't be stored: {why}")
        self.for_good = for_good


class PlanGone(Exception):
    """A live 404: the plan that the drill has committed to is not there any more."""


def plan_name(drill: DrillIdentity, digest: str) -> str:
    """The name of the ConfigMap that holds a drill's plan of this digest."""
    return f"{drill.name}-{drill.uid[:8]}-plan-{digest[:12]}"


async def store_plan(kube: Kube, drill: DrillIdentity, plan: DrillPlan) -> str:
    """Stores a plan and tells its digest; storing it again, or after a lost reply, changes nothing.

    Raises:
        PlanRefused: it is too long, the API server would not take it, or something else has its name.
        Unreachable: the API server did not answer.
    """
    text = plan_to_json(plan)
    size, digest = len(text.encode()), digest_of(text)
    if size > PLAN_BYTES:
        raise PlanRefused(f"it has {size} bytes, and {PLAN_BYTES} are stored at the most", for_good=True)
    answer = await kube.call("POST", CONFIG_MAPS.of(drill.namespace), _manifest(drill, digest, text))
    if answer.status == 409 and not is_admission(answer):
        await _expect_the_same(kube, drill, digest)
    elif not answer.ok:
        raise PlanRefused(f"{answer.status} {answer.message}", for_good=is_unstorable(answer))
    return digest


async def read_plan(kube: Kube, drill: DrillIdentity, digest: str) -> DrillPlan:
    """The plan of this digest.

    Raises:
        PlanGone: it is not there.
        UnreadablePlan: what is there is not what was committed to, or is nothing to this version.
        Unreachable: the API server did not answer, or not what was asked.
    """
    name = plan_name(drill, digest)
    answer = await kube.get(CONFIG_MAPS.one(drill.namespace, name))
    if is_not_found(answer, "configmaps", name):
        raise PlanGone(f"ConfigMap {name} in {drill.namespace} is gone")
    if not answer.ok:
        raise Unreachable(f"ConfigMap {name} can't be read: {answer.status} {answer.message}")
    text = _text_of(answer)
    if digest_of(text) != digest:
        raise UnreadablePlan(f"ConfigMap {name} in {drill.namespace} is not what the drill has committed to")
    return plan_from_json(text)


async def _expect_the_same(kube: Kube, drill: DrillIdentity, digest: str) -> None:
    """The name is taken: by this very plan, which is well, or by something else, which is not ours to remove."""
    name = plan_name(drill, digest)
    answer = await kube.get(CONFIG_MAPS.one(drill.namespace, name))
    if not answer.ok:
        raise Unreachable(f"ConfigMap {name} can't be read: {answer.status} {answer.message}")
    if digest_of(_text_of(answer)) != digest:
        raise PlanRefused(f"something else is called {name} in {drill.namespace}: delete it", for_good=False)


def _text_of(answer: Answer) -> str:
    data = answer.body.get("data")
    return str(data.get(_DATA, "")) if isinstance(data, dict) else ""


def _manifest(drill: DrillIdentity, digest: str, text: str) -> dict[str, Any]:
    owner = {"apiVersion": API_VERSION, "kind": "Drill", "name": drill.name, "uid": drill.uid}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": plan_name(drill, digest),
            "labels": {DRILL_LABEL: drill.name, KIND_LABEL: "plan"},
            "ownerReferences": [owner],
        },
        "immutable": True,
        "data": {_DATA: text},
    }
