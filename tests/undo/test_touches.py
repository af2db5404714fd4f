"""Whether a fault is in, by a look at its target: for when its record can't tell."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.undo.builders import LIMIT, NAMED_WEB, TARGET, deployment, injected, squeeze

from kubedrill.core.undo.operations import Create, FieldChange, SetFields
from kubedrill.core.undo.record import LONGEST, OutsideGroup
from kubedrill.core.undo.touches import (
    MOST_FIELDS,
    planned_touches,
    recorded_touches,
    touches_from_wire,
    touches_to_wire,
    unverified,
)


def planned(*changes: FieldChange, seen=None):
    (touch,) = planned_touches([SetFields(TARGET, changes)], {TARGET: seen or deployment()})
    return touch


def test_what_is_planned_is_seen_once_it_is_in_and_not_before():
    record, broken = injected(deployment())
    (touch,) = planned_touches([squeeze()], {TARGET: deployment()})
    assert not touch.is_in(deployment())
    assert touch.is_in(broken)
    ((recorded,),) = recorded_touches(record).values()
    assert recorded.is_in(broken)
    assert not recorded.is_in(deployment())


def test_an_object_that_is_made_is_in_while_anything_has_its_name():
    made = Create(replace(TARGET, name="new"), {})
    (touch,) = planned_touches([made], {})
    assert (touch.target, touch.is_in({"metadata": {"name": "new"}})) == (made.target, True)
    record, _ = injected(deployment())
    ((recorded,),) = recorded_touches(replace(record, target=None, groups=(OutsideGroup("full", made),))).values()
    assert recorded == touch


def test_the_servers_writing_of_a_quantity_is_the_same_value():
    assert planned(FieldChange(LIMIT, "0.5Gi", NAMED_WEB)).is_in(deployment(limit="512Mi"))


def test_one_field_of_several_is_enough_and_somebodys_own_value_is_not_the_faults():
    touch = planned(FieldChange(LIMIT, "32Mi", NAMED_WEB), FieldChange("/spec/minReadySeconds", 15))
    assert touch.is_in(deployment(limit="1Gi", minReadySeconds=15))
    assert not touch.is_in(deployment(limit="1Gi", minReadySeconds=3))


def test_a_field_that_the_fault_leaves_as_it_is_tells_nothing():
    assert not planned(FieldChange(LIMIT, "128Mi", NAMED_WEB)).is_in(deployment(limit="128Mi"))


def test_a_container_is_found_at_another_index_and_one_that_is_gone_has_no_fault():
    touch = planned(FieldChange(LIMIT, "32Mi", NAMED_WEB))
    moved = deployment(limit="32Mi")
    containers = moved["spec"]["template"]["spec"]["containers"]
    containers.insert(0, {"name": "sidecar"})
    assert touch.is_in(moved)
    containers.pop()
    assert not touch.is_in(moved)


@pytest.mark.parametrize("value", [3, "32Mi", None, {"a": [1]}, ["x"]], ids=repr)
def test_what_is_stored_is_read_back_whatever_the_value(value):
    touches = (planned(FieldChange("/spec/x", value), seen=deployment(x={"deep": [value]})),)
    assert touches_from_wire(touches_to_wire(touches)) == touches


def test_what_is_kept_is_bounded():
    touch = planned(*(FieldChange(f"/spec/f{n}", "x" * 999) for n in range(MOST_FIELDS + 9)))
    told = list(unverified((touch,), "Deployment/web", "limit"))
    assert len(told) == MOST_FIELDS
    assert {len(o.after) for o in told} == {LONGEST}


def test_another_drills_record_tells_whether_the_fault_was_in_before_it():
    """Two drills on one target: the first one's record was removed, and the second took its fault for the baseline."""
    touch = planned(FieldChange(LIMIT, "32Mi", NAMED_WEB))
    _, broken = injected(deployment())
    after_the_fault, _ = injected(broken, SetFields(TARGET, (FieldChange(LIMIT, "16Mi", NAMED_WEB),)))
    beside_it, _ = injected(deployment(), SetFields(TARGET, (FieldChange(LIMIT, "16Mi", NAMED_WEB),)))
    assert touch.was_in_before(after_the_fault)
    assert not touch.was_in_before(beside_it)
