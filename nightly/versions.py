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
THIS_MANIFESTS: Final = "manifests/overlays/plain"
EARLIER_MANIFESTS: Final = "manifests/base"
"""It had no overlays yet."""
PARTS: Final = ("crds", "manifests", "operator", "requirements/operator.txt")
"""What of an earlier version is installed, and what its image is built from."""
DEPLOYMENTS: Final = ("deployment/kubedrill", "deployment/kubedrill-watchdog")


def crds_are_of(version: str) -> None:
    """Applies the CRDs of a version. What a stored status holds that they don't know goes with its next write."""
    folder = (ROOT if version == THIS else unpacked(version)) / "crds"
    kubectl("apply", "--server-side", "--force-conflicts", "-f", str(folder))
    kubectl("wait", "--for=condition=Established", "-f", str(folder), "--timeout=30s")


def operator_is_of(version: str) -> None:
    """Operator and watchdog run as a version's manifests say, from its image. What only another one has stays."""
    if version == THIS:
        folder, tag = ROOT / THIS_MANIFESTS, "dev"
    else:
        folder, tag = unpacked(version) / EARLIER_MANIFESTS, built(version)
    manifests = kubectl("kustomize", str(folder))
    kubectl("apply", "-f", "-", given=manifests.replace(image_of("dev"), image_of(tag)))
    for deployment in DEPLOYMENTS:
        kubectl("-n", CONTROL, "rollout", "status", deployment, "--timeout=120s")


def image_of(tag: str) -> str:
    """The name of the operator's image."""
    return f"localhost/kubedrill/operator:{tag}"


@cache
def unpacked(version: str, clone: Path = ROOT) -> Path:
    """A folder with what of a version is installed."""
    place = clone / "build" / f"version-{version}"
    archive = subprocess.run(["git", "archive", version, *PARTS], cwd=clone, capture_output=True, check=False)
    said = archive.stderr.decode().strip()
    assert archive.returncode == 0, f"{version} is not in this clone ({said}): git fetch --unshallow brings it"
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tree:
        tree.extractall(place, filter="data")
    return place


@cache
def built(version: str) -> str:
    """The tag of a version's image, which the cluster has then."""
    tree = unpacked(version)
    recipe = str(tree / "operator/Containerfile")
    make = [sys.executable, "-m", "cluster", "image", image_of(version), str(tree), "--file", recipe]
    done = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return version
