"""The manifests of the break-glass group and the policies speak of the same things as the code, and give no more."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from kubedrill.api.base import GROUP
from kubedrill.api.drill import FINALIZER
from kubedrill.cli.connection import BREAK_GLASS
from kubedrill.cli.installed import KINDS, policies
from kubedrill.protocol.records import RECORD_TYPE

BASE = Path(__file__).parents[2] / "manifests/base"
PUT_BACK = list(yaml.safe_load_all((BASE / "break-glass.yaml").read_text()))
POLICIES = {
    (thing["kind"], thing["metadata"]["name"]): thing["spec"]
    for thing in yaml.safe_load_all((BASE / "policies.yaml").read_text())
}
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
    assert all("kubectl drill restore" in v["messageExpression"] for v in spec["validations"])
    assert POLICIES["ValidatingAdmissionPolicyBinding", name]["validationActions"] == ["Deny"]


def test_records_and_finalizer_are_those_of_the_code():
    assert f"'{RECORD_TYPE}'" in BY_NAME["kubedrill-undo-records"]["matchConditions"][0]["expression"]
    assert f"'{FINALIZER}'" in BY_NAME["kubedrill-put-back-first"]["matchConditions"][0]["expression"]
    for name in ("kubedrill-undo-records", "kubedrill-put-back-first"):
        assert f"'{BREAK_GLASS}' in request.userInfo.groups" in BY_NAME[name]["validations"][0]["expression"]


def test_every_definition_of_ours_is_guarded():
    (condition,) = BY_NAME["kubedrill-definitions"]["matchConditions"]
    (suffix,) = re.findall(r"endsWith\('([^']+)'\)", condition["expression"])
    assert all(f"{kind}.{GROUP}".endswith(suffix) for kind in KINDS)


def test_uninstalling_knows_every_policy():
    assert {path.rpartition("/")[2] for path in policies()} == set(BY_NAME)
