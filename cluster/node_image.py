"""The node image where kindest/node can't be pulled: Debian's packages, our builds, kind's contract."""

import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cluster.commands import ClusterError, Runner
from cluster.control_plane import write_archives
from cluster.settings import KUBERNETES_VERSION, NODE_IMAGE, NODE_SOURCES, SOURCES, Folders
from cluster.steps import Step

OVERLAY = NODE_SOURCES / "rootfs"
PACKAGES = (
    *("systemd", "systemd-sysv", "kmod", "mount", "util-linux", "procps", "ca-certificates"),
    *("iptables", "nftables", "conntrack", "ebtables", "ethtool", "socat", "iproute2", "iputils-ping"),
    *("containerd", "runc", "containernetworking-plugins", "busybox-static", "curl", "jq"),
)
ENABLED = ("containerd.service", "kubelet.service", "kubelet-cgroups.service")
# What makes no sense in a container, or may not be done in one.
MASKED = (
    *("systemd-binfmt.service", "proc-sys-fs-binfmt_misc.automount", "systemd-udevd.service"),
    *("systemd-logind.service", "console-getty.service", "getty.target", "systemd-firstboot.service"),
    *("sys-kernel-debug.mount", "sys-kernel-tracing.mount", "sys-kernel-config.mount"),
    *("sys-fs-fuse-connections.mount", "apt-daily.timer", "apt-daily-upgrade.timer"),
)
LEFTOVERS = (
    *("etc/machine-id", "etc/cni/net.d/*", "etc/systemd/system/*.wants/*"),
    *("lib/systemd/system/multi-user.target.wants/*", "lib/systemd/system/local-fs.target.wants/*"),
    *("lib/systemd/system/sockets.target.wants/*udev*", "lib/systemd/system/sockets.target.wants/*initctl*"),
)
SETTINGS = """\
FROM {system}
ENV container=docker
STOPSIGNAL SIGRTMIN+3
ENTRYPOINT ["/usr/local/bin/node-entrypoint", "/sbin/init"]
"""
STORE_SECONDS = 20.0


def image_step(runner: Runner, folders: Folders, userland: Path, before: Sequence[Step]) -> Step:
    """Assemble the node image and import it into the engine that `runner` speaks to."""
    code = tuple(SOURCES / name for name in ("node_image.py", "control_plane.py", "archives.py"))
    return Step(
        "node image",
        lambda: make(runner, folders, userland, NODE_IMAGE),
        inputs=(*before, OVERLAY, *code),
        present=lambda: runner.answers("docker", "image", "inspect", NODE_IMAGE),
    )


def make(runner: Runner, folders: Folders, userland: Path, name: str) -> None:
    """Unpack, fill, tidy, import; nothing of it stays on disk but the image."""
    work = folders.work
    shutil.rmtree(work, ignore_errors=True)
    root = work / "node"
    root.mkdir(parents=True)
    runner.run("tar", "--exclude=./dev/*", "-C", root, "-xf", userland)
    fill(runner, folders, root)
    store = root / "var/lib/containerd"
    shutil.rmtree(store, ignore_errors=True)
    import_images(runner, write_archives(runner, folders, root, work), store, work)
    tidy(runner, root)
    import_root(runner, root, name)
    shutil.rmtree(work)


def fill(runner: Runner, folders: Folders, root: Path) -> None:
    """Lay our files and programs over the packages."""
    shutil.copytree(OVERLAY, root, dirs_exist_ok=True, symlinks=True)
    for name in ("kubeadm", "kubectl", "kubelet"):
        shutil.copy2(folders.binaries / name, root / "usr/bin")
    shutil.copy2(folders.binaries / "crictl", root / "usr/local/bin")
    for folder in ("opt/cni", "etc/cni/net.d", "etc/containerd/certs.d", "var/lib/kubelet"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "opt/cni/bin").symlink_to("/usr/lib/cni")
    (root / "kind/version").write_text(KUBERNETES_VERSION)
    runner.run("chown", "-R", "0:0", *(root / part.name for part in OVERLAY.iterdir() if part.name != "etc"))
    runner.run("chown", "-R", "0:0", *(root / "etc" / part.name for part in (OVERLAY / "etc").iterdir()))


def import_images(runner: Runner, archives: Sequence[Path], store: Path, work: Path) -> None:
    """Bring the archives into a containerd store, packed as they are: the node unpacks what it runs."""
    with containerd(store, work) as socket:
        for archive in archives:
            options = ("--no-unpack", "--all-platforms", "--digests")
            runner.run("ctr", "-a", socket, "-n", "k8s.io", "images", "import", *options, archive)


@contextmanager
def containerd(store: Path, work: Path) -> Iterator[Path]:
    """A containerd of our own over `store`, for as long as the block runs.

    Raises:
        ClusterError: it did not answer in time.
    """
    socket = work / "containerd.sock"
    configuration = work / "containerd.toml"
    configuration.write_text(
        "version = 2\n"
        f'root = "{store}"\n'
        f'state = "{work / "containerd-state"}"\n'
        'disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]\n'
        f'[grpc]\naddress = "{socket}"\n'
    )
    with (work / "containerd.log").open("w") as log:
        process = subprocess.Popen(("containerd", "-c", configuration), stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + STORE_SECONDS
        while not socket.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                said = (work / "containerd.log").read_text()[-2000:]
                raise ClusterError(f"containerd did not start:\n{said}")
            time.sleep(0.05)
        yield socket
    finally:
        process.terminate()
        process.wait()


def tidy(runner: Runner, root: Path) -> None:
    """Remove what must differ from node to node or slows the start, and set up systemd."""
    for pattern in LEFTOVERS:
        for path in root.glob(pattern):
            path.unlink()
    (root / "etc/resolv.conf").touch()
    shutil.rmtree(root / "var/lib/apt/lists", ignore_errors=True)
    runner.run("systemctl", f"--root={root}", "enable", *ENABLED)
    runner.run("systemctl", f"--root={root}", "mask", *MASKED)
    runner.run("systemctl", f"--root={root}", "set-default", "multi-user.target")


def import_root(runner: Runner, root: Path, name: str) -> None:
    """Make the folder an image of the engine, as one layer."""
    archive = root.parent / "node.tar"
    runner.run("tar", "--numeric-owner", "--exclude=./dev/*", "-C", root, "-cf", archive, ".")
    system = f"{name}-system"
    runner.run("docker", "import", archive, system)
    # `docker import` takes no STOPSIGNAL; the old builder needs nothing that Debian's package lacks
    recipe = SETTINGS.format(system=system)
    runner.run("docker", "build", "--tag", name, "-", text_input=recipe, extra={"DOCKER_BUILDKIT": "0"})
    # the one that was named so before is nameless now
    runner.run("docker", "image", "rm", system)
    runner.run("docker", "image", "prune", "--force")
