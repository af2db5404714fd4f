"""The operator and the watchdog as processes of their own, killed as the kernel kills: SIGKILL, at once.

They are forked from a server that has imported everything already, so a start costs no second of processor time,
and hundreds of plans fit into an hour. What runs in them is the same entry as in the image.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any, ClassVar, Final

ANY_PORT: Final = {"KUBEDRILL_HTTP_PORT": "0", "KUBEDRILL_WATCHDOG_PORT": "0"}
PRELOADED: Final = ("tests.faultmatrix.processes", "kubedrill.controller.operator", "kubedrill.watchdog.process")


def context() -> ForkServerContext:
    """The fork server, with what the processes import."""
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(list(PRELOADED))
    return server


def _serve(role: str, env: dict[str, str], log: str) -> None:
    """The process: its environment, its log, and then what the image's entry does."""
    os.environ.update(env)
    with Path(log).open("ab", buffering=0) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    _lead_services_here()
    # only the process itself may import them: whoever starts it is neither operator nor watchdog
    if role == "operator":
        from kubedrill.controller.operator import main  # noqa: PLC0415
    else:
        from kubedrill.watchdog.process import main  # noqa: PLC0415
    main()


def _lead_services_here() -> None:
    """Services of the cluster are on loopback here: the matrix brings its own Redis, Prometheus and Alertmanager.

    Elsewhere nothing on loopback is asked, and no name that leads to another.
    """
    from kubedrill.kube import addresses as strangers  # noqa: PLC0415  as below

    really = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **keywords: Any) -> Any:
        if isinstance(host, bytes):
            host = host.decode()
        return really("127.0.0.1" if str(host).endswith(".svc") else host, *arguments, **keywords)

    def demand_addresses(host: str, canonical: str, addresses: Iterable[str]) -> None:
        """Wherever it is."""

    socket.getaddrinfo = getaddrinfo
    strangers.demand_addresses = demand_addresses


class Program:
    """One role's process, started again and again."""

    everyone: ClassVar[list[Any]] = []

    def __init__(self, server: ForkServerContext, role: str, env: dict[str, str], log: Path, skew: str = "") -> None:
        self._server, self.role, self._env, self.log, self._skew = server, role, env, log, skew
        self._process: Any = None
        self.killed: set[int] = set()
        self.started = 0

    def start(self) -> None:
        """A new process."""
        arguments = (self.role, self._env | ANY_PORT, str(self.log))
        if self._skew:
            self._process = Skewed(*arguments, self._skew)
        else:
            self._process = self._server.Process(target=_serve, args=arguments, daemon=True)
        self._process.start()
        Program.everyone.append(self._process)
        self.started += 1

    @classmethod
    def end_all(cls) -> None:
        """SIGKILL for whoever still runs: a run that ends early leaves nobody behind, and waits for nobody."""
        for process in cls.everyone:
            if process.is_alive():
                process.kill()
            process.join(5)
        cls.everyone.clear()

    def beside(self, log: Path) -> Program:
        """Another one of the same role, with the same rights and the right clock, not started yet."""
        return Program(self._server, self.role, self._env, log)

    @property
    def pid(self) -> int:
        """Its process id; 0 when there is none."""
        return int(self._process.pid or 0) if self._process else 0

    def kill(self) -> None:
        """SIGKILL."""
        if self._process and self._process.is_alive():
            self.killed.add(self.pid)
            self._process.kill()

    def signal(self, number: signal.Signals) -> None:
        """Any other signal."""
        if self._process and self._process.is_alive():
            os.kill(self.pid, number)

    def ended(self) -> int | None:
        """Its exit code if it has ended, None while it runs."""
        return None if self._process is None else self._process.exitcode

    def join(self) -> None:
        """Waits for a process that was killed."""
        if self._process:
            self._process.join(5)

    def memory(self) -> int:
        """Resident bytes; 0 when it does not run."""
        if self._process is None or not self._process.is_alive():
            return 0
        text = Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii")
        return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Skewed:
    """A process whose clock is wrong (libfaketime). Not forked: it must be loaded with the library."""

    def __init__(self, role: str, env: dict[str, str], log: str, skew: str) -> None:
        self._call = f"from tests.faultmatrix.processes import _serve; _serve({role!r}, {env!r}, {log!r})"
        self._skew = skew
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """With the wrong clock. Its monotonic clock is wrong, too, where only the rate is."""
        library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
        if library is None:
            raise SystemExit("libfaketime is not installed: make setup-services")
        faked = {"LD_PRELOAD": str(library), "FAKETIME": self._skew, "FAKETIME_NO_CACHE": "1"}
        if " x" not in self._skew:
            faked["DONT_FAKE_MONOTONIC"] = "1"
        self._process = subprocess.Popen([sys.executable, "-c", self._call], env=os.environ | faked)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid if self._process else 0

    @property
    def exitcode(self) -> int | None:
        """None while it runs."""
        return self._process.poll() if self._process else None

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL."""
        if self._process:
            self._process.kill()

    def join(self, timeout: float) -> None:
        """Waits for its end."""
        if self._process:
            self._process.wait(timeout)
