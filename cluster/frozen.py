"""Processes that a container runtime froze and never let go on: nothing can kill them, nor the node that they are in.

On cgroup v1 runc freezes a container while it changes what that may use. One that is killed then leaves it frozen.
"""

from collections.abc import Iterable
from pathlib import Path

FREEZER = Path("/sys/fs/cgroup/freezer/docker")


def thaw(containers: Iterable[str], freezer: Path = FREEZER) -> None:
    """Let everything in these containers of the engine go on; nothing, where the machine has no cgroup v1."""
    for container in containers:
        for state in sorted((freezer / container).rglob("freezer.state")):
            if state.read_text(encoding="ascii").strip() != "THAWED":
                state.write_text("THAWED", encoding="ascii")
