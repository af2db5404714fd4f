"""Once people change the target, what is seen of pods may be their doing: an effect is looked for before that alone."""

from __future__ import annotations

import pytest
from tests.measure.builders import changed, fact, injected, scaled

from kubedrill.core.evidence.attribution import undisturbed
from kubedrill.core.evidence.facts import FactKind

FAULT = injected(-60)
EARLY, LATE = fact(FactKind.POD_GONE, 5, pod="a"), fact(FactKind.POD_GONE, 30, pod="b")
ACTS = {
    "a player's change": changed(10, by="tom"),
    "somebody's change": changed(10),
    "pods that were deleted": fact(FactKind.PODS_DELETED, 10, pods=["b"]),
}


@pytest.mark.parametrize("act", ACTS)
def test_what_comes_after_a_change_is_left_out(act):
    assert undisturbed({FAULT, EARLY, ACTS[act], LATE}) == {FAULT, EARLY, ACTS[act]}


@pytest.mark.parametrize("other", [scaled(10), changed(-90)], ids=["a scale-up", "a change before the injection"])
def test_what_disturbs_nothing_leaves_all(other):
    assert undisturbed({FAULT, EARLY, other, LATE}) == {FAULT, EARLY, other, LATE}
