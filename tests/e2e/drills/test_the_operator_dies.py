"""The operator is killed at each named point of the protocol, and a new one takes over while it may still run."""

from __future__ import annotations

from typing import Any

import pytest
from tests.e2e.drills.lab import (
    CONTROL,
    GOOD,
    LOWERED,
    NAMESPACE,
    POINTS_OF_INJECTION,
    POINTS_OF_REVERT,
    TARGET,
    drill,
    in_phase,
    kill,
    limit_of,
    pausing_at,
    records,
    status,
    stop,
    target,
    wait_for_pause,
)
from tests.e2e.staging.copies import kubectl

pytestmark = pytest.mark.usefixtures("whole")


def nothing_is_left(before: dict[str, Any], *, writes: int) -> None:
    """The target is as it was, was written exactly so often, and bears no trace; no record is left."""
    now = target()
    assert now["spec"] == before["spec"]
    assert now["metadata"]["generation"] == before["metadata"]["generation"] + writes
    assert not [m for m in now["metadata"]["managedFields"] if m["manager"].startswith("manager-")]
    assert not now["metadata"].get("labels")
    assert records() == ""


@pytest.mark.parametrize("point", POINTS_OF_INJECTION)
def test_killed_while_injecting_it_injects_once_and_goes_on(point: str):
    name, before = f"killed-{point}", target()
    with pausing_at(point):
        kubectl("apply", "-f", "-", given=drill(name))
        wait_for_pause(point)
        kill()
        reached = in_phase(name, "InPlay", "Aborted", "Stopped")
        assert reached["phase"] == "InPlay", reached["message"]
        assert limit_of(target()) == LOWERED
        assert {m["name"] for m in reached["milestones"]} >= {"Injected", "FaultEffective"}
        stop(name)
        in_phase(name, "Stopped")
    nothing_is_left(before, writes=2)


@pytest.mark.parametrize("point", POINTS_OF_REVERT)
def test_killed_while_putting_back_it_reverts_once(point: str):
    name, before = f"killed-{point}", target()
    with pausing_at(point):
        kubectl("apply", "-f", "-", given=drill(name))
        in_phase(name, "InPlay")
        stop(name)
        wait_for_pause(point)
        kill()
        ended = in_phase(name, "Stopped")
    assert ended["verdict"] == "Stopped"
    assert {f["outcome"] for f in ended["restore"]["fields"]} == {"Restored"}
    nothing_is_left(before, writes=2)


def test_a_value_that_a_player_puts_back_meanwhile_is_not_injected_again():
    name, before = "killed-and-put-back", target()
    with pausing_at("fault-patched"):
        kubectl("apply", "-f", "-", given=drill(name))
        wait_for_pause("fault-patched")
        injected = target()["metadata"]["generation"]
        kubectl(
            "-n",
            NAMESPACE,
            "set",
            "resources",
            f"deployment/{TARGET}",
            f"--limits=memory={GOOD}",
            f"--requests=memory={GOOD}",
        )
        kill()
        in_phase(name, "InPlay", "Aborted", "Armed", "HotWash", "Completed", "Stopped")
        stop(name)
        in_phase(name, "Stopped", "Aborted")
    now = target()
    assert limit_of(now) == GOOD
    assert injected == before["metadata"]["generation"] + 1
    assert records() == ""
    kubectl("-n", CONTROL, "get", "drill", name)
    assert status(name)["restore"]["complete"] is True
