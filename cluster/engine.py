"""A container engine of our own, in its own network namespace; the machine's engine is never touched."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cluster.commands import ClusterError, Runner
from cluster.packages import SBIN
from cluster.settings import (
    CABLE,
    ENGINE_ADDRESS,
    HOST_ADDRESS,
    NETWORK_NAMESPACE,
    PREFIX_LENGTH,
    Folders,
)

RUN_FOLDER = Path("/run/kubedrill-engine")
NAMESPACE_FILE = Path("/run/netns") / NETWORK_NAMESPACE
START_SECONDS = 30.0
STOP_SECONDS = 30.0


@dataclass(frozen=True)
class OwnEngine:
    """A Docker engine whose data lie in `folders.engine` and whose networks nobody else sees."""

    folders: Folders
    runner: Runner

    @property
    def pid_file(self) -> Path:
        """Written by the engine itself."""
        return self.folders.engine / "docker.pid"

    @property
    def socket(self) -> Path:
        """Where the engine is spoken to, from any network namespace."""
        return self.folders.engine / "docker.sock"

    def pid(self) -> int | None:
        """The engine's process id, if the process is there and really is ours."""
        try:
            pid = int(self.pid_file.read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        except (OSError, ValueError):
            return None
        return pid if str(self.folders.engine) in command else None

    def is_up(self) -> bool:
        """Whether it runs, in its network namespace, and answers."""
        return (
            self.pid() is not None
            and NAMESPACE_FILE.exists()
            and self.runner.answers("docker", "version", timeout_seconds=START_SECONDS)
        )

    def start(self) -> None:
        """Start it afresh; a namespace that an earlier engine left would shadow it with its bridges.

        Raises:
            ClusterError: it does not answer in time.
        """
        self.end_process()
        self.remove_network()
        self.make_network()
        self.folders.engine.mkdir(parents=True, exist_ok=True)
        # of a killed engine; another process may bear its number by now, and dockerd would refuse to start
        self.pid_file.unlink(missing_ok=True)
        configuration = self.folders.engine / "daemon.json"
        configuration.write_text(json.dumps(self.configuration(), indent=2))
        log_file = self.folders.engine / "dockerd.log"
        with log_file.open("w") as log:
            process = subprocess.Popen(
                ("nsenter", f"--net={NAMESPACE_FILE}", "dockerd", "--config-file", str(configuration)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "PATH": f"{SBIN}:{os.environ['PATH']}"},
            )
        answers = wait_until(
            lambda: process.poll() is not None or self.runner.answers("docker", "version"), START_SECONDS
        )
        if not answers or process.poll() is not None:
            raise ClusterError(f"the engine did not start:\n{log_file.read_text()[-2000:]}")

    def configuration(self) -> dict[str, object]:
        """What dockerd is told, instead of the machine's /etc/docker/daemon.json."""
        return {
            "data-root": str(self.folders.engine / "data"),
            "exec-root": str(RUN_FOLDER),
            "pidfile": str(self.pid_file),
            "hosts": [f"unix://{self.socket}"],
            # `docker run --privileged` is refused where CAP_SYS_RESOURCE is missing: this one clamps
            "runtimes": {"runcwrap": {"path": str(self.folders.binaries / "runcwrap")}},
            "default-runtime": "runcwrap",
        }

    def stop(self) -> None:
        """End the engine and remove its network, mounts and run folder; its images stay."""
        self.end_process()
        self.remove_network()
        for mount in reversed(mounts_below(self.folders.engine, RUN_FOLDER)):
            self.runner.run("umount", "--lazy", mount)
        shutil.rmtree(RUN_FOLDER, ignore_errors=True)
        self.socket.unlink(missing_ok=True)

    def end_process(self) -> None:
        """Ask the engine to end, and make sure."""
        pid = self.pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGTERM)
        if not wait_until(lambda: self.pid() is None, STOP_SECONDS):
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: self.pid() is None, STOP_SECONDS)

    def make_network(self) -> None:
        """A namespace with one cable to this machine and no way beyond it."""
        run = self.runner.run
        run("ip", "netns", "add", NETWORK_NAMESPACE)
        run("ip", "link", "add", CABLE, "type", "veth", "peer", "name", "eth0", "netns", NETWORK_NAMESPACE)
        run("ip", "address", "add", f"{HOST_ADDRESS}/{PREFIX_LENGTH}", "dev", CABLE)
        run("ip", "link", "set", CABLE, "up")
        inside = ("ip", "-n", NETWORK_NAMESPACE)
        run(*inside, "link", "set", "lo", "up")
        run(*inside, "address", "add", f"{ENGINE_ADDRESS}/{PREFIX_LENGTH}", "dev", "eth0")
        run(*inside, "link", "set", "eth0", "up")
        # Docker needs some default route to pick its own addresses by; nothing forwards from there
        run(*inside, "route", "add", "default", "via", HOST_ADDRESS)

    def remove_network(self) -> None:
        """Remove the namespace and the cable, whichever is there."""
        if NAMESPACE_FILE.exists():
            self.runner.run("ip", "netns", "delete", NETWORK_NAMESPACE)
        if Path(f"/sys/class/net/{CABLE}").exists():
            # a namespace lives on while something runs in it, and with it the cable's other end
            self.runner.run("ip", "link", "delete", CABLE)


def wait_until(holds: Callable[[], bool], seconds: float) -> bool:
    """Poll until the condition holds; False when the time is over."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def mounts_below(*roots: Path) -> list[str]:
    """Mount points below these folders, outer before inner (proc(5), mountinfo)."""
    prefixes = tuple(f"{root}/" for root in roots)
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return sorted(point for point in (line.split()[4] for line in lines) if point.startswith(prefixes))
