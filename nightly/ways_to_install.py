"""The ways to install KubeDrill, to upgrade it and to remove it, each as docs/how-to says it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from nightly.versions import DEPLOYMENTS, EARLIER, THIS, built, crds_are_of, operator_is_of
from tests.e2e.drills.lab import CONTROL, NAMESPACE
from tests.e2e.staging.copies import kubectl, until

ROOT: Final = Path(__file__).parents[1]
RELEASE: Final = "practice"
ENDING: Final = ("namespace/", "customresourcedefinition")
KINDS: Final = (
    "clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings,"
    "validatingwebhookconfigurations,priorityclasses,customresourcedefinitions"
)


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def kubedrill(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line, of this tree."""
    return run(sys.executable, "-m", "kubedrill.cli.main", *arguments)


@cache
def program() -> str:
    """Helm, from its pinned module."""
    return run(sys.executable, "-m", "cluster", "tool", "helm").stdout.strip()


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    return run(program(), "--namespace", CONTROL, *arguments)


@dataclass(frozen=True)
class Overlay:
    """`kubectl apply -k manifests/overlays/plain`."""

    def install(self, version: str) -> None:
        if version == EARLIER:  # its installer made the token, which its pods can't start without
            kubectl("apply", "-f", str(ROOT / "manifests/base/namespace.yaml"))
            kubectl("-n", CONTROL, "create", "secret", "generic", "kubedrill-webhook", "--from-literal=token=earlier")
        self.upgrade(version)

    def upgrade(self, version: str) -> None:
        crds_are_of(version)
        operator_is_of(version)


@dataclass(frozen=True)
class Chart:
    """`helm install`. The earlier version had no chart: its image runs under this one."""

    def install(self, version: str) -> None:
        self._released("install", version)

    def upgrade(self, version: str) -> None:
        self._released("upgrade", version)

    def refused(self) -> str:
        """What Helm says when it does not uninstall; empty when it does."""
        kept = "--set=restoreBeforeUninstall.seconds=30"
        done = helm("upgrade", RELEASE, "charts/kubedrill", "--reuse-values", kept, "--wait", "--timeout=3m")
        assert done.returncode == 0, done.stderr
        done = helm("uninstall", RELEASE, "--timeout=3m")
        return done.stderr if done.returncode else ""

    def _released(self, verb: str, version: str) -> None:
        kubectl("apply", "-f", str(ROOT / "manifests/base/namespace.yaml"))
        crds_are_of(version)
        tag = "dev" if version == THIS else built(version)
        done = helm(verb, RELEASE, "charts/kubedrill", "--set", f"image.tag={tag}", "--wait", "--timeout=3m")
        assert done.returncode == 0, done.stderr
        for deployment in DEPLOYMENTS:
            kubectl("-n", CONTROL, "rollout", "status", deployment, "--timeout=120s")


WAYS: Final[dict[str, Overlay | Chart]] = {"overlay": Overlay(), "chart": Chart()}
VERSIONS: Final = (EARLIER, THIS)


def by_the_command() -> None:
    """`kubectl drill uninstall`, whichever way it was installed."""
    done = kubedrill("uninstall", "--crds", "--namespace-too")
    assert done.returncode == 0, done.stdout + done.stderr


def by_helm_and_the_command() -> None:
    """`helm uninstall`, which restores; then what it leaves: the opt-ins, the CRDs and the namespace."""
    done = helm("uninstall", RELEASE, "--wait", "--timeout=6m")
    assert done.returncode == 0, done.stderr
    by_the_command()


def by_kubectl_alone() -> None:
    """As docs/how-to/uninstall.md says it for whoever has no command line."""
    kubectl("delete", "drills", "-n", CONTROL, "--all", "--timeout=120s")
    for kind in ("rolebindings", "roles"):
        kubectl("delete", kind, "-n", NAMESPACE, "-l", "app.kubernetes.io/part-of=kubedrill")
    kubectl("label", "namespace", NAMESPACE, "kubedrill.dev/control-namespace-")
    kubectl("delete", "-f", str(ROOT / "crds"))
    kubectl("delete", "--ignore-not-found", "-k", str(ROOT / "manifests/overlays/plain"))


def of_ours() -> set[str]:
    """All that bears our name in the cluster and in the target namespace, and the namespace's label."""
    there = kubectl("get", KINDS, "-o", "name").split()
    there += kubectl("get", "roles,rolebindings,secrets,configmaps,jobs", "-n", NAMESPACE, "-o", "name").split()
    there += kubectl("get", "namespace", CONTROL, "-o", "name", "--ignore-not-found").split()
    labels = kubectl("get", "namespace", NAMESPACE, "-o", "jsonpath={.metadata.labels}")
    return {name for name in there if "kubedrill" in name or name.endswith(f"/{CONTROL}")} | {
        label for label in ("kubedrill.dev/control-namespace",) if label in labels
    }


def gone() -> None:
    """Waits until namespace and definitions are no longer there: they end by themselves."""
    until(lambda: not {name for name in of_ours() if name.startswith(ENDING)}, 120, "nothing of it is ending")
