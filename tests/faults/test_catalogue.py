"""Every fault kind keeps the whole contract: what it declares and what it does agree, and nothing is forgotten."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
import yaml
from tests.faults.builders import injected, seen
from tests.faults.example import OBJECTS, Example, examples

from kubedrill.api.faults import fault_kinds
from kubedrill.core.rights import Right
from kubedrill.core.undo.operations import Announce, Ask, Create, Operation, Refusal, Remove, SetFields
from kubedrill.core.undo.record import OutsideGroup
from kubedrill.plugins.faults import discover
from kubedrill.plugins.faults.base import Plan
from kubedrill.plugins.faults.of_drill import RIGHTS_OF_EVERY_DRILL
from kubedrill.plugins.faults.workload import PLURALS
from kubedrill.plugins.operations.catalogue import kind_of

KEEPS_THE_TEMPLATE = {"Deployment": "replicasets", "StatefulSet": "controllerrevisions"}
OPT_IN = Path(__file__).parents[2] / "operator/kubedrill/cli/setup"
EXAMPLES = examples()


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


def test_what_breaks_something_says_how_people_call_that_and_names_differ(example):
    called = example.declared.called
    assert bool(called) == (not example.declared.people_only)
    assert len({name.lower() for name in called}) == len(called)
    assert all(re.fullmatch(r"([A-Z][a-z]*|[A-Z]+)+", name) for name in called)


def test_it_is_for_people_only_where_it_breaks_nothing_itself(example):
    breaks = [o for o in example.planned().operations if not isinstance(o, Announce | Ask)]
    assert example.declared.people_only == (not breaks)
