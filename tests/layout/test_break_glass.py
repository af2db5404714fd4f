"""The manifests of the break-glass group and the policies speak of the same things as the code, and give no more."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from kubedrill.api.base import GROUP
from kubedrill.api.drill import ACCEPTS_UNVERIFIED, DESIRED, FINALIZER
from kubedrill.cli.connection import BREAK_GLASS
from kubedrill.cli.safety.installed import KINDS, policies
from kubedrill.core.undo.record import record_name
from kubedrill.store.undo_records import RECORD_TYPE

BASE = Path(__file__).parents[2] / "manifests/base"
PUT_BACK = list(yaml.safe_load_all((BASE / "break-glass.yaml").read_text()))
POLICIES = {
    (thing["kind"], thing["metadata"]["name"]): thing["spec"]
    for thing in yaml.safe_load_all((BASE / "policies.yaml").read_text())
}
WORD = "kubedrill-facilitators-word"
BY_NAME = {name: spec for (kind, name), spec in POLICIES.items() if kind == "ValidatingAdmissionPolicy"}


def rights() -> set[tuple[str, str]]:
    (role,) = (thing for thing in PUT_BACK if thing["kind"] == "Role")
    return {(resource, verb) for rule in role["rules"] for resource in rule["resources"] for verb in rule["verbs"]}


def test_the_group_is_bound_and_nobody_else():
    bindings = [thing for thing in PUT_BACK if thing["kind"].endswith("Binding")]
    assert bindings
    assert {(s["kind"], s["name"]) for b in bindings for s in b["subjects"]} == {("Group", BREAK_GLASS)}


def test_the_group_can_neither_make_a_record_nor_a_drill_nor_anything_of_its_own_but_a_job():
    assert {right for right in rights() if right[1] == "create"} == {("jobs", "create"), ("events", "create")}
    assert not {verb for _, verb in rights()} & {"*", "update", "deletecollection", "escalate", "bind", "impersonate"}


@pytest.mark.parametrize("name", BY_NAME)
def test_every_policy_refuses_plainly_fails_closed_and_is_bound(name: str):
    spec = BY_NAME[name]
    assert spec["failurePolicy"] == "Fail"
    assert {v["reason"] for v in spec["validations"]} == {"Forbidden"}
    way_out = "kubectl drill st" if name == WORD else "kubectl drill restore"
    assert all(way_out in v["messageExpression"] for v in spec["validations"])
    assert POLICIES["ValidatingAdmissionPolicyBinding", name]["validationActions"] == ["Deny"]


def test_records_and_finalizer_are_those_of_the_code():
    assert f"'{RECORD_TYPE}'" in BY_NAME["kubedrill-undo-records"]["matchConditions"][0]["expression"]
    variables = {v["name"]: v["expression"] for v in BY_NAME["kubedrill-put-back-first"]["variables"]}
    assert f"'{FINALIZER}'" in variables["losesTheFinalizer"]
    assert f"'{ACCEPTS_UNVERIFIED}'" in variables["acceptsUnverified"]
    for name in ("kubedrill-undo-records", "kubedrill-put-back-first"):
        for validation in BY_NAME[name]["validations"]:
            assert f"'{BREAK_GLASS}' in request.userInfo.groups" in validation["expression"]


def test_the_names_of_all_undo_records_are_guarded_and_no_others():
    expression = BY_NAME["kubedrill-undo-records"]["matchConditions"][0]["expression"]
    (pattern,) = re.findall(r"matches\('([^']+)'\)", expression)
    assert re.search(pattern, record_name("apps", "Deployment", "n1", "web"))
    assert not re.search(pattern, "undo-button")


def test_the_facilitators_word_is_the_one_of_the_code():
    variables = {v["name"]: v["expression"] for v in BY_NAME[WORD]["variables"]}
    assert all(f"'{DESIRED}'" in expression for expression in variables.values())


@pytest.mark.parametrize("name", ["kubedrill-undo-records", "kubedrill-put-back-first", WORD])
def test_policies_on_what_is_in_a_namespace_hold_for_control_namespaces_only(name: str):
    wanted = BY_NAME[name]["matchConstraints"]["namespaceSelector"]["matchLabels"]
    (namespace,) = yaml.safe_load_all((BASE / "namespace.yaml").read_text())
    assert wanted.items() <= namespace["metadata"]["labels"].items()


@pytest.mark.parametrize("name", ["kubedrill-control-namespace", "kubedrill-definitions"])
def test_what_an_open_record_forbids_is_judged_by_its_type_for_any_secret_may_bear_a_label(name: str):
    assert POLICIES["ValidatingAdmissionPolicyBinding", name]["paramRef"]["selector"] == {}
    expressions = [e["expression"] for key in ("variables", "validations") for e in BY_NAME[name].get(key, ())]
    assert any(re.search(rf"params\.\?type\.orValue\(''\) [!=]= '{RECORD_TYPE}'", e) for e in expressions)


def test_every_definition_of_ours_is_guarded():
    (condition,) = BY_NAME["kubedrill-definitions"]["matchConditions"]
    (suffix,) = re.findall(r"endsWith\('([^']+)'\)", condition["expression"])
    assert all(f"{kind}.{GROUP}".endswith(suffix) for kind in KINDS)


def test_uninstalling_knows_every_policy():
    things = [thing for file in BASE.glob("*.yaml") for thing in yaml.safe_load_all(file.read_text())]
    named = {t["metadata"]["name"] for t in things if t["kind"] == "ValidatingAdmissionPolicy"}
    assert {path.rpartition("/")[2] for path in policies()} == named
