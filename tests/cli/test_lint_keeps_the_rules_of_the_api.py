"""lint says "well formed" of nothing that the API server refuses for what stands in it together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cli.drills import drill

CRD = (Path(__file__).parents[2] / "crds/drills.yaml").read_text(encoding="utf-8")
OF_ENVIRONMENTS = (Path(__file__).parents[2] / "crds/drillenvironments.yaml").read_text(encoding="utf-8")
CLOCKS = [{"name": "A", "startsClock": True}, {"name": "B", "startsClock": True}]
SOME_TIME = "write a time of more than 0, such as 10m"
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
    "a limit of 64 bytes": (
        lambda s: limited(s, 64),
        "spec.scenario.faults[0].memoryLimit.limit",
        "no container starts with less than 8Mi; write a unit, as in 64Mi",
    ),
    "a limit of 64 bytes in quotes": (
        lambda s: limited(s, "64"),
        "spec.scenario.faults[0].memoryLimit.limit",
        "no container starts with less than 8Mi; write a unit, as in 64Mi",
    ),
    "a limit in milli-bytes": (
        lambda s: limited(s, "128m"),
        "spec.scenario.faults[0].memoryLimit.limit",
        "128m is 0.128 bytes; write 128Mi for mebibytes",
    ),
    "an amount of no known unit": (
        lambda s: s["scenario"].update(faults=[{"name": "quota", "resourceQuota": {"hard": {"pods": "few"}}}]),
        "spec.scenario.faults[0].resourceQuota.hard.pods",
        'write a quantity in quotes, such as "0", "500m" or "1Gi"',
    ),
    "a duration without a unit": (
        lambda s: s.update(wrapUp="10"),
        "spec.wrapUp",
        "write a duration such as 90s, 15m or 1h30m",
    ),
    "no time to be effective in": (lambda s: s.update(armWithin="0s"), "spec.armWithin", SOME_TIME),
    "no time at all": (lambda s: s.update(maxDuration="0h0m"), "spec.maxDuration", SOME_TIME),
    "a limit that nobody can keep": (
        lambda s: s["scenario"].update(objectives=[{"name": "o", "to": "Mitigated", "within": "0.0s"}]),
        "spec.scenario.objectives[0].within",
        SOME_TIME,
    ),
    "a limit that no alert can keep": (
        lambda s: s["scenario"]["expectedAlerts"][0].update(within="0s"),
        "spec.scenario.expectedAlerts[0].within",
        SOME_TIME,
    ),
    "a duration that is too long": (
        lambda s: s.update(wrapUp="721h"),
        "spec.wrapUp",
        "write at most 30 days (720h)",
    ),
}


def limited(spec: dict[str, Any], limit: Any) -> None:
    target = {"kind": "Deployment", "name": "worker"}
    spec["scenario"]["faults"] = [{"name": "limit", "memoryLimit": {"target": target, "limit": limit}}]


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
    (line,) = (one for one in result.output.splitlines() if place in one)
    assert said in line.split(f"{place}: ")[1]
    assert said in CRD


def test_a_number_that_lacks_its_unit_is_told_so_and_not_that_it_is_a_number(kubedrill, tmp_path):
    """The API server can say of it only that it is no text."""
    thing = drill()
    thing["spec"]["wrapUp"] = 10
    said = linted(kubedrill, tmp_path, thing).output
    assert "spec.wrapUp: write a duration such as 90s, 15m or 1h30m, got" in said


def test_a_number_where_the_api_server_takes_text_alone_is_refused_in_the_same_words(kubedrill, tmp_path):
    thing = drill()
    thing["spec"]["scenario"]["faults"] = [{"name": "quota", "resourceQuota": {"hard": {"pods": 0}}}]
    assert "hard.pods: write a quantity in quotes" in linted(kubedrill, tmp_path, thing).output


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


ENVIRONMENTS: dict[str, tuple[dict[str, Any], str]] = {
    "neither a service nor a url": ({"pathPrefix": "/x"}, "say exactly one of service and url"),
    "both": ({"service": {"name": "p", "port": 1}, "url": "https://x"}, "say exactly one of service and url"),
    "two prefixes": ({"url": "https://x", "pathPrefix": "/x"}, "the path stands in the url: leave pathPrefix out"),
    "a secret without TLS": (
        {"url": "http://x", "credentials": "x"},
        "tls and credentials take a url that begins with https://",
    ),
    "a user in the url": ({"url": "https://me:secret@x"}, "write a URL of small letters without user, query and '..'"),
    "a step up": ({"url": "https://x/a/../b"}, "write a URL of small letters without user, query and '..'"),
    "a header that is no tenant's": (
        {"url": "https://x", "tenant": {"header": "Cookie", "name": "x"}},
        "write a header that names a tenant, as X-Scope-OrgID",
    ),
}


@pytest.mark.parametrize("server", ["prometheus", "alertmanager"])
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_what_the_api_server_refuses_of_an_environment_is_refused_in_its_words(kubedrill, tmp_path, name, server):
    said, message = ENVIRONMENTS[name]
    meta = {"apiVersion": "kubedrill.dev/v1alpha1", "kind": "DrillEnvironment", "metadata": {"name": "shop"}}
    result = linted(kubedrill, tmp_path, {**meta, "spec": {"targetNamespaces": ["shop"], server: said}})
    assert result.exit_code == 2
    assert f"spec.{server}" in result.output
    assert message in result.output
    assert "secret@" not in result.output
    assert message in " ".join(OF_ENVIRONMENTS.split())
