"""The CRDs are at home at a real API server."""

from __future__ import annotations

import json

import pytest
from tests.e2e.api.conftest import kubectl, myself
from tests.e2e.api.test_messages import drill


def made(namespace: str) -> str:
    thing = drill()
    name = thing["metadata"]["name"]
    assert kubectl("apply", "-n", namespace, "-f", "-", given=thing).returncode == 0
    return name


@pytest.mark.parametrize(
    ("field", "words"),
    [
        (
            "drill.spec.scenario.faults",
            ("What is broken", "memoryLimit", "queueLoad", "alert", "manual", "OOM-killed"),
        ),
        ("dscn.spec.faults", ("What is broken", "exactly one kind")),
        ("drill.spec.scenario.faults.memoryLimit.limit", ("a quantity such as 64Mi",)),
        ("pa.spec.action", ("What is said", "Acknowledge")),
    ],
)
def test_kubectl_explains_what_may_be_written(definitions: None, field: str, words: tuple[str, ...]):  # noqa: ARG001
    explained = kubectl("explain", field).stdout
    assert all(word in " ".join(explained.split()) for word in words), explained


def test_a_list_of_drills_shows_phase_verdict_clock_and_what_is_next(namespace: str):
    name = made(namespace)
    status = {"phase": "InPlay", "clock": "T+7m", "next": "mitigation in 13m", "message": "Play is on."}
    patched = kubectl(
        "patch",
        "drill",
        name,
        "-n",
        namespace,
        "--subresource=status",
        "--type=merge",
        "-p",
        json.dumps({"status": status}),
    )
    assert patched.returncode == 0, patched.stderr
    heading, line = kubectl("get", "drill", name, "-n", namespace).stdout.splitlines()
    assert heading.split() == ["NAME", "PHASE", "VERDICT", "T+", "NEXT", "AGE"]
    assert "InPlay" in line
    assert "mitigation in 13m" in line
    wide = kubectl("get", "drill", name, "-n", namespace, "-o", "wide").stdout
    assert "shop-staging" in wide
    assert "Play is on." in wide


def test_a_status_in_the_manifest_is_ignored(namespace: str):
    thing = drill() | {"status": {"phase": "Completed"}}
    assert kubectl("apply", "-n", namespace, "-f", "-", given=thing).returncode == 0
    stored = json.loads(kubectl("get", "drill", thing["metadata"]["name"], "-n", namespace, "-o", "json").stdout)
    assert "status" not in stored


def test_the_reducers_own_state_is_stored_whole(namespace: str):
    name = made(namespace)
    machine = {"phase": "Armed", "faults": [{"name": "limit", "anything": {"deep": [1, 2]}}]}
    kubectl(
        "patch",
        "drill",
        name,
        "-n",
        namespace,
        "--subresource=status",
        "--type=merge",
        "-p",
        json.dumps({"status": {"machine": machine}}),
    )
    stored = json.loads(kubectl("get", "drill", name, "-n", namespace, "-o", "json").stdout)
    assert stored["status"]["machine"] == machine


def test_two_conditions_of_one_type_are_refused(namespace: str):
    name = made(namespace)
    condition = {
        "type": "Finished",
        "status": "True",
        "reason": "Done",
        "message": "",
        "lastTransitionTime": "2026-03-02T12:00:00Z",
    }
    patched = kubectl(
        "patch",
        "drill",
        name,
        "-n",
        namespace,
        "--subresource=status",
        "--type=merge",
        "-p",
        json.dumps({"status": {"conditions": [condition, condition]}}),
    )
    assert "Duplicate value" in patched.stderr


@pytest.mark.parametrize("name", ["dscn", "pa", "drep", "drill", "kubedrill"])
def test_the_short_names_and_the_category_work(namespace: str, name: str):
    assert kubectl("get", name, "-n", namespace).returncode == 0


def test_a_name_is_made_for_each_word(namespace: str):
    said = {
        "apiVersion": "kubedrill.dev/v1alpha1",
        "kind": "PlayerAction",
        "metadata": {"generateName": "acknowledge-"},
        "spec": {"actor": myself(), "action": "Acknowledge"},
    }
    first, second = (kubectl("create", "-n", namespace, "-o", "name", "-f", "-", given=said).stdout for _ in range(2))
    assert first != second
