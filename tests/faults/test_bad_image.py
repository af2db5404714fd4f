"""badImage: pods of the new template can't pull their image; whoever sets the image repairs it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from tests.faults.builders import WEB, changes, container, deployment, fact, injected, only, second, seen, stateful_set
from tests.observers.builders import drill_plan
from tests.signals.builders import receipt

from kubedrill.api.faults import Fault, WorkloadTarget
from kubedrill.core.evidence.attribution import is_cause
from kubedrill.core.evidence.facts import Fact, FactKind
from kubedrill.core.undo.operations import Refusal, SetFields, Target
from kubedrill.plugins.faults.bad_image import BadImage, describe, effect, plan
from kubedrill.plugins.faults.base import Plan
from kubedrill.plugins.sources import workload
from kubedrill.plugins.sources.base import OwnWrites

IMAGE = "template/spec/containers/0/image"
NOPE = "app:kubedrill-no-such-tag"
ONE, TWO, THREE = "web-5d4f6b7c89-bbbbb", "web-5d4f6b7c89-ccccc", "web-5d4f6b7c89-ddddd"


def wrong(kind: str = "Deployment", name: str = "web", **said: Any) -> BadImage:
    return BadImage(target=WorkloadTarget.model_validate({"kind": kind, "name": name}), **said)


def planned(params: BadImage, obj: dict[str, Any] | None = None, target: Target = WEB) -> Plan[BadImage] | Refusal:
    return plan(params, seen({target: obj or deployment()}))


# ---- the plan


@pytest.mark.parametrize(
    ("image", "gets"),
    [
        ("app", NOPE),
        ("app:1", NOPE),
        ("app@sha256:0123", NOPE),
        ("registry:5000/shop/app", "registry:5000/shop/app:kubedrill-no-such-tag"),
        ("registry:5000/shop/app:1.2@sha256:0123", "registry:5000/shop/app:kubedrill-no-such-tag"),
    ],
)
def test_a_container_gets_its_own_image_with_a_tag_that_nobody_has(image: str, gets: str):
    obj = deployment(containers=[container() | {"image": image}])
    assert changes(planned(wrong(), obj))[IMAGE] == gets


def test_an_image_that_is_said_is_set_as_it_stands():
    assert changes(planned(wrong(image="elsewhere/app:2")))[IMAGE] == "elsewhere/app:2"


def test_the_container_that_is_named_gets_it_and_no_other():
    obj = deployment(containers=[container("main"), container("proxy")])
    decided = planned(wrong(container="proxy"), obj)
    assert changes(decided)["template/spec/containers/1/image"] == NOPE
    assert IMAGE not in changes(decided)
    operation = only(decided, SetFields)
    assert operation.changes[0].guards == (("/spec/template/spec/containers/1/name", "proxy"),)


def test_exactly_the_asked_number_of_pods_is_replaced():
    set_to = changes(planned(wrong(affected=3)))
    assert set_to["strategy/rollingUpdate/maxUnavailable"] == 3
    assert set_to["strategy/rollingUpdate/maxSurge"] == 0


def test_a_stateful_set_is_freed_of_the_pod_that_it_would_wait_for():
    db = Target("apps", "v1", "StatefulSet", "statefulsets", "shop", "db")
    decided = planned(wrong("StatefulSet", "db"), stateful_set(), db)
    assert isinstance(decided, Plan), decided
    assert only(decided, SetFields).unstick == {"app": "db"}


def test_what_is_derived_is_settled():
    decided = planned(wrong())
    assert isinstance(decided, Plan), decided
    assert (decided.settled.container, decided.settled.image, decided.settled.affected) == ("main", NOPE, 1)
    assert describe(wrong(), decided)[0] == (
        f"badImage: container main of Deployment/web gets the image {NOPE}; 1 of its pods can't start"
    )


@pytest.mark.parametrize(
    ("params", "obj", "reason"),
    [
        (wrong(container="nobody"), deployment(), "ContainerUnknown"),
        (wrong(image="app:1"), deployment(), "ImageUnchanged"),
        (wrong(affected=6), deployment(), "TooFewPods"),
        (wrong(), deployment(how="Recreate"), None),
        (wrong(affected=1), deployment(how="Recreate"), "RecreateNeedsAll"),
        (wrong(), deployment(spec={"paused": True}), "Paused"),
    ],
)
def test_what_cant_be_done_is_refused(params: BadImage, obj: dict[str, Any], reason: str | None):
    decided = planned(params, obj)
    assert (decided.reason if isinstance(decided, Refusal) else None) == reason


# ---- its effect


def unpulled(pod: str, at: float, image: str = NOPE, target: str = "Deployment/web", container: str = "main") -> Fact:
    where = {"pod": pod, "target": target, "container": container}
    return fact(FactKind.IMAGE_NOT_PULLED, second(at), **where, image=image, reason="ErrImagePull")


TWO_PODS = wrong(container="main", image=NOPE, affected=2)


def test_it_had_its_effect_when_as_many_pods_as_asked_could_not_pull_it():
    bite = effect("squeeze", TWO_PODS, [injected(), unpulled(ONE, 3), unpulled(ONE, 8), unpulled(TWO, 5)])
    assert (bite.seen, bite.wanted, bite.at) == (2, 2, second(5))
    assert bite.evidence == f"2 of 2 pods of Deployment/web can't pull {NOPE}: {ONE}, {TWO}"


@pytest.mark.parametrize(
    "other",
    [
        unpulled(TWO, 5, image="app:1"),
        unpulled(TWO, 5, target="Deployment/web-api"),
        unpulled(TWO, 5, container="proxy"),
        unpulled(TWO, -5),
        fact(FactKind.POD_OOM_KILLED, second(5), pod=TWO, container="main"),
    ],
)
def test_a_pod_that_lacks_another_image_is_none_of_its_doing(other: Fact):
    assert effect("squeeze", TWO_PODS, [injected(), unpulled(ONE, 3), other]).seen == 1


# ---- its fix


BROKEN = Fault.model_validate({"name": "squeeze", "badImage": {"target": {"kind": "Deployment", "name": "web"}}})


def as_watched(image: str, generation: int, manager: str = "", operation: str = "Update") -> dict[str, Any]:
    obj = copy.deepcopy(deployment(containers=[container() | {"image": image}]))
    owned: dict[str, Any] = {
        "f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"main"}': {"f:image": {}}}}}}
    }
    entry = {"manager": manager, "operation": operation, "time": "2026-11-23T12:00:07Z", "fieldsV1": owned}
    metadata = {"uid": "u", "generation": generation, "managedFields": [entry] if manager else []}
    return {**obj, "kind": "Deployment", "metadata": {**obj["metadata"], **metadata}}


@pytest.mark.parametrize(
    ("image", "manager", "operation"),
    [
        ("app:2", "kubectl-edit", "Update"),
        ("app:1", "kubectl-rollout", "Update"),
        ("app:1", "kubectl", "Apply"),
        ("app:1", "kubectl-client-side-apply", "Update"),
    ],
    ids=["edit", "rollout undo", "apply", "client-side apply"],
)
def test_whoever_sets_the_image_repairs_it(image: str, manager: str, operation: str):
    before, after = as_watched(NOPE, 5), as_watched(image, 6, manager, operation)
    (change,) = workload.changes(before, after, receipt(7.6), OwnWrites())
    assert change.detail["manager"] == manager
    assert is_cause(change, drill_plan(faults=(BROKEN,)))


def test_what_only_holds_its_rollout_is_no_part_of_the_cause():
    before, after = as_watched(NOPE, 5), as_watched(NOPE, 6)
    after["spec"]["minReadySeconds"] = 7
    (change,) = workload.changes(before, after, receipt(7.6), OwnWrites())
    assert not is_cause(change, drill_plan(faults=(BROKEN,)))
