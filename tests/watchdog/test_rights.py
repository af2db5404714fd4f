"""What the watchdog may do in its own namespace, and what its pod is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

BASE = Path(__file__).parents[2] / "manifests/base"


def things(file: str) -> dict[tuple[str, str], dict[str, Any]]:
    loaded = yaml.safe_load_all((BASE / file).read_text(encoding="utf-8"))
    return {(thing["kind"], thing["metadata"]["name"]): thing for thing in loaded}


def rights(role: dict[str, Any]) -> set[tuple[str, str]]:
    return {(resource, verb) for rule in role["rules"] for resource in rule["resources"] for verb in rule["verbs"]}


def pod(file: str, name: str) -> dict[str, Any]:
    return things(file)["Deployment", name]["spec"]["template"]["spec"]


def test_it_cannot_inject_for_it_cannot_make_a_record():
    granted = rights(things("rbac.yaml")["Role", "kubedrill-watchdog"])
    assert granted == {
        *(("secrets", verb) for verb in ("get", "list", "patch", "delete")),
        *(("drills", verb) for verb in ("get", "list", "patch")),
        ("leases", "get"),
        ("events", "create"),
    }


def test_only_the_operator_beats_its_heart():
    operator = rights(things("rbac.yaml")["Role", "kubedrill"])
    assert {verb for resource, verb in operator if resource == "leases"} == {"get", "create", "patch"}


def test_only_the_operator_deletes_drills_and_none_of_their_reports():
    roles = things("rbac.yaml") | things("break-glass.yaml")
    deleting = {name: rights(role) for (kind, name), role in roles.items() if kind in ("Role", "ClusterRole")}
    assert {name for name, granted in deleting.items() if ("drills", "delete") in granted} == {"kubedrill"}
    assert not [name for name, granted in deleting.items() if ("drillreports", "delete") in granted]


def test_both_may_tell_a_namespace_that_is_gone_from_one_that_is_forbidden():
    binding = things("rbac.yaml")["ClusterRoleBinding", "kubedrill-namespaces"]
    assert {subject["name"] for subject in binding["subjects"]} == {"kubedrill", "kubedrill-watchdog"}


def test_it_is_another_process_of_the_same_image_under_an_account_of_its_own():
    watchdog, operator = pod("watchdog.yaml", "kubedrill-watchdog"), pod("deployment.yaml", "kubedrill")
    assert watchdog["serviceAccountName"] == "kubedrill-watchdog"
    assert watchdog["containers"][0]["image"] == operator["containers"][0]["image"]
    assert watchdog["containers"][0]["command"][1:] == ["-m", "kubedrill.watchdog"]


@pytest.mark.parametrize("where", ["pod", "container"])
def test_it_is_no_less_restricted_than_the_operator(where: str):
    pods = pod("watchdog.yaml", "kubedrill-watchdog"), pod("deployment.yaml", "kubedrill")
    watchdog, operator = pods if where == "pod" else (one["containers"][0] for one in pods)
    assert watchdog["securityContext"] == operator["securityContext"]
