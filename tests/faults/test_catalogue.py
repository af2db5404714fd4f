"""Every fault kind keeps the whole contract: what it declares and what it does agree, and nothing is forgotten."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from tests.faults.builders import DB, WEB, deployment, fact, injected, killed, second, seen, squeeze, stateful_set
from tests.observers.builders import drill_plan

from kubedrill.api.base import ApiModel
from kubedrill.api.faults import Fault, WorkloadTarget, fault_kinds
from kubedrill.core.evidence.facts import Fact, FactKind
from kubedrill.core.machine.settled import with_settled
from kubedrill.core.machine.state import FaultState
from kubedrill.core.plan.drill_plan import DrillPlan, FaultProfile
from kubedrill.core.rights import Right
from kubedrill.core.undo.operations import Announce, Ask, Create, Operation, Refusal, Remove, SetFields, Target
from kubedrill.core.undo.record import OutsideGroup
from kubedrill.core.undo.touches import planned_touches
from kubedrill.plugins.faults import discover
from kubedrill.plugins.faults.alert import AlertAnnounce
from kubedrill.plugins.faults.bad_image import NO_SUCH_TAG, BadImage
from kubedrill.plugins.faults.base import FaultKind, Plan
from kubedrill.plugins.faults.manual import Manual
from kubedrill.plugins.faults.of_drill import RIGHTS_OF_EVERY_DRILL, profile
from kubedrill.plugins.faults.pod_kill import PodKill
from kubedrill.plugins.faults.queue_load import QueueLoad
from kubedrill.plugins.faults.resource_quota import ResourceQuota
from kubedrill.plugins.faults.workload import PLURALS
from kubedrill.plugins.operations.catalogue import kind_of

REDIS = Target("", "v1", "Service", "services", "shop", "redis")
OBJECTS = {WEB: deployment(), DB: stateful_set(), REDIS: {"spec": {"ports": [{"port": 6379}]}}}
KEEPS_THE_TEMPLATE = {"Deployment": "replicasets", "StatefulSet": "controllerrevisions"}
OPT_IN = Path(__file__).parents[2] / "operator/kubedrill/cli/setup"


@dataclass(frozen=True)
class Example:
    """Parameters of a kind, and the facts after which a fault of that name and these parameters had its effect."""

    kind: str
    params: ApiModel
    complete: tuple[Fact, ...] = field(default=(), repr=False)
    name: str = "squeeze"

    @property
    def declared(self) -> FaultKind[Any]:
        return discover()[self.kind]

    @property
    def fault(self) -> Fault:
        return Fault.model_validate({"name": self.name, self.kind: self.params.to_wire()})

    @property
    def profile(self) -> FaultProfile:
        return profile(self.fault, "shop")

    def planned(self, **used: int) -> Plan[Any]:
        """Its plan, shown the objects that it asks for and no others."""
        asked_for = {target: OBJECTS[target] for target in self.declared.targets(self.params, "shop")}
        plan = self.declared.plan(self.params, seen(asked_for, used=used))
        assert isinstance(plan, Plan), plan
        return plan

    def operations_of(self, kind: type[Any]) -> list[Any]:
        return [o for o in self.planned().operations if isinstance(o, kind)]

    def started(self) -> DrillPlan:
        """The plan of a drill with this fault, once it was started."""
        touches = planned_touches(self.planned().operations, OBJECTS)
        return with_settled(drill_plan(faults=(self.fault,)), {self.name: FaultState(self.name, touches=touches)})


def unpulled(pod: str, target: str, at: float) -> Fact:
    image = f"app:{NO_SUCH_TAG}"
    return fact(FactKind.IMAGE_NOT_PULLED, second(at), pod=pod, target=target, container="main", image=image)


PODS = ("web-5d4f6b7c89-bbbbb", "web-5d4f6b7c89-ccccc", "web-5d4f6b7c89-ddddd")
EXAMPLES = (
    Example(
        "memoryLimit", squeeze(limit="64Mi", affected=3), tuple(killed(pod, n) for n, pod in enumerate(PODS, start=1))
    ),
    Example("memoryLimit", squeeze("StatefulSet", "db", limit="64Mi"), (killed("db-2", 1, owner="StatefulSet/db"),)),
    Example("memoryLimit", squeeze(), (killed(PODS[0], 1),)),
    Example(
        "badImage",
        BadImage(target=WorkloadTarget(kind="Deployment", name="web"), affected=2),
        tuple(unpulled(pod, "Deployment/web", n) for n, pod in enumerate(PODS, start=1)),
    ),
    Example(
        "badImage",
        BadImage(target=WorkloadTarget(kind="StatefulSet", name="db")),
        (unpulled("db-2", "StatefulSet/db", 1),),
    ),
    Example(
        "queueLoad",
        QueueLoad(key="jobs", rate_per_second=10, count=100, in_flight=["inflight:*"]),
        (fact(FactKind.JOBS_PUSHED, second(1), fault="squeeze", pushed=10),),
    ),
    Example(
        "resourceQuota",
        ResourceQuota(name="team-limits", hard={"pods": "3", "limits.memory": "1Gi"}),
        (fact(FactKind.QUOTA_REACHED, second(1), quota="team-limits"),),
    ),
    Example(
        "resourceQuota",
        ResourceQuota(),
        (fact(FactKind.PODS_REFUSED, second(1), quota="compute-resources", target="Deployment/web"),),
    ),
    Example(
        "podKill",
        PodKill(target=WorkloadTarget(kind="Deployment", name="web"), pods=2, grace_period="0s"),
        tuple(fact(FactKind.POD_GONE, second(n), pod=pod, target="Deployment/web") for n, pod in enumerate(PODS, 1)),
    ),
    Example(
        "podKill",
        PodKill(target=WorkloadTarget(kind="StatefulSet", name="db")),
        (fact(FactKind.POD_GONE, second(1), pod="db-2", target="StatefulSet/db"),),
    ),
    Example(
        "alert",
        AlertAnnounce(alert="CheckoutDown", labels={"severity": "page"}),
        (fact(FactKind.ALERT_FIRING, second(1), alert="CheckoutDown"),),
    ),
    Example(
        "manual",
        Manual(do="unplug rack 3", undo="plug rack 3 in again"),
        (fact(FactKind.CONFIRMED, second(1), fault="squeeze", step="Do"),),
    ),
)


@pytest.fixture(params=EXAMPLES, ids=str)
def example(request: pytest.FixtureRequest) -> Example:
    return request.param


def test_every_kind_has_an_example():
    assert {e.kind for e in EXAMPLES} == set(discover()) == set(fault_kinds())


# ---- in the API


def test_a_fault_of_the_api_is_read_into_the_parameters_of_its_kind(example):
    fault = example.fault
    assert (fault.kind, fault.params, type(fault.params)) == (example.kind, example.params, example.declared.params)
    assert fault.to_wire() == {"name": "squeeze", example.kind: example.params.to_wire()}


def test_a_kind_is_explained_in_one_sentence(example):
    assert re.fullmatch(r"[A-Z][^.]+\.", example.declared.summary)


# ---- before the start


def test_a_kind_plans_operations_that_have_an_undo(example):
    operations = example.planned().operations
    assert operations
    assert all(isinstance(o, get_args(Operation)) for o in operations)


def test_a_kind_asks_to_see_what_it_plans_on(example):
    targets = example.declared.targets(example.params, "shop")
    changed = {o.target for o in example.operations_of(SetFields)} | {o.workload for o in example.operations_of(Remove)}
    assert changed <= set(targets)
    if targets:
        refused = example.declared.plan(example.params, seen({}))
        assert isinstance(refused, Refusal)
        assert refused.reason.isalnum()
        assert refused.message


def test_the_workloads_that_it_changes_are_watched_and_no_others(example):
    changed = {o.target for o in example.operations_of(SetFields)} | {o.workload for o in example.operations_of(Remove)}
    assert example.profile.workloads == {str(target) for target in changed}


def test_what_it_makes_is_declared_and_refused_where_it_is_there_already(example):
    made = {o.target: dict(o.manifest) for o in example.operations_of(Create)}
    assert set(example.profile.makes) == set(made) == set(example.declared.makes(example.params, "shop"))
    if made:
        refused = example.declared.plan(example.params, seen({**OBJECTS, **made}))
        assert isinstance(refused, Refusal)
        assert refused.reason == "AlreadyThere"


def test_it_has_the_rights_that_its_operations_need(example):
    needs = [need for o in example.planned().operations for need in kind_of(o).needs(o)]
    verbs = {Right(need.group, need.resource, verb) for need in needs for verb in (*need.inject, *need.revert)}
    seen_by_every_drill = {Right("apps", plural, "get") for plural in PLURALS.values()}
    assert verbs - seen_by_every_drill <= {*example.declared.rights, *RIGHTS_OF_EVERY_DRILL}


def test_what_its_plan_depends_on_is_measured(example):
    if example.planned(main=40) != example.planned():
        assert example.declared.measures(example.params) == (example.params.target.name,)


def test_it_may_do_what_it_does_to_the_target_and_what_undoes_it(example):
    changes = example.operations_of(SetFields)
    needed = {Right(o.target.group, o.target.plural, "patch") for o in changes}
    needed |= {Right("apps", KEEPS_THE_TEMPLATE[o.target.kind], "delete") for o in changes}
    needed |= {Right("", "pods", "delete") for o in changes if o.unstick}
    assert needed <= set(example.declared.rights)


def test_a_namespace_that_opts_in_gives_all_the_rights_that_a_kind_needs(example):
    files = (file for file in sorted(OPT_IN.glob("opt-in*.yaml")))
    roles = [thing for file in files for thing in yaml.safe_load_all(file.read_text()) if thing["kind"] == "Role"]
    operators = [role for role in roles if role["metadata"]["name"].startswith("kubedrill-operator")]
    given = {
        Right(group, resource, verb)
        for operator in operators
        for rule in operator["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert set(example.declared.rights) <= given


def test_planning_again_from_the_settled_parameters_gives_the_same(example):
    plan = example.planned()
    again = example.declared.plan(plan.settled, seen(OBJECTS))
    assert isinstance(again, Plan)
    assert (again.operations, again.settled) == (plan.operations, plan.settled)


def test_settled_parameters_can_be_stored_and_read_again(example):
    settled = example.planned().settled
    assert type(settled).model_validate(settled.to_wire()) == settled


def test_what_it_touches_is_said_in_a_few_words(example):
    assert re.fullmatch(r"\S.{2,60}\S", example.planned().touches)


def test_what_is_changed_at_the_api_server_is_touched_by_name(example):
    for operation in example.operations_of(SetFields):
        assert str(operation.target) in example.planned().touches


def test_a_plan_is_described_in_whole_lines_that_begin_with_the_kind(example):
    lines = example.declared.describe(example.params, example.planned())
    assert lines[0].startswith(f"{example.kind}: ")
    assert all(line.strip() == line and "\n" not in line for line in lines)


def test_operations_outside_the_api_server_fit_into_an_undo_record(example):
    outside = [o for o in example.planned().operations if not isinstance(o, SetFields)]
    assert all(OutsideGroup("squeeze", o).operation == o for o in outside)


# ---- while it is in


def test_it_had_no_effect_before_anything_was_seen(example):
    effect = example.declared.effect("squeeze", example.planned().settled, ())
    assert (effect.complete, effect.seen, effect.at) == (False, 0, None)
    assert effect.evidence


def test_injecting_alone_is_no_effect(example):
    assert not example.declared.effect("squeeze", example.planned().settled, (injected(),)).complete


def test_its_effect_is_seen_in_facts(example):
    effect = example.declared.effect("squeeze", example.planned().settled, (injected(), *example.complete))
    assert effect.complete, effect.evidence
    assert effect.at is not None


def test_putting_back_the_fault_itself_is_a_fix(example):
    (after,) = example.started().profiles
    for operation in example.operations_of(SetFields):
        assert after.cause
        assert re.search(after.cause, operation.changes[0].path)
    for _ in example.operations_of(Create):
        assert re.search(after.cause, "/metadata/name")


def test_a_field_that_it_does_not_touch_is_no_part_of_the_cause(example):
    (after,) = example.started().profiles
    if example.operations_of(Create):
        return  # of what it makes, everything is its own
    for path in ("/spec/replicas", "/spec/template/metadata/labels/app", "/spec/template/spec/containers/0/name"):
        assert not after.cause or not re.search(after.cause, path)


def test_the_alerts_that_it_holds_up_are_those_that_it_announces(example):
    assert example.profile.announces == {o.labels["alertname"] for o in example.operations_of(Announce)}


def test_what_the_facilitator_is_asked_is_what_it_asks(example):
    assert example.profile.asks == "; ".join(o.do for o in example.operations_of(Ask))


def test_it_is_for_people_only_where_it_breaks_nothing_itself(example):
    breaks = [o for o in example.planned().operations if not isinstance(o, Announce | Ask)]
    assert example.declared.people_only == (not breaks)
