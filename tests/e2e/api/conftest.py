"""The CRDs on the real API server that KUBECONFIG names, and a namespace of the tests' own."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

CRDS: Final = Path(__file__).parents[3] / "crds"
OPTED_IN: Final = "kubedrill.dev/control-namespace=drills"


def kubectl(*arguments: str, given: Any = None) -> subprocess.CompletedProcess[str]:
    """Run kubectl with an object as its input; what it said."""
    return subprocess.run(
        ["kubectl", *arguments],
        input=json.dumps(given) if given else None,
        capture_output=True,
        text=True,
        check=False,
    )


@cache
def myself() -> str:
    """The user name under which these tests speak."""
    asked = kubectl("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")
    assert asked.returncode == 0, asked.stderr
    return asked.stdout


@pytest.fixture(scope="session")
def definitions() -> None:
    """The CRDs are applied and established. No cluster, no definitions: that is a failure, never a skip."""
    applied = kubectl("apply", "-f", str(CRDS))
    assert applied.returncode == 0, applied.stderr
    waited = kubectl("wait", "--for=condition=Established", "--timeout=20s", "-f", str(CRDS))
    assert waited.returncode == 0, waited.stderr


def a_namespace(prefix: str, *labels: str) -> Iterator[str]:
    """A namespace with these labels while somebody asks for it."""
    name = f"{prefix}-{uuid.uuid4().hex[:8]}"
    made = kubectl("create", "namespace", name)
    assert made.returncode == 0, made.stderr
    for label in labels:
        assert kubectl("label", "namespace", name, label).returncode == 0
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="session")
def namespace(definitions: None) -> Iterator[str]:  # noqa: ARG001  there is nothing to apply without them
    """A namespace for this run, in which words may be said."""
    yield from a_namespace("api", OPTED_IN)


@pytest.fixture
def closed_namespace(definitions: None) -> Iterator[str]:  # noqa: ARG001  the same
    """A namespace that has not opted in."""
    yield from a_namespace("api-closed")


@pytest.fixture
def apply(namespace: str) -> Callable[[dict[str, Any]], str]:
    """Apply an object in the namespace; empty when it was accepted, else what kubectl says."""

    def applied(thing: dict[str, Any]) -> str:
        done = kubectl("apply", "-n", namespace, "-f", "-", given=thing)
        return "" if done.returncode == 0 else done.stderr

    return applied
