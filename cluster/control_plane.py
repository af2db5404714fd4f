"""The images of Kubernetes' own components, named as `kubeadm config images list` prints them."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cluster.archives import Layer, pack, write_archive
from cluster.commands import CommandFailedError, Runner
from cluster.settings import KUBERNETES_VERSION, Folders, architecture

ONLY_ROOT = "root:x:0:0:root:/root:/bin/sh\n"
# What kube-proxy and the pod network run: the rest of their images is busybox.
NETWORK_PROGRAMS = ("xtables-nft-multi", "xtables-legacy-multi", "nft", "conntrack")
XTABLES_NAMES = tuple(f"{family}{verb}" for family in ("iptables", "ip6tables") for verb in ("", "-save", "-restore"))
SHELL_NAMES = ("sh", "cat", "ls", "sleep")


@dataclass(frozen=True)
class Component:
    """One image: its name, and which programs lie where in it."""

    reference: str
    programs: dict[str, str]
    entrypoint: tuple[str, ...] = ()
    network_tools: bool = False


SERVERS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
COMPONENTS = (
    *(Component(f"registry.k8s.io/{name}:{KUBERNETES_VERSION}", {name: f"/usr/local/bin/{name}"}) for name in SERVERS),
    Component("registry.k8s.io/etcd:3.6.6-0", {"etcd": "/usr/local/bin/etcd", "etcdctl": "/usr/local/bin/etcdctl"}),
    Component("registry.k8s.io/coredns/coredns:v1.13.1", {"coredns": "/coredns"}, ("/coredns",)),
    Component("registry.k8s.io/pause:3.10.1", {"pause": "/pause"}, ("/pause",)),
    Component(
        f"registry.k8s.io/kube-proxy:{KUBERNETES_VERSION}",
        {"kube-proxy": "/usr/local/bin/kube-proxy"},
        network_tools=True,
    ),
    Component(
        "localhost/nodenet:1",
        {"nodenet": "/usr/local/bin/nodenet"},
        ("/usr/local/bin/nodenet",),
        network_tools=True,
    ),
)


def write_archives(runner: Runner, folders: Folders, userland: Path, work: Path) -> list[Path]:
    """One archive for each component, made in `work`; network tools are taken from `userland`."""
    tools = pack(runner, network_tools(runner, userland, work / "network-tools"))
    archives = []
    for component in COMPONENTS:
        name = component.reference.rpartition("/")[2].replace(":", "-")
        own = program_layer(runner, folders, component, work / name)
        target = work / f"{name}.oci.tar"
        layers = [tools, own] if component.network_tools else [own]
        write_archive(target, component.reference, layers, component.entrypoint)
        archives.append(target)
    return archives


def program_layer(runner: Runner, folders: Folders, component: Component, root: Path) -> Layer:
    """The layer with a component's own programs."""
    for folder in ("tmp", "etc"):
        (root / folder).mkdir(parents=True)
    (root / "etc" / "passwd").write_text(ONLY_ROOT)
    for program, place in component.programs.items():
        target = root / place.removeprefix("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(folders.binaries / program, target)
    return pack(runner, root)


def network_tools(runner: Runner, userland: Path, root: Path) -> Path:
    """iptables, nft, conntrack, ip and a shell, with every library that they load."""
    library_folder = f"usr/lib/{architecture()[1]}"
    for folder in ("usr/sbin", "usr/bin", "usr/lib64", library_folder, "etc", "run", "tmp", "proc", "sys"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for name in ("sbin", "bin", "lib", "lib64"):
        (root / name).symlink_to(f"usr/{name}")
    for program in NETWORK_PROGRAMS:
        shutil.copy2(userland / "usr/sbin" / program, root / "usr/sbin")
    for program in ("ip", "busybox"):
        shutil.copy2(userland / "bin" / program, root / "usr/bin")
    for name in SHELL_NAMES:
        (root / "usr/bin" / name).symlink_to("busybox")
    for name in XTABLES_NAMES:
        (root / "usr/sbin" / name).symlink_to("xtables-nft-multi")
    shutil.copytree(userland / library_folder / "xtables", root / library_folder / "xtables")
    copy_libraries(runner, userland, root, library_folder)
    for name in ("protocols", "ethertypes", "services"):
        if (userland / "etc" / name).exists():
            shutil.copy2(userland / "etc" / name, root / "etc")
    (root / "etc/passwd").write_text(ONLY_ROOT)
    return root


def copy_libraries(runner: Runner, userland: Path, root: Path, library_folder: str) -> None:
    """Copy what the programs and their plugins are linked with.

    Plugins too: without libm, which only iptables' `statistic` plugin needs, every pod is Ready and no
    Service with two endpoints answers.
    """
    plugins = (userland / library_folder / "xtables").glob("*.so")
    linked = [
        *(f"/usr/sbin/{program}" for program in NETWORK_PROGRAMS),
        "/bin/ip",
        *(f"/{plugin.relative_to(userland)}" for plugin in plugins),
    ]
    for library in sorted(libraries(runner, userland, linked)):
        # /lib and /lib64 are links into /usr
        place = library if library.startswith("/usr/") else f"/usr{library}"
        target = root / place.removeprefix("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(userland / library.removeprefix("/"), target)


def libraries(runner: Runner, userland: Path, files: Iterable[str]) -> set[str]:
    """The shared libraries that the userland's loader finds for these files."""
    found = set()
    for file in files:
        try:
            answer = runner.run("chroot", userland, "ldd", file)
        except CommandFailedError:
            continue  # linked with nothing
        found |= {word for word in answer.split() if word.startswith("/") and not word.endswith(":")}
    return found
