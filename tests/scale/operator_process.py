"""The operator as a process of its own, with the entry of the image, and what it costs: memory, time, connections."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final, Self

from cluster.containerfile import instructions
from tests.scale.servers import ControlPlane

CONTAINERFILE: Final = Path(__file__).parents[2] / "operator/Containerfile"
TICKS: Final = os.sysconf("SC_CLK_TCK")
ENTRY: Final = (
    "from tests.faultmatrix.processes import _serve; import os; _serve('operator', {}, os.environ['SCALE_LOG'])"
)
"""Services of the cluster are on loopback there; all else is as in the image."""


def memory_settings() -> dict[str, str]:
    """What the operator's image tells the memory allocator."""
    said = (words for word, words in instructions(CONTAINERFILE.read_text()) if word == "ENV")
    pairs = (pair.partition("=") for words in said for pair in words.split())
    return {name: value for name, _, value in pairs if name.startswith("MALLOC_")}


class OperatorProcess:
    """Runs while the block does."""

    def __init__(self, plane: ControlPlane, token: str, namespace: str) -> None:
        self._plane = plane
        self.log = plane.folder / "operator.log"
        self._environment = (
            os.environ
            | memory_settings()
            | {
                "SCALE_LOG": str(self.log),
                "KUBECONFIG": str(plane.kubeconfig_of("operator", token)),
                "KUBEDRILL_NAMESPACE": namespace,
                "KUBEDRILL_HTTP_PORT": "0",
                "KUBEDRILL_LOG": "WARNING",
            }
        )

    def __enter__(self) -> Self:
        self._process = subprocess.Popen([sys.executable, "-c", ENTRY], env=self._environment)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def demand_alive(self) -> None:
        """Ends the measurement when the operator has ended."""
        if self._process.poll() is not None:
            raise SystemExit(f"the operator has ended ({self._process.returncode}):\n{self.log.read_text()[-3000:]}")

    @property
    def processor_seconds(self) -> float:
        """Processor time so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    @property
    def memory(self) -> float:
        """Resident, in MiB."""
        return self._status("VmRSS")

    @property
    def most_memory(self) -> float:
        """The most that was ever resident, in MiB."""
        return self._status("VmHWM")

    @property
    def connections(self) -> int:
        """Established connections to the API server."""
        mine = set()
        for file in Path(f"/proc/{self._process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                mine.add(str(file.readlink()))
        lines = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
        port = f":{self._plane.port:04X}"
        return sum(f"socket:[{x[9]}]" in mine and x[2].endswith(port) and x[3] == "01" for x in lines)

    def _status(self, name: str) -> float:
        text = Path(f"/proc/{self._process.pid}/status").read_text()
        found = re.search(rf"{name}:\s+(\d+) kB", text)
        assert found, f"/proc tells no {name}"
        return int(found[1]) / 1024
