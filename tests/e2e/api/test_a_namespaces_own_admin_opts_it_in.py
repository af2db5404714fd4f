"""The platform team labels a namespace, its own admin gives the rights: the real API server escalates nobody."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.api.conftest import kubectl

PEOPLE = Path(__file__).parents[3] / "manifests/base/people.yaml"
CONTROL = "own-admin-control"
ADMIN, PLAYER = "dev-lead@example.com", "alice@example.com"
IN_FORCE_WITHIN = 30


@pytest.fixture
def namespace(definitions: None) -> Iterator[str]:  # noqa: ARG001  players speak there
    """A namespace with an admin of its own, who is nobody else's."""
    name = f"own-admin-{uuid.uuid4().hex[:8]}"
    assert kubectl("apply", "-f", str(PEOPLE)).returncode == 0
    assert kubectl("create", "namespace", name).returncode == 0
    bound = kubectl("create", "rolebinding", "admins", "-n", name, "--clusterrole=admin", f"--user={ADMIN}")
    assert bound.returncode == 0, bound.stderr
    may(ADMIN, name, "create", "events.events.k8s.io")
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


def can(user: str, namespace: str, verb: str, resource: str) -> bool:
    return kubectl("auth", "can-i", verb, resource, "-n", namespace, "--as", user).stdout.strip() == "yes"


def may(user: str, namespace: str, verb: str, resource: str) -> None:
    """Waits until the API server knows a right; roles that are parts of others take a moment."""
    deadline = time.monotonic() + IN_FORCE_WITHIN
    while not can(user, namespace, verb, resource):
        assert time.monotonic() < deadline, f"{user} may not {verb} {resource} in {namespace}"
        time.sleep(0.2)


def opt_in(namespace: str, *more: str) -> subprocess.CompletedProcess[str]:
    """As the namespace's own admin."""
    command = ("opt-in", namespace, "--control-namespace", CONTROL, "--as", ADMIN, *more)
    return subprocess.run(
        [sys.executable, "-m", "kubedrill.cli.main", *command], capture_output=True, text=True, check=False
    )


def operator() -> str:
    return f"system:serviceaccount:{CONTROL}:kubedrill"


def test_the_label_is_the_platform_teams_and_the_rights_are_the_admins(namespace: str):
    refused = opt_in(namespace)
    assert refused.returncode == 3, refused.stderr
    command = f"kubectl label namespace {namespace} kubedrill.dev/control-namespace={CONTROL} --overwrite"
    assert command in refused.stderr
    assert not can(operator(), namespace, "patch", "deployments.apps")

    assert kubectl(*command.split()[1:]).returncode == 0
    given = opt_in(namespace, "--player", PLAYER)
    assert given.returncode == 0, given.stderr
    may(operator(), namespace, "patch", "deployments.apps")
    may(operator(), namespace, "delete", "controllerrevisions.apps")
    may(PLAYER, namespace, "create", "playeractions.kubedrill.dev")
    assert not can(PLAYER, namespace, "get", "pods")


def test_what_the_admin_does_not_have_is_not_given(namespace: str):
    label = f"kubedrill.dev/control-namespace={CONTROL}"
    assert kubectl("label", "namespace", namespace, label).returncode == 0
    refused = opt_in(namespace, "--allow", "quotas")
    assert refused.returncode == 3, refused.stderr
    assert "attempting to grant RBAC permissions not currently held" in refused.stderr
    assert not can(operator(), namespace, "create", "resourcequotas")
