"""What keeps the undo records until the cluster is put back, on the real API server: cluster admins are bound too."""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.api.conftest import kubectl
from tests.e2e.api.test_messages import drill

INSTALLED = "drills"
"""The control namespace that the bindings name."""
CONTROL = "kubedrill.dev/control"
ACCEPTS = "kubedrill.dev/accepts-unverified"
WORD = "kubedrill.dev/desired"
POLICIES = Path(__file__).parents[3] / "manifests/base/policies.yaml"
FINALIZER = "kubedrill.dev/put-back"
IN_FORCE_WITHIN = 30
REMOVES = json.dumps({"metadata": {"finalizers": None}})


def record() -> dict[str, Any]:
    metadata = {"name": undo_name(), "labels": {"kubedrill.dev/record": "undo"}}
    return {"apiVersion": "v1", "kind": "Secret", "type": "kubedrill.dev/undo", "metadata": metadata}


def undo_name() -> str:
    """A name as undo records have them."""
    return f"undo-{uuid.uuid4().hex[:24]}"


def service_account(namespace: str, name: str) -> tuple[str, ...]:
    return ("--as", f"system:serviceaccount:{namespace}:{name}")


def of_the_group(user: str = "alice@example.com") -> tuple[str, ...]:
    return ("--as", user, "--as-group", "kubedrill:break-glass")


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """What the policy said; it is a plain refusal."""
    assert done.returncode != 0, done.stdout
    assert "(Forbidden)" in done.stderr or "is forbidden" in done.stderr, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def policies(namespace: str) -> None:
    """The policies are in force, and those who are to pass them have the plain rights here."""
    applied = kubectl("apply", "-f", str(POLICIES))
    assert applied.returncode == 0, applied.stderr
    labelled = kubectl("label", "namespace", namespace, f"{CONTROL}=true")
    assert labelled.returncode == 0, labelled.stderr
    names = [f"writers-{uuid.uuid4().hex[:6]}", f"group-{uuid.uuid4().hex[:6]}"]
    users = [f"--user={service_account(namespace, name)[1]}" for name in ("kubedrill", "kubedrill-watchdog")]
    bound = kubectl("create", "rolebinding", names[0], "-n", namespace, "--clusterrole=cluster-admin", *users)
    assert bound.returncode == 0, bound.stderr
    group = "--group=kubedrill:break-glass"
    bound = kubectl("create", "rolebinding", names[1], "-n", namespace, "--clusterrole=cluster-admin", group)
    assert bound.returncode == 0, bound.stderr
    deadline = time.monotonic() + IN_FORCE_WITHIN
    while kubectl("create", "-n", namespace, "--dry-run=server", "-f", "-", given=record()).returncode == 0:
        assert time.monotonic() < deadline, "the policies are not in force"
        time.sleep(0.2)


@pytest.fixture
def stored(policies: None, namespace: str) -> Iterator[str]:  # noqa: ARG001  the rights
    """An undo record that the operator of this namespace has stored."""
    thing = record()
    operator = service_account(namespace, "kubedrill")
    made = kubectl("create", "-n", namespace, *operator, "-f", "-", given=thing)
    assert made.returncode == 0, made.stderr
    name = str(thing["metadata"]["name"])
    yield name
    kubectl("delete", "secret", name, "-n", namespace, "--ignore-not-found", *operator)


ALLOWED = {
    "operator": lambda namespace: service_account(namespace, "kubedrill"),
    "watchdog": lambda namespace: service_account(namespace, "kubedrill-watchdog"),
    "break-glass group": lambda _: of_the_group(),
}


@pytest.mark.parametrize("who", ALLOWED.values(), ids=ALLOWED)
def test_an_undo_record_may_be_written_and_deleted_by(namespace: str, policies: None, who):  # noqa: ARG001
    thing = record()
    name = thing["metadata"]["name"]
    assert kubectl("create", "-n", namespace, *who(namespace), "-f", "-", given=thing).returncode == 0
    change = json.dumps({"stringData": {"record": "x"}})
    assert kubectl("patch", "secret", name, "-n", namespace, *who(namespace), "-p", change).returncode == 0
    assert kubectl("delete", "secret", name, "-n", namespace, *who(namespace)).returncode == 0


def test_a_cluster_admin_can_neither_make_nor_change_nor_delete_one(namespace: str, stored: str):
    said = refused(kubectl("delete", "secret", stored, "-n", namespace))
    assert f"may not write undo record {stored} in {namespace}" in said
    assert "kubectl drill restore" in said
    refused(kubectl("patch", "secret", stored, "-n", namespace, "-p", '{"stringData":{"record":"x"}}'))
    refused(kubectl("label", "secret", stored, "-n", namespace, "kubedrill.dev/record-"))
    refused(kubectl("create", "-n", namespace, "-f", "-", given=record()))


def test_deleting_all_secrets_leaves_them(namespace: str, stored: str):
    refused(kubectl("delete", "secrets", "--all", "-n", namespace))
    assert kubectl("get", "secret", stored, "-n", namespace).returncode == 0


def test_the_operator_of_another_namespace_is_nobody_here(namespace: str, stored: str):
    stranger = service_account("elsewhere", "kubedrill")
    name = f"stranger-{uuid.uuid4().hex[:6]}"
    made = kubectl(
        "create", "rolebinding", name, "-n", namespace, "--clusterrole=cluster-admin", f"--user={stranger[1]}"
    )
    assert made.returncode == 0, made.stderr
    refused(kubectl("delete", "secret", stored, "-n", namespace, *stranger))


def test_f4_nothing_else_can_be_put_under_the_name_of_an_undo_record(namespace: str, policies: None):  # noqa: ARG001
    said = refused(kubectl("create", "secret", "generic", undo_name(), "-n", namespace))
    assert "may not write undo record" in said


def test_f32_a_secret_of_the_records_type_in_any_other_namespace_is_its_owners_business(namespace: str, policies: None):  # noqa: ARG001
    elsewhere = f"{namespace}-else"
    assert kubectl("create", "namespace", elsewhere).returncode == 0
    try:
        thing = record()
        name = str(thing["metadata"]["name"])
        done = kubectl("create", "-n", elsewhere, "-f", "-", given=thing)
        assert done.returncode == 0, done.stderr
        assert kubectl("delete", "secret", name, "-n", elsewhere).returncode == 0
    finally:
        kubectl("delete", "namespace", elsewhere, "--wait=false")


def test_other_secrets_are_everybodys_business(namespace: str, policies: None):  # noqa: ARG001
    name = f"undo-button-{uuid.uuid4().hex[:6]}"
    assert kubectl("create", "secret", "generic", name, "-n", namespace).returncode == 0
    assert kubectl("delete", "secret", name, "-n", namespace).returncode == 0


@pytest.fixture
def held(policies: None, namespace: str) -> Iterator[str]:  # noqa: ARG001  the rights
    """A Drill that has our finalizer."""
    thing = drill()
    name = str(thing["metadata"]["name"])
    thing["metadata"]["finalizers"] = [FINALIZER]
    assert kubectl("apply", "-n", namespace, "-f", "-", given=thing).returncode == 0
    yield name
    operator = service_account(namespace, "kubedrill")
    kubectl("patch", "drill", name, "-n", namespace, "--type=merge", "-p", REMOVES, *operator)
    kubectl("delete", "drill", name, "-n", namespace, "--ignore-not-found")


def test_a_cluster_admin_cannot_strip_the_finalizer_of_a_drill_but_may_change_the_rest(namespace: str, held: str):
    said = refused(kubectl("patch", "drill", held, "-n", namespace, "--type=merge", "-p", REMOVES))
    assert f"may not take {FINALIZER} off drill {held}" in said
    wish = '{"spec":{"desired":"Stop"}}'
    assert kubectl("patch", "drill", held, "-n", namespace, "--type=merge", "-p", wish).returncode == 0
    more = json.dumps({"metadata": {"finalizers": [FINALIZER, "example.com/other"]}})
    assert kubectl("patch", "drill", held, "-n", namespace, "--type=merge", "-p", more).returncode == 0


def accepting(drill_name: str, namespace: str, *who: str) -> subprocess.CompletedProcess[str]:
    change = json.dumps({"metadata": {"annotations": {ACCEPTS: "somebody"}}})
    return kubectl("patch", "drill", drill_name, "-n", namespace, "--type=merge", "-p", change, *who)


def test_only_break_glass_lets_a_drill_end_with_what_is_not_verified(namespace: str, held: str):
    assert f"may not set {ACCEPTS} on drill {held}" in refused(accepting(held, namespace))
    refused(accepting(held, namespace, *service_account(namespace, "kubedrill")))
    done = accepting(held, namespace, *of_the_group())
    assert done.returncode == 0, done.stderr
    wish = '{"spec":{"desired":"Stop"}}'
    assert kubectl("patch", "drill", held, "-n", namespace, "--type=merge", "-p", wish).returncode == 0


def test_a_drill_can_not_be_made_with_that_decision_in_it(namespace: str, policies: None):  # noqa: ARG001
    thing = drill()
    thing["metadata"]["annotations"] = {ACCEPTS: "somebody"}
    refused(kubectl("create", "-n", namespace, "-f", "-", given=thing))


def saying(name: str, namespace: str, word: str | None) -> subprocess.CompletedProcess[str]:
    change = json.dumps({"metadata": {"annotations": {WORD: word}}})
    return kubectl("patch", "drill", name, "-n", namespace, "--type=merge", "-p", change)


def test_the_facilitators_stop_is_never_taken_back(namespace: str, held: str):
    assert saying(held, namespace, "Run").returncode == 0
    assert saying(held, namespace, "Stop").returncode == 0
    for word in ("Run", "", None):
        assert "a stopped drill can't go on: make another drill" in refused(saying(held, namespace, word))
    wish = '{"spec":{"desired":"Stop"}}'
    assert kubectl("patch", "drill", held, "-n", namespace, "--type=merge", "-p", wish).returncode == 0


def test_the_facilitator_says_run_or_stop_and_nothing_else(namespace: str, held: str):
    assert f"{WORD} is Run or Stop, not Later" in refused(saying(held, namespace, "Later"))


@pytest.mark.parametrize("who", ALLOWED.values(), ids=ALLOWED)
def test_a_stuck_finalizer_is_taken_off_in_one_line_by(namespace: str, held: str, who):
    done = kubectl("patch", "drill", held, "-n", namespace, "--type=merge", "-p", REMOVES, *who(namespace))
    assert done.returncode == 0, done.stderr


@pytest.fixture
def open_record_of_the_installation(policies: None) -> Iterator[str]:  # noqa: ARG001
    """A record in the control namespace that the bindings name."""
    kubectl("create", "namespace", INSTALLED)
    kubectl("label", "namespace", INSTALLED, f"{CONTROL}=true")
    thing = record()
    # this ServiceAccount may write there only where KubeDrill is installed; an admin's own group does for both
    who = ("--as", service_account(INSTALLED, "kubedrill")[1], "--as-group", "system:masters")
    made = kubectl("create", "-n", INSTALLED, *who, "-f", "-", given=thing)
    assert made.returncode == 0, made.stderr
    name = str(thing["metadata"]["name"])
    yield name
    kubectl("delete", "secret", name, "-n", INSTALLED, "--ignore-not-found", *who)


def once_known(*command: str) -> str:
    """The refusal of a dry run, once the policy knows the record."""
    deadline = time.monotonic() + IN_FORCE_WITHIN
    while (done := kubectl(*command, "--dry-run=server")).returncode == 0:
        assert time.monotonic() < deadline, f"{command} is not refused"
        time.sleep(0.2)
    return refused(done)


def test_the_control_namespace_cannot_be_deleted_while_a_record_is_open(open_record_of_the_installation: str):
    said = once_known("delete", "namespace", INSTALLED)
    assert f"is still open in {INSTALLED}" in said
    assert open_record_of_the_installation


def test_the_control_namespace_keeps_its_label_while_a_record_is_open(open_record_of_the_installation: str):
    said = once_known("label", "namespace", INSTALLED, f"{CONTROL}-")
    assert "nothing would guard it" in said
    assert open_record_of_the_installation
    done = kubectl("label", "namespace", INSTALLED, "example.com/other=1", "--dry-run=server")
    assert done.returncode == 0, done.stderr


def test_other_namespaces_can_be_deleted_meanwhile(namespace: str, open_record_of_the_installation: str):
    assert open_record_of_the_installation
    once_known("delete", "namespace", INSTALLED)
    assert kubectl("delete", "namespace", namespace, "--dry-run=server").returncode == 0


@pytest.mark.parametrize(
    "kind", ["drills", "drillscenarios", "drillenvironments", "drillrosters", "playeractions", "drillreports"]
)
def test_a_definition_of_ours_cannot_be_deleted_while_a_record_is_open(kind: str, open_record_of_the_installation: str):
    said = once_known("delete", "customresourcedefinition", f"{kind}.kubedrill.dev")
    assert "is still open: its drill would be deleted" in said
    assert open_record_of_the_installation


def test_f33_a_secret_that_only_bears_the_records_label_blocks_no_definition(policies: None):  # noqa: ARG001
    kubectl("create", "namespace", INSTALLED)
    name = f"spoofed-{uuid.uuid4().hex[:6]}"
    assert kubectl("create", "secret", "generic", name, "-n", INSTALLED).returncode == 0
    try:
        assert kubectl("label", "secret", name, "-n", INSTALLED, "kubedrill.dev/record=undo").returncode == 0
        for _ in range(10):  # the policy learns of the Secret by and by
            done = kubectl("delete", "customresourcedefinition", "drills.kubedrill.dev", "--dry-run=server")
            assert name not in done.stderr
            time.sleep(0.2)
    finally:
        kubectl("delete", "secret", name, "-n", INSTALLED)
