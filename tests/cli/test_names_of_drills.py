"""A drill's name: lint says of it what the API server says, and `run` takes one that the API server makes."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from tests.cli.drills import drill, finished
from tests.cli.fake_api import GROUP

from kubedrill.api.crd import PLAIN_NAME, SHORT_NAME

DRILLS = f"{GROUP}/drills/drills"
LONG = "nightly-checkout-out-of-memory-after-a-deploy-2026-11-28t06-54-30z-run-17"


@pytest.fixture
def file(tmp_path):
    def write(**metadata: Any) -> str:
        path = tmp_path / "drill.yaml"
        path.write_text(yaml.safe_dump(drill() | {"metadata": metadata}))
        return str(path)

    return write


@pytest.mark.parametrize(
    ("metadata", "field", "said"),
    [
        ({"name": LONG}, "name", SHORT_NAME["message"]),
        ({"name": "x" * 51}, "name", SHORT_NAME["message"]),
        ({"name": "nightly.checkout"}, "name", PLAIN_NAME["message"]),
        ({"generateName": "x" * 45 + "-"}, "generateName", SHORT_NAME["message"]),
        ({"generateName": "nightly.checkout-"}, "generateName", PLAIN_NAME["message"]),
    ],
    ids=["e2", "51 characters", "a dot", "what is made of it is too long", "it has a dot"],
)
def test_e2_lint_says_of_a_name_what_the_api_server_says(api, kubedrill, file, metadata, field, said):
    result = kubedrill("lint", "-f", file(**metadata))
    assert result.exit_code == 2
    assert f"metadata.{field}: {said}" in result.output
    assert api.requests == []


@pytest.mark.parametrize("metadata", [{"name": "x" * 50}, {"generateName": "x" * 44 + "-"}])
def test_e2_a_name_that_just_fits_is_well_formed(kubedrill, file, metadata):
    result = kubedrill("lint", "-f", file(**metadata))
    assert result.exit_code == 0, result.output


def test_e1_lint_takes_a_drill_that_the_api_server_names(kubedrill, file):
    result = kubedrill("lint", "-f", file(generateName="nightly-checkout-"))
    assert result.output == "Drill nightly-checkout-…: well formed\n"


def test_e1_a_drill_without_any_name_still_needs_one(kubedrill, file):
    result = kubedrill("lint", "-f", file(namespace="drills"))
    assert result.exit_code == 2
    assert "metadata.name: is required" in result.output


def test_e1_run_follows_the_drill_under_the_name_that_it_was_given(api, kubedrill, file):
    api.made = lambda thing: thing | {"status": finished("Passed", started=False)}
    api.collections[DRILLS] = {}
    result = kubedrill("run", "-f", file(generateName="nightly-checkout-"))
    (name,) = api.collections[DRILLS]
    (sent,) = api.bodies("POST", DRILLS)
    assert name.startswith("nightly-checkout-")
    assert f"drill {name} is made" in result.output
    assert result.exit_code == 0, result.output
    assert sent["metadata"]["generateName"] == "nightly-checkout-"


def test_e1_two_runs_are_two_drills(api, kubedrill, file):
    api.made = lambda thing: thing | {"status": finished("Passed", started=False)}
    api.collections[DRILLS] = {}
    for _ in range(2):
        assert kubedrill("run", "-f", file(generateName="nightly-checkout-")).exit_code == 0
    assert len(api.collections[DRILLS]) == 2


def test_e1_what_has_no_name_can_not_be_replaced(api, kubedrill, file):
    result = kubedrill("run", "--replace", "-f", file(generateName="nightly-checkout-"))
    assert result.exit_code == 2
    assert "--replace needs a drill with a name" in result.output
    assert api.requests == []
