"""The roles of people and the policy on their words speak of the same words and rights as the code."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from kubedrill.api.people import FACILITATORS
from kubedrill.cli.connection import OPT_IN_LABEL
from kubedrill.cli.players.where import CONTROL_LABEL
from kubedrill.core.rights import Right

BASE = Path(__file__).parents[2] / "manifests/base"
THINGS = {(t["kind"], t["metadata"]["name"]): t for t in yaml.safe_load_all((BASE / "people.yaml").read_text())}
POLICY = THINGS["ValidatingAdmissionPolicy", "kubedrill-own-words"]["spec"]
VERBS = {action.value.lower() for action in FACILITATORS}


def rights(role: str) -> set[Right]:
    return {
        Right(group, resource, verb)
        for rule in THINGS["ClusterRole", role]["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_the_policy_fails_closed_refuses_plainly_is_bound_and_holds_in_every_namespace():
    assert POLICY["failurePolicy"] == "Fail"
    assert "namespaceSelector" not in POLICY["matchConstraints"]
    assert {v["reason"] for v in POLICY["validations"]} == {"Forbidden"}
    binding = THINGS["ValidatingAdmissionPolicyBinding", "kubedrill-own-words"]["spec"]
    assert binding == {"policyName": "kubedrill-own-words", "validationActions": ["Deny"]}


def test_what_facilitators_say_is_what_the_policy_asks_a_right_for():
    (expression,) = (v["expression"] for v in POLICY["variables"] if v["name"] == "facilitates")
    assert set(re.findall(r"'(\w+)'", expression)) == {action.value for action in FACILITATORS}


def test_a_word_is_heard_in_namespaces_that_bear_the_label_of_the_opt_in_or_of_drills():
    expressions = {v["name"]: v["expression"] for v in POLICY["variables"]}
    assert f"'{OPT_IN_LABEL}'" in expressions["optedIn"]
    assert f"'{CONTROL_LABEL}'" in expressions["inControlNamespace"]


def test_the_facilitators_role_has_each_of_these_rights_and_the_players_none():
    of_words = {Right("kubedrill.dev", "playeractions", verb) for verb in VERBS}
    assert of_words <= rights("kubedrill-facilitator")
    assert not of_words & rights("kubedrill-player")


def test_players_may_speak_and_nothing_else():
    assert {right.resource for right in rights("kubedrill-player")} == {"playeractions"}
    assert not {"update", "patch", "delete", "*"} & {right.verb for right in rights("kubedrill-player")}


def test_nobody_of_them_writes_evidence():
    written = {"create", "update", "patch", "delete", "*"}
    assert not {r for r in rights("kubedrill-facilitator") if r.resource == "configmaps" and r.verb in written}


def test_an_observer_reads_what_a_facilitator_reads_and_does_nothing():
    seen = rights("kubedrill-observer")
    assert {right.verb for right in seen} == {"get", "list", "watch"}
    assert seen < rights("kubedrill-facilitator")


def test_who_administers_environments_reads_no_drill_and_no_report():
    of_environments = rights("kubedrill-environment-admin")
    assert {r.resource for r in of_environments if r.verb == "create"} == {"drillenvironments"}
    assert not {r.resource for r in of_environments} & {"drills", "drillscenarios", "drillreports", "configmaps"}
    assert not {r for r in rights("kubedrill-facilitator") if r.resource == "drillenvironments" and r.verb == "create"}


def test_who_reads_drills_is_no_part_of_a_role_that_players_may_have():
    """`view` and `edit` are often everybody's, and who reads a drill knows the answer."""
    for (kind, name), thing in THINGS.items():
        parts = [label for label in thing["metadata"].get("labels", {}) if "aggregate-to" in label]
        if kind == "ClusterRole" and parts:
            assert not {r.resource for r in rights(name)} & {"drills", "drillscenarios", "drillreports"}, name


def test_nobody_is_bound_by_default():
    assert not [kind for kind, _ in THINGS if kind in ("RoleBinding", "ClusterRoleBinding")]
