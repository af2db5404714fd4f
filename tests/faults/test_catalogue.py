"""Every fault kind keeps the contract, and a defective catalogue is found at once."""

from __future__ import annotations

from typing import Any

import pytest
from tests.faults.builders import WEB, deployment, injected, seen, squeeze

from kubedrill.api.faults import FAULT_KINDS, AlertAnnounce, Fault, Manual, QueueLoad
from kubedrill.core.undo.operations import Announce, Ask, Enqueue, Refusal, SetFields, Target
from kubedrill.core.undo.record import OutsideGroup
from kubedrill.plugins import faults
from kubedrill.plugins.faults import DefectiveCatalogueError, discover
from kubedrill.plugins.faults.base import Plan

REDIS = Target("", "v1", "Service", "services", "shop", "redis")
OBJECTS = {WEB: deployment(), REDIS: {"spec": {"ports": [{"port": 6379}]}}}
EXAMPLES: dict[str, Any] = {
    "memoryLimit": squeeze(limit="64Mi", affected=3),
    "queueLoad": QueueLoad(key="jobs", rate_per_second=10, count=100, in_flight=["inflight:*"]),
    "alert": AlertAnnounce(alert="CheckoutDown", labels={"severity": "page"}),
    "manual": Manual(do="unplug rack 3", undo="plug rack 3 in again"),
}


@pytest.fixture(params=FAULT_KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def planned(kind: str) -> Plan[Any]:
    plan = discover()[kind].plan(EXAMPLES[kind], seen(OBJECTS))
    assert isinstance(plan, Plan), plan
    return plan


def test_the_catalogue_has_every_kind_of_the_api(kind):
    assert discover()[kind].kind == kind


def test_a_kind_plans_operations_that_have_an_undo(kind):
    operations = planned(kind).operations
    assert operations
    assert all(isinstance(o, SetFields | Enqueue | Announce | Ask) for o in operations)


def test_a_kind_asks_to_see_what_it_plans_on(kind):
    fault = discover()[kind]
    targets = fault.targets(EXAMPLES[kind], "shop")
    assert {o.target for o in planned(kind).operations if isinstance(o, SetFields)} <= set(targets)
    if targets:
        refused = fault.plan(EXAMPLES[kind], seen({}))
        assert isinstance(refused, Refusal)
        assert refused.reason.isalnum()
        assert refused.message


def test_planning_again_from_the_settled_parameters_gives_the_same(kind):
    plan = planned(kind)
    again = discover()[kind].plan(plan.settled, seen(OBJECTS))
    assert isinstance(again, Plan)
    assert (again.operations, again.settled) == (plan.operations, plan.settled)


def test_settled_parameters_can_be_stored_and_read_again(kind):
    settled = planned(kind).settled
    assert type(settled).model_validate(settled.to_wire()) == settled


def test_nothing_bit_before_anything_was_seen(kind):
    bite = discover()[kind].effect("squeeze", planned(kind).settled, ())
    assert (bite.complete, bite.seen, bite.at) == (False, 0, None)
    assert bite.evidence


def test_injecting_alone_is_no_effect(kind):
    assert not discover()[kind].effect("squeeze", planned(kind).settled, (injected(),)).complete


def test_a_plan_is_described_in_whole_lines(kind):
    lines = discover()[kind].describe(EXAMPLES[kind], planned(kind))
    assert lines
    assert all(line.strip() == line and "\n" not in line for line in lines)


def test_the_fault_of_the_api_finds_its_kind(kind):
    fields = {"memoryLimit": "memory_limit", "queueLoad": "queue_load"}
    fault = Fault(name="squeeze", **{fields.get(kind, kind): EXAMPLES[kind]})
    assert discover()[fault.kind].plan(fault.params_of(fault.kind), seen(OBJECTS)) == planned(kind)


def test_operations_outside_the_api_server_fit_into_an_undo_record(kind):
    outside = [o for o in planned(kind).operations if not isinstance(o, SetFields)]
    assert all(OutsideGroup("squeeze", o).operation == o for o in outside)


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("nothing = 1\n", "spare.py has no FAULT"),
        ("from kubedrill.plugins.faults.manual import FAULT\n", "manual is implemented twice"),
        (
            """
import dataclasses
from kubedrill.plugins.faults.manual import FAULT as OTHER
FAULT = dataclasses.replace(OTHER, kind="earthquake")
""",
            "earthquake",
        ),
    ],
)
def test_a_defective_module_stops_the_discovery(tmp_path, monkeypatch, source, complaint):
    (tmp_path / "spare.py").write_text(source)
    monkeypatch.setattr(faults, "__path__", [*faults.__path__, str(tmp_path)])
    monkeypatch.delitem(__import__("sys").modules, "kubedrill.plugins.faults.spare", raising=False)
    with pytest.raises(DefectiveCatalogueError, match=complaint):
        discover.__wrapped__()
