"""After a crash nobody knows whether the patch was done: the object tells, or it is not done again."""

from __future__ import annotations

import pytest
from tests.undo.builders import LIMIT, MANAGER, deployment, entry, injected, owning, record_of

from kubedrill.core.undo.patches import Applied, landed
from kubedrill.core.undo.pointers import put


def test_the_generation_as_recorded_means_that_it_was_not_done():
    seen = deployment()

    assert landed(record_of(seen), seen) is Applied.NO


def test_our_managers_entry_means_that_it_was_done():
    record, fault = injected(deployment())
    fault["metadata"]["managedFields"] = [entry(MANAGER, owning("spec/replicas"))]

    assert landed(record, fault) is Applied.YES


def test_a_label_of_a_fence_that_was_cut_short_is_no_injection():
    seen = deployment()
    record = record_of(seen)
    seen["metadata"]["managedFields"] = [entry(MANAGER, owning(f"metadata/labels/{MANAGER}"))]

    assert landed(record, seen) is Applied.NO


def test_all_our_values_mean_that_it_was_done_when_ownership_was_given_back_already():
    record, fault = injected(deployment())

    assert landed(record, fault) is Applied.YES


def test_old_values_at_a_later_generation_mean_that_nobody_knows():
    seen = deployment()
    record = record_of(seen)
    seen["metadata"]["generation"] += 2

    assert landed(record, seen) is Applied.UNKNOWN


@pytest.mark.parametrize(("path", "value"), [(LIMIT, "64Mi"), ("/metadata/uid", "u2")])
def test_anything_else_means_that_nobody_knows(path: str, value: str):
    record, fault = injected(deployment())
    put(fault, path, value)

    assert landed(record, fault) is Applied.UNKNOWN
