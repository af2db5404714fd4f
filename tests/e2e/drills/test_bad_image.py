"""badImage on real pods: its effect is seen, who repairs it has fixed it, and the watchdog alone restores it too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.e2e.drills.lab import CONTROL, NAMESPACE, TARGET, drill, in_phase, records, status, stop, target
from tests.e2e.staging.copies import kubectl, until

pytestmark = pytest.mark.usefixtures("whole")
BAD = {"name": "release", "badImage": {"target": {"kind": "Deployment", "name": TARGET}, "affected": 1}}
WATCHDOG_WITHIN = 60.0


def image() -> str:
    return str(target()["spec"]["template"]["spec"]["containers"][0]["image"])


def templates() -> set[str]:
    """The images of all ReplicaSets of the target."""
    found = json.loads(kubectl("-n", NAMESPACE, "get", "replicasets", "-o", "json"))["items"]
    return {str(one["spec"]["template"]["spec"]["containers"][0]["image"]) for one in found}


def in_play(name: str, **spec: Any) -> dict[str, Any]:
    """A drill whose fault has had its effect."""
    kubectl("apply", "-f", "-", given=drill(name, faults=[BAD], **spec))
    reached = in_phase(name, "InPlay", "Aborted", "Stopped")
    assert reached["phase"] == "InPlay", reached["message"]
    return reached


@contextmanager
def no_operator() -> Iterator[None]:
    """The operator is gone; the watchdog stays."""
    kubectl("-n", CONTROL, "scale", "deployment/kubedrill", "--replicas=0")
    kubectl("-n", CONTROL, "wait", "pod", "-l", "app.kubernetes.io/name=kubedrill", "--for=delete", "--timeout=60s")
    try:
        yield
    finally:
        kubectl("-n", CONTROL, "scale", "deployment/kubedrill", "--replicas=1")
        kubectl("-n", CONTROL, "rollout", "status", "deployment/kubedrill", "--timeout=90s")


def test_pods_that_cannot_pull_are_the_effect_and_nothing_of_it_is_left_after_a_stop():
    before = target()
    reached = in_play("bad-image")
    told = next(m for m in reached["milestones"] if m["name"] == "FaultEffective")
    assert "1 of 1 pods of Deployment/victim can't pull" in told["evidence"]
    assert image().endswith(":kubedrill-no-such-tag")
    stop("bad-image")
    ended = in_phase("bad-image", "Stopped")
    assert {f["outcome"] for f in ended["restore"]["fields"]} == {"Restored"}
    now = target()
    assert now["spec"] == before["spec"]
    assert not [m for m in now["metadata"]["managedFields"] if m["manager"].startswith("manager-")]
    assert templates() == {image()}
    assert records() == ""


@pytest.mark.parametrize(
    "repair",
    [
        ("set", "image", f"deployment/{TARGET}", "app=localhost/kubedrill/staging-app:dev", "--field-manager=alice"),
        ("rollout", "undo", f"deployment/{TARGET}"),
    ],
    ids=["edited", "rolled back"],
)
def test_whoever_repairs_it_has_fixed_it(repair: tuple[str, ...]):
    name = f"bad-image-{repair[0]}"
    players = [{"name": "alice", "role": "L1", "identities": {"fieldManager": "alice"}}]
    before = image()
    in_play(name, players=players)
    kubectl("-n", NAMESPACE, *repair)

    def fixed() -> bool:
        seen = status(name)
        credited = [m for m in seen.get("milestones", ()) if m["name"] == "FixApplied" and m["actor"] == "alice"]
        # kubectl rollout undo signs as kubectl: whose doing that was, nobody can know without an audit log
        return bool(credited) if repair[0] == "set" else bool(seen.get("interference"))

    until(fixed, 30, "the repair is seen")
    stop(name)
    ended = in_phase(name, "Stopped")
    assert ended["restore"]["complete"]
    assert image() == before


def test_the_watchdog_restores_it_when_there_is_no_operator():
    before = target()["spec"]
    in_play("bad-image-alone")
    with no_operator():
        stop("bad-image-alone")
        until(lambda: target()["spec"] == before, WATCHDOG_WITHIN, "the watchdog has restored the image")
    in_phase("bad-image-alone", "Stopped")
    assert records() == ""
