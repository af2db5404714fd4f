"""A record that is accepted takes whatever is written into it later; one that might not is refused at the start."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.undo.builders import NOON, TARGET, deployment, entry, injected, owning

from kubedrill.core.evidence.facts import Interval
from kubedrill.core.undo.operations import Ask, FieldChange, SetFields
from kubedrill.core.undo.patches import plan_revert
from kubedrill.core.undo.pointers import put
from kubedrill.core.undo.record import Outcome, OutsideGroup, RecordState, UndoRecord, to_json
from kubedrill.core.undo.record_size import OUTCOME_BYTES, RECORD_BYTES, SECRET_BYTES, too_long

NAMES = [f"field{n}" for n in range(12)]
texts = st.builds(lambda text, times: text * times, st.text(max_size=12), st.sampled_from([1, 40, 4000, 60_000]))
fields = st.dictionaries(st.sampled_from(NAMES), texts, min_size=1, max_size=12)


def record_and_fault(before: dict[str, Any], after: dict[str, Any]) -> tuple[UndoRecord, dict[str, Any]]:
    change = SetFields(TARGET, tuple(FieldChange(f"/spec/{name}", value) for name, value in after.items()))
    return injected(deployment(managed=[entry("kubectl", owning("spec/replicas"))], **before), change)


@given(fields, fields, texts, texts)
def test_an_accepted_record_takes_its_outcome_whatever_somebody_else_has_written(before, after, theirs, who):
    record, fault = record_and_fault(before, after)
    if too_long(record):
        return
    for name in after:
        put(fault, f"/spec/{name}", theirs)
    fault["metadata"]["managedFields"] = [entry(who[:128], owning(*(f"spec/{name}" for name in after)))]
    plan = plan_revert(record, fault)
    ended = replace(
        record,
        state=RecordState.REVERTED,
        injected=Interval(NOON, NOON),
        restoring=tuple(f.path for f in record.fields),
        released=tuple(f.path for f in record.fields),
        outcome=Outcome("Watchdog", NOON, plan.fields),
    )
    assert len(to_json(ended)) - len(to_json(record)) <= len(record.fields) * OUTCOME_BYTES + 1024
    assert len(to_json(ended)) <= SECRET_BYTES


def test_a_record_of_a_usual_fault_is_far_below_it():
    record, _ = record_and_fault({"minReadySeconds": "0"}, {"minReadySeconds": "15"})
    assert too_long(record) == ""
    assert len(to_json(record)) < RECORD_BYTES // 100


@pytest.mark.parametrize("length", [RECORD_BYTES, SECRET_BYTES])
def test_one_that_is_too_long_is_refused_in_words(length: int):
    record, _ = record_and_fault({"image": "x" * length}, {"image": "y"})
    assert "let the drill change fewer or shorter fields" in too_long(record)


def test_so_is_one_of_what_is_done_by_hand():
    record, _ = record_and_fault({"image": "x"}, {"image": "y"})
    asked = replace(record, groups=(OutsideGroup("hand", Ask("x" * RECORD_BYTES, "y")),))
    assert "Deployment/web" in too_long(asked)
