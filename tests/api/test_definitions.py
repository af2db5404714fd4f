"""The CRDs: generated, complete, and current."""

from pathlib import Path
from typing import Annotated, Any, get_args

import pytest
import yaml
from pydantic import Field

from kubedrill.api.base import ApiModel
from kubedrill.api.crd import RESOURCES, NotStructuralError, definition, rendered, structural
from kubedrill.api.drill import DrillSpec
from kubedrill.api.scenario import Milestone
from kubedrill.core.measure.results import MilestoneName
from kubedrill.plugins import faults  # noqa: F401  importing it registers the fault kinds

CRDS = Path(__file__).parents[2] / "crds"


def schema_of(model: type[ApiModel]) -> dict[str, Any]:
    return structural(model.model_json_schema(by_alias=True, mode="validation"))


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: r.plural)
def test_the_files_in_crds_are_what_the_models_say(resource):
    assert (CRDS / f"{resource.plural}.yaml").read_text(encoding="utf-8") == rendered(resource)


def test_crds_has_no_file_of_a_resource_that_is_gone():
    assert {f.stem for f in CRDS.iterdir()} == {r.plural for r in RESOURCES}


def test_the_drill_has_the_columns_that_people_watch():
    drill = next(r for r in RESOURCES if r.plural == "drills")
    version = definition(drill)["spec"]["versions"][0]
    columns = {c["name"]: c.get("priority", 0) for c in version["additionalPrinterColumns"]}
    assert columns == {"Phase": 0, "Verdict": 0, "T+": 0, "Next": 0, "Age": 0, "Target": 1, "Message": 1}
    assert version["subresources"] == {"status": {}}


def test_drills_can_be_selected_by_their_target_namespace():
    drill = next(r for r in RESOURCES if r.plural == "drills")
    version = definition(drill)["spec"]["versions"][0]
    assert version["selectableFields"] == [{"jsonPath": ".spec.targetNamespace"}]


def test_all_resources_answer_to_their_category_and_short_names():
    names = [definition(r)["spec"]["names"] for r in RESOURCES]
    assert all(n["categories"] == ["kubedrill"] for n in names)
    assert {n["kind"]: n.get("shortNames", []) for n in names} == {
        "Drill": [],
        "DrillScenario": ["dscn"],
        "DrillEnvironment": ["denv"],
        "DrillRoster": ["droster"],
        "PlayerAction": ["pa"],
        "DrillReport": ["drep"],
    }


def test_the_yaml_has_no_anchors():
    assert not any("&id" in rendered(r) or "*id" in rendered(r) for r in RESOURCES)
    assert all(yaml.safe_load(rendered(r)) == definition(r) for r in RESOURCES)


def test_a_value_that_is_left_out_is_filled_in_by_the_server_where_a_rule_asks_for_it():
    properties = schema_of(DrillSpec)["properties"]
    assert properties["desired"]["default"] == "Run"
    assert properties["pace"]["default"] == 1
    assert "default" not in properties["facilitator"]


def test_an_optional_field_is_optional_and_not_nullable():
    class Part(ApiModel):
        word: Annotated[str, Field(max_length=5)] | None = Field(None, description="A word.")

    assert schema_of(Part)["properties"]["word"] == {
        "type": "string",
        "maxLength": 5,
        "description": "A word.",
    }


def test_the_milestones_of_the_api_are_those_that_are_measured():
    assert set(get_args(Milestone)) == {m.value for m in MilestoneName}


class Endless(ApiModel):
    words: list[Annotated[str, Field(max_length=5)]] = Field(description="Words.")


class LongWord(ApiModel):
    word: str = Field(description="A word.")


class Either(ApiModel):
    one: int | Annotated[str, Field(max_length=5)] = Field(description="A number or a word.")


class Silent(ApiModel):
    number: int


class AnyMap(ApiModel):
    words: dict[str, Annotated[str, Field(max_length=5)]] = Field(description="Words.")


class Multiple(ApiModel):
    number: int = Field(multiple_of=3, description="A number.")


@pytest.mark.parametrize(
    ("model", "complaint"),
    [
        (Endless, "words: maxItems is missing"),
        (LongWord, "word: maxLength is missing"),
        (Either, "one: a union of 2 types"),
        (Silent, "number: kubectl explain has nothing to say: give it a description"),
        (AnyMap, "words: maxProperties is missing"),
        (Multiple, "number: a CRD has no keyword multipleOf"),
    ],
)
def test_what_a_crd_cannot_say_is_an_error_that_names_the_place(model, complaint):
    with pytest.raises(NotStructuralError) as error:
        schema_of(model)
    assert str(error.value) == complaint
