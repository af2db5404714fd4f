"""What is needed from the distribution's packages, installed without starting any service."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from cluster.commands import ClusterError, Runner
from cluster.provider import os_release_fields

SBIN = "/usr/local/sbin:/usr/sbin:/sbin"
SERVICE_POLICY = Path("/usr/sbin/policy-rc.d")
UNTOUCHED_SERVICES = ("docker.socket", "docker.service", "containerd.service")

# program → the package that brings it
FOR_OWN_ENGINE = {
    "dockerd": "docker.io",
    "docker": "docker.io",
    "containerd": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "ip": "iproute2",
    "nsenter": "util-linux",
}
FOR_NODE_IMAGE = {"mmdebstrap": "mmdebstrap", "zstd": "zstd"}
FOR_IMAGES = {"buildah": "buildah", "mmdebstrap": "mmdebstrap"}
SELF_BUILT = {**FOR_OWN_ENGINE, **FOR_NODE_IMAGE, **FOR_IMAGES}


def find(program: str) -> str | None:
    """Where a program is, administrators' folders included."""
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:{SBIN}")


def absent(programs: Mapping[str, str]) -> list[str]:
    """The packages that bring the programs which are not there, each once."""
    return sorted({package for program, package in programs.items() if find(program) is None})


def install(runner: Runner, programs: Mapping[str, str]) -> None:
    """Install what is missing, by apt.

    Raises:
        ClusterError: something is missing and only root may install it.
    """
    install_packages(runner, absent(programs))


def install_packages(runner: Runner, packages: Sequence[str]) -> None:
    """Install packages by name.

    Raises:
        ClusterError: only root may, or this machine has no apt.
    """
    if not packages:
        return
    if os.geteuid() != 0 or find("apt-get") is None:
        raise ClusterError(f"missing: {', '.join(packages)}\nRun: sudo apt-get install {' '.join(packages)}")
    settings = {"DEBIAN_FRONTEND": "noninteractive"}
    with services_stay_down(runner, {"docker.io"} & set(packages)):
        runner.run("apt-get", "update", "-qq", extra=settings)
        runner.run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages, extra=settings)


@contextmanager
def services_stay_down(runner: Runner, fresh_engine: set[str]) -> Iterator[None]:
    """Keep packages from starting their services now, and a fresh engine from starting at the next boot.

    The machine's own Docker is none of our business: it would change the machine's firewall.
    """
    guard = not SERVICE_POLICY.exists()
    if guard:
        SERVICE_POLICY.write_text("#!/bin/sh\nexit 101\n")
        SERVICE_POLICY.chmod(0o755)
    try:
        yield
    finally:
        if guard:
            SERVICE_POLICY.unlink()
    if fresh_engine and Path("/run/systemd/system").exists():
        runner.run("systemctl", "disable", *UNTOUCHED_SERVICES)


def release() -> str:
    """The code name of the distribution's release, as its archive calls it.

    Raises:
        ClusterError: /etc/os-release does not tell.
    """
    name = os_release_fields(Path("/etc/os-release")).get("VERSION_CODENAME")
    if not name:
        raise ClusterError("/etc/os-release names no release (VERSION_CODENAME)")
    return name


def archive_sources() -> Path:
    """The file that says where the distribution's own packages come from.

    Raises:
        ClusterError: there is none in the usual places.
    """
    folder = Path("/etc/apt")
    for name in ("sources.list.d/debian.sources", "sources.list.d/ubuntu.sources", "sources.list"):
        file = folder / name
        if file.exists() and file.read_text().strip():
            return file
    raise ClusterError(f"no package source of the distribution below {folder}")
