"""Operator and CRDs are upgraded, and rolled back, in either order while a drill is on: it goes on, and ends well."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from nightly.versions import EARLIER, THIS, crds_are_of, operator_is_of
from tests.e2e.drills.conftest import lab, staging_up  # noqa: F401  fixtures
from tests.e2e.drills.lab import (
    CONTROL,
    LOWERED,
    NAMESPACE,
    TARGET,
    drill,
    in_phase,
    limit_of,
    records,
    status,
    stop,
    target,
)
from tests.e2e.staging.copies import kubectl, until

Change = Callable[[str], None]
ROUNDS: dict[str, tuple[str, tuple[tuple[Change, str], ...]]] = {
    "upgraded and rolled back, the CRDs first": (
        EARLIER,
        ((crds_are_of, THIS), (operator_is_of, THIS), (crds_are_of, EARLIER), (operator_is_of, EARLIER)),
    ),
    "rolled back and upgraded, the operator first": (
        THIS,
        ((operator_is_of, EARLIER), (crds_are_of, EARLIER), (operator_is_of, THIS), (crds_are_of, THIS)),
    ),
    "ended when only the CRDs are upgraded": (EARLIER, ((crds_are_of, THIS),)),
    "ended when only the CRDs are rolled back": (THIS, ((crds_are_of, EARLIER),)),
}
"""Where each round begins, and its steps. Every pair of versions has a drill for a while, and one that it ends."""
DRILL, HELD = "between-versions", "held-over"


@pytest.fixture
def both(lab: None) -> Iterator[None]:  # noqa: ARG001, F811  the workload
    """The target is whole. Whatever a test has installed, afterwards it is this version again, and no drill is left."""
    kubectl("-n", NAMESPACE, "rollout", "status", f"deployment/{TARGET}", "--timeout=90s")
    yield
    installed(THIS)
    kubectl("-n", CONTROL, "delete", "drills", DRILL, HELD, "--ignore-not-found", "--timeout=60s")


def installed(version: str) -> None:
    crds_are_of(version)
    operator_is_of(version)


def is_heard(name: str, ttl: str) -> dict[str, Any]:
    """The status, once the operator has had a turn with what is written into the spec now: how long it is kept."""
    written = json.dumps({"spec": {"ttlAfterFinished": ttl}})
    patch = ("patch", "drill", name, "--type=merge", "-o", "jsonpath={.metadata.generation}", "-p", written)
    generation = int(kubectl("-n", CONTROL, *patch))
    until(lambda: status(name).get("observedGeneration") == generation, 60, f"generation {generation} is acted upon")
    return status(name)


def goes_on(heard: dict[str, Any], before: dict[str, Any]) -> None:
    """The drill is still in play, with the fault in once, and what it was started with."""
    assert heard["phase"] == "InPlay", heard.get("message")
    for kept in ("startExTime", "plan"):
        assert heard.get(kept) == before.get(kept), kept
    assert limit_of(target()) == LOWERED
    assert records().count("secret/") == 1


@pytest.mark.parametrize("way", ROUNDS)
@pytest.mark.usefixtures("both")
def test_a_drill_goes_on_through_every_pair_of_versions_and_is_restored(way: str):
    begins, steps = ROUNDS[way]
    installed(begins)
    workload = target()
    kubectl("apply", "-f", "-", given=drill(DRILL))
    before = in_phase(DRILL, "InPlay")
    injected = target()["metadata"]["generation"]

    for hours, (change, version) in enumerate(steps, start=100):
        change(version)
        goes_on(is_heard(DRILL, f"{hours}h"), before)
        assert target()["metadata"]["generation"] == injected, "it is injected once"

    stop(DRILL)
    ended = in_phase(DRILL, "Stopped")
    assert ended["verdict"] == "Stopped"
    assert {m["name"] for m in ended["milestones"]} >= {"Injected", "FaultEffective"}
    assert ended["restore"]["complete"] is True
    assert {f["outcome"] for f in ended["restore"]["fields"]} == {"Restored"}
    assert target()["spec"] == workload["spec"]
    assert records() == ""
    assert kubectl("-n", CONTROL, "get", "drillreport", ended["reportName"], "-o", "name")


@pytest.mark.usefixtures("both")
def test_a_drill_that_was_only_checked_by_the_earlier_one_is_started_by_this_one():
    installed(EARLIER)
    kubectl("apply", "-f", "-", given=drill(HELD, desired="Hold"))
    in_phase(HELD, "Held")
    installed(THIS)
    kubectl("-n", CONTROL, "patch", "drill", HELD, "--type=merge", "-p", '{"spec":{"desired":"Run"}}')
    in_phase(HELD, "InPlay")
    assert status(HELD)["plan"]["hash"]
    stop(HELD)
    in_phase(HELD, "Stopped")
    assert records() == ""
