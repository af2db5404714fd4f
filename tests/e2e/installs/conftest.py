"""An API server of these tests' own, without nodes: what is installed there is accepted or refused, and never runs."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from tests.scale.servers import ControlPlane, control_plane

ROOT: Final = Path(__file__).parents[3]
RELEASE: Final = "practice"
CONTROL, SHOP = "drills", "shop"
KINDS: Final = (
    "clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings,priorityclasses,"
    "customresourcedefinitions"
)
OF_PROMETHEUS: Final = {"ServiceMonitor": "v1", "PrometheusRule": "v1", "AlertmanagerConfig": "v1alpha1"}
Done = subprocess.CompletedProcess[str]


def definition(kind: str, version: str) -> dict[str, Any]:
    """A kind of the Prometheus Operator's, of any content."""
    plural, group = f"{kind.lower()}s", "monitoring.coreos.com"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"},
            "versions": [{"name": version, "served": True, "storage": True, "schema": schema}],
        },
    }


@dataclass(frozen=True)
class Cluster:
    """The API server, spoken to as its administrator, or as who bears a token."""

    plane: ControlPlane
    helm_program: str

    def run(self, *command: str, given: Any = None, kubeconfig: Path | None = None) -> Done:
        env = {**os.environ, "KUBECONFIG": str(kubeconfig or self.plane.kubeconfig)}
        env["PYTHONPATH"] = str(ROOT / "operator")
        text = json.dumps(given) if given else None
        return subprocess.run(command, cwd=ROOT, env=env, input=text, capture_output=True, text=True, check=False)

    def kubectl(self, *arguments: str, given: Any = None) -> str:
        """What kubectl says; it must succeed."""
        done = self.run(str(self.plane.kubectl), *arguments, given=given)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def helm(self, *arguments: str) -> Done:
        return self.run(self.helm_program, "--namespace", CONTROL, *arguments)

    def kubedrill(self, *arguments: str, kubeconfig: Path | None = None) -> Done:
        return self.run(sys.executable, "-m", "kubedrill.cli.main", *arguments, kubeconfig=kubeconfig)

    def what_holds_drills(self) -> None:
        """The CRDs and the namespace, as docs/how-to/install.md says it."""
        self.kubectl("apply", "--server-side", "-f", "crds", "-f", "manifests/base/namespace.yaml")
        self.kubectl("wait", "--for=condition=Established", "-f", "crds", "--timeout=30s")

    def of_ours(self) -> set[str]:
        """All that bears our name, and the control namespace."""
        there = self.kubectl("get", KINDS, "-o", "name").split()
        there += self.kubectl("get", "roles,rolebindings", "-n", SHOP, "-o", "name").split()
        there += self.kubectl("get", "namespaces", "-l", "kubedrill.dev/control-namespace", "-o", "name").split()
        found = {name for name in there if "kubedrill" in name or name == f"namespace/{SHOP}"}
        return found | set(self.kubectl("get", "namespace", CONTROL, "-o", "name", "--ignore-not-found").split())

    def within(self, control: str) -> set[str]:
        """What there is in the control namespace, but for what the cluster itself makes in each."""
        kinds = "all,secrets,configmaps,serviceaccounts,roles,rolebindings,leases"
        kinds += "".join(f",{kind.lower()}s.monitoring.coreos.com" for kind in OF_PROMETHEUS)
        names = set(self.kubectl("get", kinds, "-n", control, "-o", "name").split())
        return names - {"configmap/kube-root-ca.crt", "serviceaccount/default"}

    def gone(self) -> None:
        """Waits until nothing is left: namespaces and definitions end by themselves.

        A definition that was made a moment ago can not be emptied yet, and the API server tries again after longer and
        longer times, up to a quarter of an hour. It tries at once when the definition is changed.
        """
        start = time.monotonic()
        for look in itertools.count():
            left = self.of_ours()
            if not left:
                return
            assert time.monotonic() - start < 120, f"it stays: {left}"
            if look % 25 == 24:
                stay = [name for name in left if name.startswith("customresourcedefinition")]
                for name in stay:
                    self.run(str(self.plane.kubectl), "annotate", name, f"tests/look={look}", "--overwrite")
            time.sleep(0.2)


@pytest.fixture(scope="session")
def helm_program() -> str:
    """Helm, from its pinned module where the machine has none."""
    made = [sys.executable, "-m", "cluster", "tool", "helm"]
    found = shutil.which("helm")
    return found or subprocess.run(made, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, helm_program: str) -> Iterator[Cluster]:
    """The API server, which knows the kinds of the Prometheus Operator, and a namespace with a team's own things."""
    with control_plane(tmp_path_factory.mktemp("plane")) as plane:
        cluster = Cluster(plane, helm_program)
        kinds = [definition(kind, version) for kind, version in OF_PROMETHEUS.items()]
        cluster.kubectl("apply", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": kinds})
        names = [f"crd/{kind['metadata']['name']}" for kind in kinds]
        cluster.kubectl("wait", "--for=condition=Established", *names, "--timeout=30s")
        cluster.kubectl("create", "namespace", SHOP)
        yield cluster


@pytest.fixture
def cluster(server: Cluster) -> Iterator[Cluster]:
    """Nothing of KubeDrill is there, and afterwards there is nothing of it again."""
    yield server
    if server.of_ours():
        removed = server.kubedrill("uninstall", "--crds", "--namespace-too")
        assert removed.returncode == 0, removed.stdout + removed.stderr
        server.gone()
