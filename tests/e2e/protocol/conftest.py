"""Two namespaces of the tests' own on the cluster that KUBECONFIG names. No cluster: failures, no skips."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
from tests.e2e.protocol.lab import Lab, kubectl

from kubedrill.kube.client import Kube


@pytest.fixture(scope="session")
def names() -> Iterator[tuple[str, str]]:
    """The target's namespace and the control namespace."""
    run = uuid.uuid4().hex[:8]
    both = (f"protocol-{run}-app", f"protocol-{run}-drills")
    for name in both:
        kubectl("create", "namespace", name)
    yield both
    kubectl("delete", "namespace", *both, "--wait=false")


@pytest.fixture
async def lab(names: tuple[str, str]) -> AsyncIterator[Lab]:
    """The workshop; every test makes workloads of its own name in it."""
    kube = await Kube.connect()
    yield Lab(kube, *names)
    await kube.close()
