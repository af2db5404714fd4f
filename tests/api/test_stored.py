"""What is stored may be of another version: unknown fields are passed over, wrong values are not."""

from typing import Any

import pytest
from pydantic import ValidationError

from kubedrill.api.drill import DrillSpec
from kubedrill.api.scenario import ScenarioSpec
from kubedrill.api.stored import understood
from kubedrill.plugins import faults  # noqa: F401  importing it registers the fault kinds

SPEC: dict[str, Any] = {
    "targetNamespace": "shop",
    "players": [{"name": "alice", "role": "L1", "identities": {"kubernetes": "alice"}}],
    "scenario": {
        "title": "storm",
        "expectedAlerts": [{"name": "Errors"}],
        "faults": [{"name": "limit", "memoryLimit": {"target": {"kind": "Deployment", "name": "web"}}}],
    },
}


def with_more() -> dict[str, Any]:
    """The same as a later version might store it, with a field more at every level."""
    (player,), scenario = SPEC["players"], SPEC["scenario"]
    (fault,) = scenario["faults"]
    limit = fault["memoryLimit"] | {"swap": "1Gi"}
    return SPEC | {
        "approval": {"by": "bob"},
        "players": [player | {"identities": player["identities"] | {"pager": "a"}, "shift": "night"}],
        "scenario": scenario | {"risk": "low", "faults": [fault | {"memoryLimit": limit, "after": "5m"}]},
    }


def test_fields_that_are_not_known_are_passed_over_wherever_they_are():
    assert understood(DrillSpec, with_more()) == DrillSpec.model_validate(SPEC)


def test_a_scenario_of_a_version_that_took_what_nobody_read_is_still_a_scenario():
    old = {"hypothesis": "all is well", "checklist": ["rota"], "runbook": "x"}
    injects = [{"name": "call", "at": "1m", "body": "hello", "expectedAction": "answer"}]
    found = understood(ScenarioSpec, SPEC["scenario"] | old | {"injects": injects})

    assert [inject.body for inject in found.injects] == ["hello"]


def test_what_was_given_stays_as_it_is():
    given = with_more()
    understood(DrillSpec, given)

    assert given == with_more()


def test_a_wrong_value_is_refused_beside_an_unknown_field():
    with pytest.raises(ValidationError) as wrong:
        understood(DrillSpec, with_more() | {"pace": 1000})
    assert [mistake["loc"] for mistake in wrong.value.errors()] == [("pace",)]


def test_what_people_write_is_read_strictly():
    with pytest.raises(ValidationError):
        DrillSpec.model_validate(with_more())
