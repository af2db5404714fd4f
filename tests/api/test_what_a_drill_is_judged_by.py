"""Every field of a Drill's spec is frozen from the beginning, frozen at the start, or may be edited at any time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final, cast

import pytest

from kubedrill.api.crd import RESOURCES, definition
from kubedrill.api.drill import DrillSpec
from kubedrill.core.plan.derive import derive
from kubedrill.core.plan.setting import DrillSetting, resolve
from kubedrill.plugins.faults.of_drill import profile

EDITABLE: Final = {"desired", "stopBecause", "ttlAfterFinished"}
"""What is wanted of a drill that is on, and what becomes of one that has ended: nobody is judged by it."""
REFERENCE: Final = Path(__file__).parents[2] / "docs/reference/edits.md"
UNLESS_STARTED: Final = "!has(oldSelf.status) || !has(oldSelf.status.startExTime) || "
ROOT: Final[dict[str, Any]] = definition(next(r for r in RESOURCES if r.plural == "drills"))["spec"]["versions"][0][
    "schema"
]["openAPIV3Schema"]
SPEC: Final = ROOT["properties"]["spec"]
AT_THE_START: Final = {
    rule["fieldPath"].removeprefix(".spec."): rule
    for rule in ROOT["x-kubernetes-validations"]
    if rule["rule"].startswith(UNLESS_STARTED)
}
FROM_THE_BEGINNING: Final = {
    field
    for rule in SPEC["x-kubernetes-validations"]
    for field in re.findall(r"self[.](\w+) == oldSelf[.]\1\b", rule["rule"])
}


class Read:
    """A spec that remembers which of its fields were asked for, as the API calls them."""

    def __init__(self, spec: DrillSpec) -> None:
        self._spec, self.fields = spec, set[str]()

    def __getattr__(self, name: str) -> Any:
        self.fields.add(DrillSpec.model_fields[name].alias or name)
        return getattr(self._spec, name)


def test_every_field_of_the_spec_is_one_of_the_three():
    fields = set(SPEC["properties"])
    assert fields - FROM_THE_BEGINNING - set(AT_THE_START) <= EDITABLE
    assert not FROM_THE_BEGINNING & set(AT_THE_START)
    assert not EDITABLE & (FROM_THE_BEGINNING | set(AT_THE_START))


def test_nothing_that_the_plan_is_derived_from_may_be_edited_at_any_time():
    scenario = {
        "title": "A storm",
        "expectedAlerts": [{"name": "Errors"}],
        "faults": [{"name": "storm", "manual": {"do": "unplug it", "undo": "plug it in"}}],
    }
    spec = DrillSpec.model_validate({"targetNamespace": "shop", "maxDuration": "1h", "scenario": scenario})
    read = Read(spec)
    asked = cast("DrillSpec", read)
    setting = resolve(asked, (), ())
    assert isinstance(setting, DrillSetting)
    assert spec.scenario is not None
    derive(asked, spec.scenario, profile, setting=setting)
    assert read.fields == {"targetNamespace", "stopWhen", *AT_THE_START}


@pytest.mark.parametrize(
    "field",
    [
        "environment",
        "roster",
        "players",
        "facilitator",
        "pace",
        "maxDuration",
        "wrapUp",
        "armWithin",
        "monitoring",
    ],
)
def test_what_is_frozen_at_the_start_is_compared_whether_it_is_set_or_not_and_the_answer_names_it(field: str):
    now, before = f"self.spec.{field}", f"oldSelf.spec.{field}"
    assert AT_THE_START[field] == {
        "rule": f"{UNLESS_STARTED}(has({now}) == has({before}) && (!has({now}) || {now} == {before}))",
        "fieldPath": f".spec.{field}",
        "message": f"{field} can't change once the drill has started: make another drill",
    }
    assert field in SPEC["properties"]


def test_the_mark_of_the_start_is_a_field_of_the_status():
    assert ROOT["properties"]["status"]["properties"]["startExTime"]["format"] == "date-time"


def test_the_reference_says_the_same():
    rows = re.findall(r"^\| (`.*) \| (\w+)", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE)
    told = {when: set(re.findall(r"`(\w+)`", fields)) for fields, when in rows}
    assert told["never"] == FROM_THE_BEGINNING
    assert told["until"] == set(AT_THE_START)
    assert told["at"] <= EDITABLE
