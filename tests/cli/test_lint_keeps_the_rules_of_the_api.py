"""lint says "well formed" of nothing that the API server refuses for what stands in it together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cli.drills import drill

CRD = (Path(__file__).parents[2] / "crds/drills.yaml").read_text(encoding="utf-8")
CLOCKS = [{"name": "A", "startsClock": True}, {"name": "B", "startsClock": True}]
RULES: dict[str, tuple[Callable[[dict[str, Any]], Any], str, str]] = {
    "no scenario": (lambda s: s.pop("scenario"), "spec", "say exactly one of scenario and scenarioRef"),
    "two scenarios": (lambda s: s.update(scenarioRef="rush"), "spec", "say exactly one of scenario and scenarioRef"),
    "a stop condition without any": (
        lambda s: s.update(stopWhen=[{"name": "stop"}]),
        "spec.stopWhen[0]",
        "say exactly one of promql and alert",
    ),
    "a check without a bound": (
        lambda s: s["scenario"].update(steadyState=[{"name": "up", "query": "up"}]),
        "spec.scenario.steadyState[0]",
        "say exactly one of below and above",
    ),
    "two clocks": (
        lambda s: s["scenario"].update(expectedAlerts=CLOCKS),
        "spec.scenario.expectedAlerts",
        "only one alert can start the clock (startsClock)",
    ),
}


def linted(kubedrill: Any, folder: Path, thing: dict[str, Any]) -> Any:
    file = folder / "drill.yaml"
    file.write_text(yaml.safe_dump(thing), encoding="utf-8")
    return kubedrill("lint", "-f", str(file))


@pytest.mark.parametrize("name", RULES)
def test_what_the_api_server_refuses_is_refused_in_its_words(kubedrill, tmp_path, name):
    change, place, said = RULES[name]
    thing = drill()
    change(thing["spec"])
    result = linted(kubedrill, tmp_path, thing)
    assert result.exit_code == 2
    assert f"{place}: {said}" in result.output
    assert said in CRD


@pytest.mark.parametrize("where", ["faults", "expectedAlerts"])
def test_a_name_that_stands_twice_is_a_duplicate(kubedrill, tmp_path, where):
    thing = drill()
    thing["spec"]["scenario"][where] *= 2
    result = linted(kubedrill, tmp_path, thing)
    assert result.exit_code == 2
    assert f"spec.scenario.{where}[1]: Duplicate value" in result.output


def test_a_scenario_by_itself_is_held_to_the_same(kubedrill, tmp_path):
    spec = drill()["spec"]["scenario"] | {"expectedAlerts": CLOCKS}
    api = "kubedrill.dev/v1alpha1"
    thing = {"apiVersion": api, "kind": "DrillScenario", "metadata": {"name": "rush"}, "spec": spec}
    assert "spec.expectedAlerts: only one alert can start the clock" in linted(kubedrill, tmp_path, thing).output


def test_every_mistake_is_told_at_once(kubedrill, tmp_path):
    thing = drill()
    thing["spec"] |= {"scenarioRef": "rush", "stopWhen": [{"name": "stop"}]}
    assert linted(kubedrill, tmp_path, thing).output.count("say exactly one of") == 2
