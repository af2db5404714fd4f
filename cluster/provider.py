"""How a cluster can be had on this machine: a decision over observed facts, and their observation."""

import os
import shutil
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cluster.commands import ClusterError, Runner
from cluster.settings import ARCHITECTURES, PULLED_NODE_IMAGE

PULL_SECONDS = 600.0
CAP_NET_ADMIN, CAP_SYS_ADMIN = 12, 21
# Debian and Ubuntu releases have a name; derivatives name the one they build on.
DEBIAN_FAMILY = {"debian", "ubuntu"}


class Provider(StrEnum):
    """The ways to a cluster, in the order in which they are considered."""

    EXISTING = "existing context"
    ENGINE = "the machine's engine, kindest/node pulled"
    SELF_BUILT = "an engine of our own, node image built here"


@dataclass(frozen=True)
class Facts:
    """What the choice depends on.

    `context` is what the user asked for (`KUBEDRILL_CONTEXT`), `engine` the container engine that answers
    (docker or podman), `node_image` whether it has or can pull kindest/node, `root` whether this process may
    make network namespaces and mounts.
    """

    context: str | None = None
    engine: str | None = None
    node_image: bool = False
    root: bool = False
    debian_family: bool = False
    known_architecture: bool = False


def choose(facts: Facts) -> Provider:
    """The first way that is open.

    Raises:
        ClusterError: none is; the message says what is missing and what brings it.
    """
    if facts.context:
        return Provider.EXISTING
    if facts.engine and facts.node_image:
        return Provider.ENGINE
    if facts.root and facts.debian_family and facts.known_architecture:
        return Provider.SELF_BUILT
    raise ClusterError(missing(facts))


def missing(facts: Facts) -> str:
    """What stands in the way, and the one command that helps most."""
    if facts.debian_family and facts.known_architecture:
        engine = facts.engine or "no Docker or podman"
        found = f"{engine} answers{' but cannot pull kindest/node' if facts.engine else ''}"
        return (
            f"No cluster can be made: {found}, and without one only root (with CAP_SYS_ADMIN and\n"
            "CAP_NET_ADMIN) can run an engine of its own.\n"
            "Run: sudo -E make cluster"
        )
    if facts.engine:
        return (
            f"No cluster can be made: {facts.engine} answers but can't pull the node image.\n"
            f"Run: {facts.engine} pull {PULLED_NODE_IMAGE}"
        )
    return (
        "No cluster can be made: no Docker or podman answers, and the node image can be built only on Debian "
        "or Ubuntu, amd64 or arm64.\n"
        "Start Docker, or name a throwaway cluster you have: KUBEDRILL_CONTEXT=minikube make cluster"
    )


def observe(runner: Runner, machine: str) -> Facts:
    """Look at this machine; asks the engine for the node image only when one answers."""
    context = os.environ.get("KUBEDRILL_CONTEXT") or None
    engine = None if context else answering_engine(runner)
    return Facts(
        context=context,
        engine=engine,
        node_image=engine is not None and has_node_image(runner, engine),
        root=os.geteuid() == 0 and may_administer(Path("/proc/self/status").read_text()),
        debian_family=bool(DEBIAN_FAMILY & set(distribution_ids(Path("/etc/os-release")))),
        known_architecture=machine in ARCHITECTURES,
    )


def may_administer(process_status: str) -> bool:
    """Whether proc(5)'s status of a process shows CAP_NET_ADMIN and CAP_SYS_ADMIN (capabilities(7))."""
    effective = next((line.split()[1] for line in process_status.splitlines() if line.startswith("CapEff:")), "0")
    return all(int(effective, 16) >> bit & 1 for bit in (CAP_NET_ADMIN, CAP_SYS_ADMIN))


def answering_engine(runner: Runner) -> str | None:
    """Docker before podman, and only if its server answers."""
    for engine in ("docker", "podman"):
        if shutil.which(engine) and runner.answers(engine, "info", timeout_seconds=15):
            return engine
    return None


def has_node_image(runner: Runner, engine: str) -> bool:
    """Whether the engine has kindest/node, or can pull it."""
    return runner.answers(engine, "image", "inspect", PULLED_NODE_IMAGE) or runner.answers(
        engine, "pull", "--quiet", PULLED_NODE_IMAGE, timeout_seconds=PULL_SECONDS
    )


def distribution_ids(os_release: Path) -> list[str]:
    """The distribution's id and those it is like (os-release(5): ID, ID_LIKE)."""
    fields = os_release_fields(os_release)
    return [*fields.get("ID", "").split(), *fields.get("ID_LIKE", "").split()]


def os_release_fields(os_release: Path) -> dict[str, str]:
    """The fields of os-release(5); none where there is no such file."""
    if not os_release.exists():
        return {}
    pairs = (line.partition("=") for line in os_release.read_text().splitlines() if "=" in line)
    return {key.strip(): value.strip().strip('"') for key, _, value in pairs}
