"""One namespace with one small workload for all small drills."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.drills.lab import CONTROL, NAMESPACE, TARGET, workload
from tests.e2e.drills.shop import APP, SHOP, manifests
from tests.e2e.staging.copies import kubectl, until

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def staging_up() -> None:
    """The staging app's monitoring and images are there."""
    up = [sys.executable, str(ROOT / "scenarios/morning-rush/app/up.py"), "--namespace", "staging"]
    subprocess.run(up, check=True)


@pytest.fixture(scope="session")
def lab(staging_up: None) -> Iterator[None]:  # noqa: ARG001  what its drills ask
    """The namespace has opted in, the workload is whole."""
    kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=120s")
    kubectl("create", "namespace", NAMESPACE)
    subprocess.run([str(Path(sys.executable).with_name("kubedrill")), "opt-in", NAMESPACE], check=True)
    kubectl("apply", "-f", "-", given=workload())
    yield
    kubectl("delete", "namespace", NAMESPACE, "--wait=false")


@pytest.fixture
def whole(lab: None) -> Iterator[None]:  # noqa: ARG001  the namespace
    """The workload is settled, and no drill is left afterwards."""
    kubectl("-n", NAMESPACE, "rollout", "status", f"deployment/{TARGET}", "--timeout=90s")
    yield
    kubectl("delete", "drills", "-n", CONTROL, "--all", "--timeout=60s")


@pytest.fixture(scope="session")
def shop(staging_up: None) -> Iterator[None]:  # noqa: ARG001  its images
    """The shop runs, and its one alert is silent."""
    kubectl("delete", "namespace", SHOP, "--ignore-not-found", "--timeout=120s")
    kubectl("create", "namespace", SHOP)
    subprocess.run([str(Path(sys.executable).with_name("kubedrill")), "opt-in", SHOP], check=True)
    kubectl("apply", "-f", "-", given=manifests())
    for name in (APP, "prometheus"):
        kubectl("-n", SHOP, "rollout", "status", f"deployment/{name}", "--timeout=90s")
    query = f"/api/v1/namespaces/{SHOP}/services/prometheus:9090/proxy/api/v1/query?query=sum(up)"
    until(lambda: '"3"' in kubectl("get", "--raw", query), 60, "Prometheus scrapes all three")
    yield
    kubectl("delete", "namespace", SHOP, "--wait=false")
