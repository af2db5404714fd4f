"""Installs KubeDrill into the current cluster: CRDs, operator, watchdog. Run again, it changes nothing."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONTROL = "drills"
DEPLOYMENTS = ("deployment/kubedrill", "deployment/kubedrill-watchdog")


def kubectl(*arguments: str, stdin: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
    """Runs kubectl; a failure ends the installation with its own message."""
    done = subprocess.run(["kubectl", *arguments], input=stdin or None, capture_output=True, text=True, check=False)
    if check and done.returncode:
        sys.exit(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
    return done


def main() -> None:
    """CRDs first, then all else, and wait until it is ready."""
    kubectl("apply", "--server-side", "--force-conflicts", "-f", str(ROOT / "crds"))
    kubectl("wait", "--for=condition=Established", "-f", str(ROOT / "crds"), "--timeout=30s")
    kubectl("apply", "-k", str(ROOT / "manifests/overlays/plain"))
    image = kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.uid}").stdout
    stamp = ROOT / "build/operator-image.stamp"
    fresh = _tree_hash()
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != image + fresh:
        kubectl("rollout", "restart", *DEPLOYMENTS, "-n", CONTROL)
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(image + fresh, encoding="utf-8")
    for deployment in DEPLOYMENTS:
        kubectl("rollout", "status", deployment, "-n", CONTROL, "--timeout=120s")
    sys.stdout.write("KubeDrill is installed in namespace drills\n")


def _tree_hash() -> str:
    """What the operator's image was built from: the same tag must be rolled out again when that changes."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "build/operator-image").rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(ROOT).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    main()
