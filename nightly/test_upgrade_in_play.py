"""Operator and CRDs are upgraded, and rolled back, in either order while a drill is on: it goes on, and ends well."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from nightly.versions import EARLIER, THIS, crds_are_of, operator_is_of
from tests.e2e.drills.conftest import lab, staging_up, whole  # noqa: F401  fixtures
from tests.e2e.drills.lab import CONTROL, LOWERED, drill, in_phase, limit_of, records, status, stop, target
from tests.e2e.staging.copies import kubectl

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
}
"""Where each round begins, and its steps: every pair of versions has the drill for a while."""


@pytest.fixture
def both(whole: None) -> Iterator[None]:  # noqa: ARG001, F811  the workload
    """Whatever a test has installed, afterwards it is this version again."""
    yield
    crds_are_of(THIS)
    operator_is_of(THIS)


def installed(version: str) -> None:
    crds_are_of(version)
    operator_is_of(version)


def goes_on(name: str, before: dict[str, Any]) -> None:
    """The drill is still in play, with the fault in once, and what it was started with."""
    reached = in_phase(name, "InPlay")
    for kept in ("startExTime", "plan"):
        assert reached.get(kept) == before.get(kept), kept
    assert limit_of(target()) == LOWERED
    assert records().count("secret/") == 1


@pytest.mark.parametrize("way", ROUNDS)
@pytest.mark.usefixtures("both")
def test_a_drill_goes_on_through_every_pair_of_versions_and_is_restored(way: str):
    begins, steps = ROUNDS[way]
    name = f"from-{begins}"
    installed(begins)
    workload = target()
    kubectl("apply", "-f", "-", given=drill(name))
    before = in_phase(name, "InPlay")
    injected = target()["metadata"]["generation"]

    for change, version in steps:
        change(version)
        goes_on(name, before)
        assert target()["metadata"]["generation"] == injected, "it is injected once"

    stop(name)
    ended = in_phase(name, "Stopped")
    assert ended["restore"]["complete"] is True
    assert {f["outcome"] for f in ended["restore"]["fields"]} == {"Restored"}
    assert target()["spec"] == workload["spec"]
    assert records() == ""


@pytest.mark.usefixtures("both")
def test_a_drill_that_was_only_checked_by_the_earlier_one_is_started_by_this_one():
    installed(EARLIER)
    kubectl("apply", "-f", "-", given=drill("held-over", desired="Hold"))
    in_phase("held-over", "Held")
    installed(THIS)
    kubectl("-n", CONTROL, "patch", "drill", "held-over", "--type=merge", "-p", '{"spec":{"desired":"Run"}}')
    in_phase("held-over", "InPlay")
    assert status("held-over")["plan"]["hash"]
    stop("held-over")
    in_phase("held-over", "Stopped")
    assert records() == ""
