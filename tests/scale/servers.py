"""A control plane of its own: etcd, the API server and the controller manager as processes of this machine.

They are the programs that the throwaway cluster is built of. Nothing of it is shared with that cluster, so both may
run at once. etcd does not wait for the disk: a machine's disk is not what is measured.
"""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cluster.binaries import KUBECTL, NODE_PROGRAMS, build_step
from cluster.commands import Runner
from cluster.settings import Folders, folders
from cluster.steps import Stamps, run_steps
from cluster.toolchain import go_step

NEEDED: Final = frozenset({"etcd", "kube-apiserver", "kube-controller-manager", KUBECTL.name})
CONTROLLERS: Final = (
    "deployment-controller",
    "replicaset-controller",
    "statefulset-controller",
    "serviceaccount-controller",
    "namespace-controller",
    "garbage-collector-controller",
)
READY_WITHIN: Final = 180.0
AUDITED: Final = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "Metadata", "users": ["system:serviceaccount:drills:kubedrill"]},
        {"level": "None"},
    ],
}
"""What the operator asks for, each request as it was answered; nothing of anybody else."""


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """Where it is: a kubeconfig of its administrator, the audit log of the operator's requests, kubectl."""

    port: int
    folder: Path
    kubectl: Path

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return self.folder / "admin.kubeconfig"

    @property
    def audit_log(self) -> Path:
        """One line for each request of the operator's."""
        return self.folder / "audit.log"

    def kubeconfig_of(self, name: str, token: str) -> Path:
        """A kubeconfig with which somebody is known by a token."""
        path = self.folder / f"{name}.kubeconfig"
        cluster = {
            "server": f"https://127.0.0.1:{self.port}",
            "certificate-authority": str(self.folder / "apiserver" / "apiserver.crt"),
        }
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "scale",
            "clusters": [{"name": "scale", "cluster": cluster}],
            "users": [{"name": name, "user": {"token": token}}],
            "contexts": [{"name": "scale", "context": {"cluster": "scale", "user": name}}],
        }
        path.write_text(json.dumps(config))
        return path


def programs() -> Folders:
    """Where the programs are; those that are missing are built from their pinned modules."""
    places = folders()
    runner = Runner(places.log, {})
    steps = [go_step(runner, places)]
    steps += [build_step(runner, places, one) for one in NODE_PROGRAMS if one.name in NEEDED]
    if not all((places.binaries / name).exists() for name in NEEDED):
        run_steps(steps, Stamps(places.stamps), sys.stderr)
    return places


@contextmanager
def control_plane(folder: Path) -> Iterator[ControlPlane]:
    """All three, while the block runs."""
    places = programs()
    plane = ControlPlane(free_port(), folder, places.binaries / KUBECTL.name)
    admin = secrets.token_hex(16)
    (folder / "tokens.csv").write_text(f'{admin},admin,admin,"system:masters"\n')
    (folder / "audit-policy.yaml").write_text(json.dumps(AUDITED))
    key = folder / "accounts.key"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    client, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    with ExitStack() as stack:
        stack.enter_context(running(folder, places.binaries / "etcd", _etcd(folder, client, peer)))
        stack.enter_context(running(folder, places.binaries / "kube-apiserver", _api_server(plane, client, key)))
        plane.kubeconfig_of("admin", admin)
        _wait_until_ready(plane)
        manager = places.binaries / "kube-controller-manager"
        stack.enter_context(running(folder, manager, _controllers(plane, key)))
        yield plane


def _etcd(folder: Path, client: str, peer: str) -> list[str]:
    return [
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",
        "--quota-backend-bytes=4294967296",
    ]


def _api_server(plane: ControlPlane, etcd: str, key: Path) -> list[str]:
    return [
        f"--etcd-servers={etcd}",
        f"--secure-port={plane.port}",
        "--bind-address=127.0.0.1",
        f"--cert-dir={plane.folder / 'apiserver'}",
        f"--token-auth-file={plane.folder / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://scale.invalid",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--service-cluster-ip-range=10.96.0.0/16",
        f"--audit-policy-file={plane.folder / 'audit-policy.yaml'}",
        f"--audit-log-path={plane.audit_log}",
    ]


def _controllers(plane: ControlPlane, key: Path) -> list[str]:
    return [
        f"--kubeconfig={plane.kubeconfig}",
        f"--controllers={','.join(CONTROLLERS)}",
        "--use-service-account-credentials=false",
        f"--service-account-private-key-file={key}",
        "--leader-elect=false",
        f"--secure-port={free_port()}",
        "--bind-address=127.0.0.1",
        f"--cert-dir={plane.folder / 'controllers'}",
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
        "--concurrent-deployment-syncs=10",
        "--concurrent-replicaset-syncs=10",
    ]


def _wait_until_ready(plane: ControlPlane) -> None:
    deadline = time.monotonic() + READY_WITHIN
    asked: list[str | Path] = [plane.kubectl, "--kubeconfig", plane.kubeconfig, "get", "--raw", "/readyz"]
    while subprocess.run(asked, check=False, capture_output=True).returncode:
        if time.monotonic() > deadline:
            raise SystemExit(f"the API server is not ready after {READY_WITHIN:g} s: {plane.folder}/kube-apiserver.log")
        time.sleep(0.5)


@contextmanager
def running(folder: Path, program: Path, arguments: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A program while the block runs; its log stands in the folder."""
    with (folder / f"{program.name}.log").open("ab") as log:
        process = subprocess.Popen([program, *arguments], stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def free_port() -> int:
    """A port of loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
