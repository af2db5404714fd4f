"""What a drill is judged by is read back as it was written, by this version and as far as may be by others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from tests.measure.builders import drill_plan
from tests.plan.builders import largest, plans

from kubedrill.core.plan.codec import UnreadablePlan, digest_of, plan_from_json, plan_to_json
from kubedrill.core.plan.drill_plan import DrillPlan


def changed(**form: Any) -> str:
    """A stored plan of ours whose form says something else."""
    return json.dumps(json.loads(plan_to_json(drill_plan())) | form)


def told() -> dict[str, Any]:
    plan: dict[str, Any] = json.loads(plan_to_json(drill_plan()))["plan"]
    return plan


@given(plans)
@settings(deadline=None)
def test_whatever_the_plan_it_is_read_as_it_was_written_and_written_again_is_the_same_text(plan: DrillPlan):
    text = plan_to_json(plan)
    assert plan_from_json(text) == plan
    assert plan_to_json(plan_from_json(text)) == text


def test_the_largest_plan_is_read_as_it_was_written():
    assert plan_from_json(plan_to_json(largest("é"))) == largest("é")


def test_times_are_written_as_iso_durations_and_faults_as_the_api_has_them():
    assert told()["impact"]["window"] == "PT14S"
    assert told()["faults"] == [{"name": "limit", "memoryLimit": {"target": {"kind": "Deployment", "name": "worker"}}}]


def test_what_a_later_version_has_added_is_passed_over():
    later = told() | {"channels": ["slack"]}
    later["impact"] |= {"direction": "falls"}
    later["faults"][0]["memoryLimit"] |= {"swap": "0"}
    assert plan_from_json(changed(plan=later, writtenBy="2.0")) == drill_plan()


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_a_form_of_another_number_is_unreadable(version: Any):
    with pytest.raises(UnreadablePlan, match=f"another version of KubeDrill .form {version!r}, this one knows 1"):
        plan_from_json(changed(version=version))


BROKEN = {
    "no text": "",
    "no JSON": "{",
    "no object": "[1]",
    "no plan": changed(plan=None),
    "half a plan": changed(plan={"title": "t"}),
    "a time that is none": changed(plan=told() | {"wrap_up": "soon"}),
    "a fault of a kind that is not known here": changed(plan=told() | {"faults": [{"name": "f", "earthquake": {}}]}),
    "nested without end": "[" * 100_000,
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_what_is_no_plan_is_unreadable(text: str):
    with pytest.raises(UnreadablePlan):
        plan_from_json(text)


def test_a_digest_names_one_text():
    one, other = plan_to_json(drill_plan()), plan_to_json(drill_plan(pace=2))
    assert digest_of(one) == digest_of(plan_to_json(drill_plan()))
    assert digest_of(one) != digest_of(other)
