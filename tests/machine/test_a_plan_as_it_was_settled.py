"""Once a drill was started, its plan has the parameters that were settled, and knows what a fix is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.machine.world import START, drill_plan, fact, touched

from kubedrill.core.evidence.attribution import is_cause
from kubedrill.core.evidence.facts import Fact, FactKind
from kubedrill.core.machine.settled import with_settled
from kubedrill.core.machine.state import FaultState
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.core.undo.record import FieldUndo
from kubedrill.core.undo.touches import Touch
from kubedrill.plugins.faults.memory_limit import MemoryLimit

TOUCHED = "/spec/minReadySeconds"
FIELDS = (FieldUndo(TOUCHED, 1, 2), FieldUndo("/spec/template/metadata/labels/a.b", "x", "y"))


def changed(path: str, target: str = "Deployment/limit", kind: FactKind = FactKind.TARGET_CHANGED) -> Fact:
    return fact(kind, START, f"change/{path}", target=target, path=path)


def started(cause: str = "") -> DrillPlan:
    """A plan whose kind says that a fix is found by `cause`, and whose fault touches FIELDS."""
    design = drill_plan()
    design = replace(design, profiles=tuple(replace(p, cause=cause) for p in design.profiles))
    touches = tuple(Touch(touch.target, FIELDS) for touch in touched("limit"))
    return with_settled(design, {"limit": FaultState("limit", touches=touches)})


def test_the_parameters_are_those_that_were_settled():
    target = {"kind": "Deployment", "name": "limit"}
    settled = FaultState("limit", settled={"target": target, "limit": "64Mi", "affected": 2})
    (fault,) = with_settled(drill_plan(), {"limit": settled}).faults
    assert isinstance(fault.params, MemoryLimit)
    assert (fault.params.limit, fault.params.affected) == ("64Mi", 2)


def test_a_fault_that_was_not_settled_stays_as_it_was_written():
    assert with_settled(drill_plan(), {}) == drill_plan()


@pytest.mark.parametrize("path", [TOUCHED, f"{TOUCHED}/below", "/spec/template/metadata/labels/a.b"])
def test_a_fix_is_a_change_of_any_field_that_the_fault_touches(path: str):
    assert is_cause(changed(path), started())


@pytest.mark.parametrize(
    "other",
    [
        changed("/spec/replicas"),
        changed(f"{TOUCHED}More"),
        changed("/spec/template/metadata/labels/aXb"),
        changed(f"/spec/template{TOUCHED}"),
        changed(TOUCHED, target="Deployment/neighbour"),
        changed(TOUCHED, kind=FactKind.SCALED),
    ],
)
def test_nothing_else_is(other: Fact):
    assert not is_cause(other, started())


def test_where_the_kind_says_what_a_fix_is_that_counts_alone():
    design = started("resources")
    assert is_cause(changed("/spec/template/spec/containers/0/resources/limits/cpu"), design)
    assert not is_cause(changed(TOUCHED), design)


def test_before_anything_is_touched_nothing_is_a_fix():
    design = replace(drill_plan(), profiles=tuple(replace(p, cause="") for p in drill_plan().profiles))
    assert not is_cause(changed(TOUCHED), with_settled(design, {}))
