"""An earlier version of KubeDrill beside this one: its CRDs, and an image of its operator, from Git."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from functools import cache
from pathlib import Path
from typing import Final

from tests.e2e.drills.lab import CONTROL
from tests.e2e.staging.copies import kubectl

ROOT: Final = Path(__file__).parents[1]
EARLIER: Final = "505cee7"
"""The last commit before a drill's verdict was frozen, and before checks that go on failing were remembered."""
THIS: Final = "this"
DEPLOYMENTS: Final = {"kubedrill": "operator", "kubedrill-watchdog": "watchdog"}
"""Deployments and the name of their container."""


def crds_are_of(version: str) -> None:
    """Applies the CRDs of a version. What a stored status holds that they don't know goes with its next write."""
    folder = ROOT / "crds" if version == THIS else unpacked(version) / "crds"
    kubectl("apply", "--server-side", "--force-conflicts", "-f", str(folder))
    kubectl("wait", "--for=condition=Established", "-f", str(folder), "--timeout=30s")


def operator_is_of(version: str) -> None:
    """Operator and watchdog run from a version's image."""
    image = f"localhost/kubedrill/operator:{'dev' if version == THIS else built(version)}"
    for deployment, container in DEPLOYMENTS.items():
        kubectl("-n", CONTROL, "set", "image", f"deployment/{deployment}", f"{container}={image}")
    for deployment in DEPLOYMENTS:
        kubectl("-n", CONTROL, "rollout", "status", f"deployment/{deployment}", "--timeout=120s")


@cache
def unpacked(version: str) -> Path:
    """The tree of a version."""
    place = ROOT / "build" / f"version-{version}"
    archive = subprocess.run(["git", "archive", version], cwd=ROOT, capture_output=True, check=False)
    assert archive.returncode == 0, f"{version} is not in this clone: {archive.stderr.decode()}"
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tree:
        tree.extractall(place, filter="data")
    return place


@cache
def built(version: str) -> str:
    """The tag of a version's image, which the cluster has then."""
    tree = unpacked(version)
    context = tree / "image"
    (context / "requirements").mkdir(parents=True, exist_ok=True)
    for file, place in (("operator/Containerfile", "Containerfile"), ("requirements/operator.txt",) * 2):
        (context / place).write_bytes((tree / file).read_bytes())
    package = context / "operator" / "kubedrill"
    if not package.exists():
        package.parent.mkdir(exist_ok=True)
        (tree / "operator" / "kubedrill").rename(package)
    image = f"localhost/kubedrill/operator:{version}"
    make = [sys.executable, "-m", "cluster", "image", image, str(context)]
    done = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return version
