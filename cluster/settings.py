"""Names, versions, addresses and folders of the throwaway cluster: every constant in one place."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).parent
NODE_SOURCES = SOURCES / "node"

CLUSTER = "kubedrill"
CONTEXT = f"kind-{CLUSTER}"
NODES = (f"{CLUSTER}-control-plane", f"{CLUSTER}-worker")

# 1.36 and later of the kubelet, and kind after 0.33, no longer run on cgroup v1.
KUBERNETES_VERSION = "v1.35.4"
NODE_IMAGE = f"localhost/kubedrill-node:{KUBERNETES_VERSION}"
# What kind 0.33.0 itself would take where images can be pulled (its pkg/apis/config/defaults).
PULLED_NODE_IMAGE = "kindest/node:v1.37.0@sha256:a1ed56cfb0e7b93589bdf97c8cd566405a265939e3620fc4f5de89adff580ae5"

# The engine's own network namespace, and the cable from this machine's into it.
NETWORK_NAMESPACE = "kubedrill"
CABLE = "kubedrill-h"
HOST_ADDRESS = "10.89.8.1"
ENGINE_ADDRESS = "10.89.8.2"
PREFIX_LENGTH = 24
API_SERVER_PORT = 6443

# machine name → (Debian's architecture, the folder of its libraries)
ARCHITECTURES = {"x86_64": ("amd64", "x86_64-linux-gnu"), "aarch64": ("arm64", "aarch64-linux-gnu")}


def architecture() -> tuple[str, str]:
    """This machine's architecture as Debian and OCI name it, and its library folder.

    Raises:
        KeyError: the node image can't be built for this machine.
    """
    return ARCHITECTURES[platform.machine()]


@dataclass(frozen=True)
class Folders:
    """Where everything that `python3 -m cluster` makes lives, outside the checkout."""

    cache: Path

    @property
    def binaries(self) -> Path:
        """kind, kubectl and what the self-built node runs."""
        return self.cache / "bin"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig, usable from this machine's own network."""
        return self.cache / "kubeconfig"

    @property
    def state(self) -> Path:
        """What was brought up, as JSON; absent when nothing is."""
        return self.cache / "cluster.json"

    @property
    def stamps(self) -> Path:
        """One file for each finished build step: the hash of its inputs."""
        return self.cache / "stamps"

    @property
    def log(self) -> Path:
        """What the commands that were run said."""
        return self.cache / "cluster.log"

    @property
    def audit(self) -> Path:
        """Mounted into the control plane: the audit policy, and the log beside it."""
        return self.cache / "audit"

    @property
    def engine(self) -> Path:
        """The own engine's data, configuration, socket and pid file."""
        return self.cache / "engine"

    @property
    def images(self) -> Path:
        """Built images as archives, and what is loaded into the nodes."""
        return self.cache / "images"

    @property
    def work(self) -> Path:
        """Scratch space of a build step; empty between steps."""
        return self.cache / "work"


def folders() -> Folders:
    """The folders of this user's cluster; `KUBEDRILL_CACHE` puts them elsewhere."""
    chosen = os.environ.get("KUBEDRILL_CACHE")
    return Folders(Path(chosen).absolute() if chosen else Path.home() / ".cache" / "kubedrill" / "cluster")
