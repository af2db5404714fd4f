"""A drill may be stopped or deleted at any moment; everything is put back within ten seconds."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.e2e.drills.lab import CONTROL, drill, in_phase, limit_of, records, status, target
from tests.e2e.staging.copies import kubectl, until

pytestmark = pytest.mark.usefixtures("whole")
KUBEDRILL = str(Path(sys.executable).with_name("kubedrill"))
WITHIN = 10.0


def told_to_stop(name: str) -> None:
    """What a facilitator types."""
    subprocess.run([KUBEDRILL, "stop", name, "-n", CONTROL, "--because", "real incident"], check=True)


def deleted(name: str) -> None:
    """What anybody types."""
    kubectl("-n", CONTROL, "delete", "drill", name, "--wait=false")


def at_once(name: str) -> None:
    """Right after it was applied."""
    assert name


def armed(name: str) -> None:
    """While the fault is being injected or has not bitten yet."""
    in_phase(name, "Armed", "InPlay")


def in_play(name: str) -> None:
    """When the fault has bitten."""
    in_phase(name, "InPlay")


@pytest.mark.parametrize("end", [told_to_stop, deleted], ids=["stopped", "deleted"])
@pytest.mark.parametrize("moment", [at_once, armed, in_play], ids=["at once", "armed", "in play"])
def test_everything_is_back_within_ten_seconds(moment: Callable[[str], None], end: Callable[[str], None]):
    name, before = f"ended-{moment.__name__}-{end.__name__}".replace("_", "-"), target()
    kubectl("apply", "-f", "-", given=drill(name))
    moment(name)
    end(name)

    def back() -> bool:
        return target()["spec"] == before["spec"] and records() == ""

    until(back, WITHIN, "the target is back and no record is left")
    gone = subprocess.run(["kubectl", "-n", CONTROL, "get", "drill", name], capture_output=True, check=False).returncode
    if end is deleted:
        until(lambda: name not in kubectl("-n", CONTROL, "get", "drills", "-o", "name"), WITHIN, "the Drill is gone")
    else:
        assert gone == 0
        assert in_phase(name, "Stopped", within=WITHIN)["verdict"] == "Stopped"
    assert not [m for m in target()["metadata"]["managedFields"] if m["manager"].startswith("manager-")]


def test_a_held_drill_touches_nothing_until_it_is_started():
    name, before = "held", target()
    kubectl("apply", "-f", "-", given=drill(name, desired="Hold"))
    in_phase(name, "Held")
    assert target()["metadata"]["generation"] == before["metadata"]["generation"]
    subprocess.run([KUBEDRILL, "start", name, "-n", CONTROL], check=True)
    in_phase(name, "InPlay")
    assert limit_of(target()) != limit_of(before)
    told_to_stop(name)
    in_phase(name, "Stopped")
    assert status(name)["restore"]["complete"] is True
