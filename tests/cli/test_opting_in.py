"""A namespace opts in by its own admin's hand, and cannot leave while it is broken."""

from pathlib import Path

import pytest
import yaml
from tests.cli.drills import drill
from tests.cli.fake_api import GROUP

from kubedrill.cli.setup.opt_in import MORE, binding_of_players, objects

ROOT = Path(__file__).parents[2]
DRILLS = f"{GROUP}/drills/drills"
RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop"
LABEL = {"kubedrill.dev/control-namespace": "drills"}


def shop(api, **labels):
    api.put("/api/v1/namespaces", {"metadata": {"name": "shop", "labels": labels}})


def rights(role):
    return {(r, v) for rule in role["rules"] for r in rule["resources"] for v in rule["verbs"]}


def test_opting_in_labels_the_namespace_and_binds_the_operator_there(api, kubedrill):
    shop(api)
    assert kubedrill("opt-in", "shop").exit_code == 0
    assert api.collections["/api/v1/namespaces"]["shop"]["metadata"]["labels"] == LABEL
    binding = api.collections[f"{RBAC}/rolebindings"]["kubedrill-operator"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "kubedrill", "namespace": "drills"}]
    assert binding["roleRef"]["name"] in api.collections[f"{RBAC}/roles"]


def test_opting_in_binds_the_watchdog_and_the_break_glass_group_to_a_role_of_their_own(api, kubedrill):
    shop(api)
    kubedrill("opt-in", "shop")
    binding = api.collections[f"{RBAC}/rolebindings"]["kubedrill-watchdog"]
    assert binding["roleRef"]["name"] == "kubedrill-watchdog"
    assert [(s["kind"], s["name"]) for s in binding["subjects"]] == [
        ("ServiceAccount", "kubedrill-watchdog"),
        ("Group", "kubedrill:break-glass"),
    ]
    assert "kubedrill-watchdog" in api.collections[f"{RBAC}/roles"]


def test_a_namespace_that_is_not_there_is_not_made(api, kubedrill):
    api.collections["/api/v1/namespaces"] = {}
    assert kubedrill("opt-in", "shop").exit_code == 2
    assert not api.collections["/api/v1/namespaces"]


def test_it_gives_players_the_right_to_speak_there_and_no_other(api, kubedrill):
    shop(api)
    assert kubedrill("opt-in", "shop", "--player", "alice@example.com", "--player-group", "l2").exit_code == 0
    binding = api.collections[f"{RBAC}/rolebindings"]["kubedrill-opt-in-players"]
    assert (binding["roleRef"]["kind"], binding["roleRef"]["name"]) == ("ClusterRole", "kubedrill-player")
    assert [(s["kind"], s["name"]) for s in binding["subjects"]] == [("User", "alice@example.com"), ("Group", "l2")]


def test_whatever_it_makes_can_be_removed_by_its_label_without_the_command_line():
    _, *made = [*objects("shop", "drills", *MORE), binding_of_players("shop", ["alice@example.com"], [])]
    assert {thing["metadata"]["labels"]["app.kubernetes.io/part-of"] for thing in made} == {"kubedrill"}


def test_opting_in_again_without_players_takes_nobody_their_right(api, kubedrill):
    shop(api)
    kubedrill("opt-in", "shop", "--player", "alice@example.com")
    kubedrill("opt-in", "shop")
    assert "kubedrill-opt-in-players" in api.collections[f"{RBAC}/rolebindings"]


def no_labels(api):
    """Whoever asks may not change the namespace itself, as its own admin may not."""
    api.answers["PATCH", "/api/v1/namespaces/shop"] = (
        403,
        {"reason": "Forbidden", "message": "namespaces is forbidden"},
    )


def test_a_namespace_that_the_platform_team_has_labelled_is_opted_in_by_its_own_admin(api, kubedrill):
    shop(api, **LABEL)
    no_labels(api)
    assert kubedrill("opt-in", "shop").exit_code == 0
    assert {"kubedrill-operator", "kubedrill-watchdog"} <= {*api.collections[f"{RBAC}/rolebindings"]}


@pytest.mark.parametrize("label", ["", "another"])
def test_one_that_is_not_labelled_yet_is_not_and_the_command_for_it_is_told(api, kubedrill, label):
    shop(api, **({"kubedrill.dev/control-namespace": label} if label else {}))
    no_labels(api)
    result = kubedrill("opt-in", "shop")
    assert result.exit_code == 3
    assert "kubectl label namespace shop kubedrill.dev/control-namespace=drills --overwrite" in result.output
    assert f"{RBAC}/rolebindings" not in api.collections


def test_the_role_of_a_namespaces_own_admin_is_what_opting_in_gives_and_no_more():
    """Nobody may give what they don't have: else the API server refuses the Roles, as an escalation."""
    people = yaml.safe_load_all((ROOT / "manifests/base/people.yaml").read_text(encoding="utf-8"))
    (role,) = (t for t in people if (t["kind"], t["metadata"]["name"]) == ("ClusterRole", "kubedrill-opt-in"))
    assert role["metadata"]["labels"] == {"rbac.authorization.k8s.io/aggregate-to-admin": "true"}
    _, operator, _, watchdog, _ = objects("shop", "drills")
    assert in_groups(role) == in_groups(operator) | in_groups(watchdog)


def in_groups(role):
    return {
        (g, r, v) for rule in role["rules"] for g in rule["apiGroups"] for r in rule["resources"] for v in rule["verbs"]
    }


def test_what_would_be_applied_can_be_read_first(api, kubedrill):
    printed = list(yaml.safe_load_all(kubedrill("opt-in", "shop", "--print").output))
    assert printed == objects("shop", "drills")
    assert not api.requests


def test_the_operator_gets_no_right_that_it_has_no_use_for():
    given = rights(objects("shop", "drills")[1])
    assert not {(r, v) for r, v in given if r in ("secrets", "pods/exec", "configmaps") or v in ("*", "update")}
    assert {r for r, v in given if v == "patch"} == {"deployments", "statefulsets"}


def test_whoever_only_puts_back_can_do_no_more_than_the_operator():
    _, operator, _, watchdog, _ = objects("shop", "drills")
    assert rights(watchdog) < rights(operator)
    assert {(r, v) for r, v in rights(watchdog) if v not in ("get", "list")} == {
        ("deployments", "patch"),
        ("statefulsets", "patch"),
        ("replicasets", "delete"),
        ("controllerrevisions", "delete"),
        ("pods", "delete"),
    }


def test_what_only_some_faults_need_is_given_only_where_it_is_asked_for(api, kubedrill):
    shop(api)
    kubedrill("opt-in", "shop")
    assert "kubedrill-operator-quotas" not in api.collections[f"{RBAC}/roles"]
    kubedrill("opt-in", "shop", "--allow", "quotas")
    assert {"kubedrill-operator-quotas", "kubedrill-watchdog-quotas"} <= {*api.collections[f"{RBAC}/roles"]}
    *_, operator, _, watchdog, _ = objects("shop", "drills", *MORE)
    assert rights(operator) == {("resourcequotas", verb) for verb in ("get", "list", "watch", "create", "delete")}
    assert rights(watchdog) == {("resourcequotas", verb) for verb in ("get", "list", "delete")}


def test_opting_out_takes_what_only_some_faults_need_as_well(api, kubedrill):
    shop(api)
    api.collections[DRILLS] = {}
    kubedrill("opt-in", "shop", "--allow", "quotas")
    assert kubedrill("opt-out", "shop").exit_code == 0
    assert not api.collections[f"{RBAC}/roles"]


def test_opting_out_takes_label_and_rights_back(api, kubedrill):
    shop(api)
    api.collections[DRILLS] = {}
    kubedrill("opt-in", "shop", "--player", "alice@example.com")
    assert kubedrill("opt-out", "shop").exit_code == 0
    assert api.collections["/api/v1/namespaces"]["shop"]["metadata"]["labels"] == {}
    assert not api.collections[f"{RBAC}/rolebindings"]
    assert not api.collections[f"{RBAC}/roles"]


def test_a_namespace_that_is_broken_right_now_cannot_opt_out(api, kubedrill):
    shop(api, **LABEL)
    on = drill(phase="InPlay", startExTime="2026-03-02T12:00:00Z")
    on["spec"]["targetNamespace"] = "shop"
    api.put(DRILLS, on)
    result = kubedrill("opt-out", "shop")
    assert result.exit_code == 3
    assert "kubectl drill stop rush" in result.output
    assert api.collections["/api/v1/namespaces"]["shop"]["metadata"]["labels"] == LABEL
