"""The cluster itself: made, found, waited for and removed by kind, over whatever engine is chosen."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from cluster.commands import ClusterError, CommandFailedError, Runner
from cluster.frozen import thaw
from cluster.settings import API_SERVER_PORT, CLUSTER, NODES, SOURCES, Folders

READY_SECONDS = 120


@dataclass(frozen=True)
class Node:
    """A node as the API server knows it."""

    name: str
    ready: bool
    version: str


@dataclass(frozen=True)
class Kind:
    """kind and kubectl over one engine (the runner's environment names it)."""

    folders: Folders
    runner: Runner
    engine: str

    def create(self, *, node_image: str, api_server_address: str) -> None:
        """Make the cluster and its kubeconfig; an audit log of an earlier one is thrown away."""
        self.delete()
        audit = self.folders.audit
        shutil.rmtree(audit, ignore_errors=True)
        (audit / "log").mkdir(parents=True)
        shutil.copy2(SOURCES / "audit-policy.yaml", audit / "policy.yaml")
        configuration = self.folders.cache / "kind.yaml"
        configuration.write_text(render_configuration(api_server_address, API_SERVER_PORT, audit))
        self.runner.run(
            *("kind", "create", "cluster", "--name", CLUSTER),
            *("--config", configuration, "--image", node_image, "--kubeconfig", self.folders.kubeconfig),
        )

    def delete(self) -> None:
        """Remove the cluster, also one whose engine was killed in between."""
        if CLUSTER in self.runner.run("kind", "get", "clusters").split():
            ours = f"label=io.x-k8s.kind.cluster={CLUSTER}"
            thaw(self.runner.run(self.engine, "ps", "--all", "--quiet", "--no-trunc", "--filter", ours).split())
            self.runner.run("kind", "delete", "cluster", "--name", CLUSTER, "--kubeconfig", self.folders.kubeconfig)

    def wait_ready(self) -> None:
        """Wait for all nodes and the cluster's DNS; `kind create --wait` waits for the control plane only."""
        for what in (
            ("--for=condition=Ready", "node", "--all"),
            ("--for=condition=Available", "deployment/coredns", "--namespace=kube-system"),
        ):
            self.kubectl("wait", f"--timeout={READY_SECONDS}s", *what)

    def nodes(self, timeout_seconds: int = 3) -> list[Node]:
        """The nodes by the API server's word; none if it does not answer."""
        try:
            answer = self.kubectl("get", "nodes", "--output=json", f"--request-timeout={timeout_seconds}s")
        except CommandFailedError:
            return []
        return [as_node(item) for item in json.loads(answer)["items"]]

    def is_healthy(self, patience: int = 0) -> bool:
        """Whether the API server answers and every node is Ready, now or within `patience` seconds.

        A machine that is busy answers late, and a node whose kubelet is starved is not Ready for a while.
        """
        nodes = self.nodes() if self.folders.kubeconfig.exists() else []
        if nodes and all(node.ready for node in nodes):
            return True
        if not patience or not self.folders.kubeconfig.exists():
            return False
        try:
            within = (f"--timeout={patience}s", f"--request-timeout={patience}s")
            self.kubectl("wait", "--for=condition=Ready", "node", "--all", *within)
        except CommandFailedError:
            return False
        return True

    def load(self, archive: Path) -> None:
        """Bring an image archive into every node."""
        self.runner.run("kind", "load", "image-archive", archive, "--name", CLUSTER)

    def audit_log(self) -> Path:
        """A file on this machine with the audit log as it is now.

        The API server writes it for root alone: whoever is not gets a copy, taken from the node.

        Raises:
            ClusterError: this cluster was not made here, so its log can't be reached.
        """
        log = self.folders.audit / "log" / "audit.log"
        if not self.folders.audit.exists():
            raise ClusterError("the audit log of an existing cluster can't be reached from here")
        if os.access(log, os.R_OK):
            return log
        copy = self.folders.cache / "audit.log"
        copy.write_text(self.runner.run(*(self.engine, "exec", NODES[0], "cat", "/etc/kubernetes/audit/log/audit.log")))
        return copy

    def kubectl(self, *arguments: str, text_input: str | None = None) -> str:
        """Run kubectl as the cluster's administrator."""
        return self.runner.run("kubectl", "--kubeconfig", self.folders.kubeconfig, *arguments, text_input=text_input)


def render_configuration(api_server_address: str, port: int, audit_folder: Path) -> str:
    """The configuration of kind for one machine.

    Raises:
        ClusterError: the audit folder's path can't stand in a YAML file as it is.
    """
    if set(str(audit_folder)) & set("#:\"'\n"):
        raise ClusterError(f"{audit_folder}: set KUBEDRILL_CACHE to a path of plain characters")
    text = "\n".join((SOURCES / "kind.yaml").read_text().splitlines()[1:])
    return Template(text).substitute(
        api_server_address=api_server_address, api_server_port=port, audit_folder=audit_folder
    )


def as_node(item: dict[str, Any]) -> Node:
    """A node from the API's JSON."""
    status = item["status"]
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status["conditions"])
    return Node(item["metadata"]["name"], ready, status["nodeInfo"]["kubeletVersion"])
