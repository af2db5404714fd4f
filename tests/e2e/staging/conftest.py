"""Two copies of the staging application, side by side on the real cluster that KUBECONFIG names."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from tests.e2e.staging.copies import Copy, kubectl

UP: Final = Path(__file__).parents[3] / "scenarios" / "morning-rush" / "app" / "up.py"
NAMESPACES: Final = ("staging-one", "staging-two")


@pytest.fixture(scope="session")
def copies() -> Iterator[tuple[Copy, Copy]]:
    """Both copies, new and steady. No cluster, no copies: that is a failure, never a skip."""
    assert "KUBECONFIG" in os.environ, 'these tests need a cluster: eval "$(python3 -m cluster env)"'
    kubectl("get", "--raw", "/readyz")
    kubectl("delete", "namespace", *NAMESPACES, "--ignore-not-found", "--timeout=120s")
    options = os.environ.get("KUBEDRILL_STAGING_OPTIONS", "").split()
    asked = [word for namespace in NAMESPACES for word in ("--namespace", namespace)]
    done = subprocess.run([sys.executable, UP, *options, *asked], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    one, two = map(Copy, NAMESPACES)
    yield one, two
    kubectl("delete", "namespace", *NAMESPACES, "--wait=false")


@pytest.fixture
def copy(copies: tuple[Copy, Copy]) -> Copy:
    """The copy that a test may disturb."""
    return copies[0]
