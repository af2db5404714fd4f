"""Two namespaces of the tests' own on the cluster that KUBECONFIG names. No cluster: failures, no skips."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
from tests.e2e.protocol.lab import Lab, kubectl, operator_of

from kubedrill.kube.client import Kube


@pytest.fixture(scope="session")
def names() -> Iterator[tuple[str, str]]:
    """The target's namespace and the control namespace."""
    run = uuid.uuid4().hex[:8]
    both = (f"protocol-{run}-app", f"protocol-{run}-drills")
    for name in both:
        kubectl("create", "namespace", name)
    kubectl("label", "namespace", both[1], "kubedrill.dev/control=true")
    # a policy lets nobody else write undo records there
    operator = operator_of(both[1])
    kubectl("create", "clusterrolebinding", both[1], "--clusterrole=cluster-admin", f"--user={operator}")
    yield both
    kubectl("delete", "secrets", "-n", both[1], "--all", "--as", operator)
    kubectl("delete", "clusterrolebinding", both[1])
    kubectl("delete", "namespace", *both, "--wait=false")


@pytest.fixture
async def lab(names: tuple[str, str]) -> AsyncIterator[Lab]:
    """The workshop; every test makes workloads of its own name in it."""
    kube = await Kube.connect(as_user=operator_of(names[1]))
    yield Lab(kube, *names)
    await kube.close()
