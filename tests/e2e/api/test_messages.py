"""What kubectl tells people whose drill can't be: sentences that say what to write instead."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from tests.e2e.api.conftest import myself

SHORTEST = """
apiVersion: kubedrill.dev/v1alpha1
kind: Drill
metadata: {name: checkout-oom}
spec:
  targetNamespace: shop-staging
  desired: Hold
  scenario:
    title: Checkout out of memory after a deploy
    faults: [{name: limit, memoryLimit: {target: {kind: Deployment, name: checkout}}}]
    expectedAlerts: [{name: CheckoutErrorsHigh}]
    groundTruth: {severity: P2}
  players:
    - {name: alice, role: L1, identities: {kubernetes: alice@example.com}}
    - {name: tom, role: Engineering, identities: {kubernetes: tom@example.com}}
"""
Apply = Callable[[dict[str, Any]], str]


def drill(change: Callable[[dict[str, Any]], Any] = lambda _: None) -> dict[str, Any]:
    thing = yaml.safe_load(SHORTEST)
    thing["metadata"]["name"] = f"d-{uuid.uuid4().hex[:8]}"
    change(thing["spec"])
    return thing


def fault_of(spec: dict[str, Any]) -> dict[str, Any]:
    return spec["scenario"]["faults"][0]


def objective(**fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda spec: spec["scenario"].update(objectives=[{"name": "o", "to": "Mitigated", "within": "5m", **fields}])


REFUSED = {
    "a limit in milli-bytes": (
        lambda s: fault_of(s)["memoryLimit"].update(limit="128m"),
        "128m is 0.128 bytes; write 128Mi for mebibytes",
    ),
    "a limit without a unit": (
        lambda s: fault_of(s)["memoryLimit"].update(limit=64),
        "write a unit, as in 64Mi",
    ),
    "an unknown field": (
        lambda s: fault_of(s).update(memoryLimitt={}),
        'unknown field "spec.scenario.faults[0].memoryLimitt"',
    ),
    "a name of a player that nothing reads yet": (
        lambda s: s["players"][0]["identities"].update(pagerduty="alice"),
        'unknown field "spec.players[0].identities.pagerduty"',
    ),
    "what the team believes, which nothing reads yet": (
        lambda s: s["scenario"].update(hypothesis="it heals"),
        'unknown field "spec.scenario.hypothesis"',
    ),
    "two kinds of fault in one": (
        lambda s: fault_of(s).update(manual={"do": "x", "undo": "y"}),
        "exactly one fault kind must be set, seen: memoryLimit manual",
    ),
    "a fault of no kind": (
        lambda s: fault_of(s).pop("memoryLimit"),
        "exactly one fault kind must be set, seen:",
    ),
    "a duration without a unit": (
        lambda s: s.update(wrapUp="10"),
        "write a duration such as 90s, 15m or 1h30m",
    ),
    "a wrap-up of a million years": (
        lambda s: s.update(wrapUp="9999999999999999999999999999999h"),
        "write at most 30 days (720h)",
    ),
    "a drill of eleven thousand years": (
        lambda s: s.update(maxDuration="99999999h"),
        "write at most 30 days (720h)",
    ),
    "a drill of thirty days and a moment": (
        lambda s: s.update(maxDuration="720h0.001s"),
        "write at most 30 days (720h)",
    ),
    "an inject that comes in eleven thousand years": (
        lambda s: s["scenario"].update(injects=[{"name": "late", "at": "99999999h", "body": "hello"}]),
        "write at most 30 days (720h)",
    ),
    "a stop condition that says two things": (
        lambda s: s.update(stopWhen=[{"name": "errors", "promql": "errors > 5", "alert": "Errors"}]),
        "say exactly one of promql and alert",
    ),
    "a pace below one": (
        lambda s: s.update(pace=0),
        "spec.pace in body should be greater than or equal to 1",
    ),
    "a pace that is absurd": (
        lambda s: s.update(pace=61),
        "spec.pace in body should be less than or equal to 60",
    ),
    "an unknown wish": (lambda s: s.update(desired="Go"), 'supported values: "Hold", "Plan", "Run", "Stop"'),
    "no scenario": (lambda s: s.pop("scenario"), "say exactly one of scenario and scenarioRef"),
    "two scenarios": (lambda s: s.update(scenarioRef="other"), "say exactly one of scenario and scenarioRef"),
    "no target": (lambda s: s.pop("targetNamespace"), "spec.targetNamespace: Required value"),
    "a milestone that is misspelt": (objective(to="Mitigatd"), 'Unsupported value: "Mitigatd"'),
    "two alerts that start the clock": (
        lambda s: s["scenario"].update(
            expectedAlerts=[{"name": "a", "startsClock": True}, {"name": "b", "startsClock": True}]
        ),
        "only one alert can start the clock",
    ),
    "two players of one name": (
        lambda s: s["players"].append({"name": "tom", "role": "L2"}),
        'Duplicate value: {"name":"tom"}',
    ),
    "a check with two bounds": (
        lambda s: s["scenario"].update(steadyState=[{"name": "q", "query": "up", "below": 1, "above": 0}]),
        "say exactly one of below and above",
    ),
}


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED)
def test_a_drill_that_cannot_be_is_refused_with_a_sentence(apply: Apply, change: Any, message: str):
    assert message in apply(drill(change))


def test_the_shortest_drill_is_accepted_as_it_stands(apply: Apply):
    assert not apply(yaml.safe_load(SHORTEST))


@pytest.mark.parametrize("limit", ["64Mi", "0.5Gi", 67_108_864])
def test_a_limit_may_be_a_quantity_or_bytes(apply: Apply, limit: Any):
    assert not apply(drill(lambda s: fault_of(s)["memoryLimit"].update(limit=limit)))


def test_a_name_that_would_not_fit_a_label_is_refused(apply: Apply):
    thing = drill()
    thing["metadata"]["name"] = "d" * 51
    assert "the name is longer than 50 characters" in apply(thing)


CHANGED = {
    "the target": (
        lambda s: s.update(targetNamespace="other"),
        "the target namespace of a drill can't change",
    ),
    "the scenario": (lambda s: s["scenario"].update(title="Another"), "the scenario of a drill can't change"),
    "where the scenario comes from": (
        lambda s: (s.pop("scenario"), s.update(scenarioRef="x")),
        "the scenario of a drill can't change",
    ),
}


@pytest.mark.parametrize(("change", "message"), CHANGED.values(), ids=CHANGED)
def test_what_a_drill_is_about_never_changes(apply: Apply, change: Any, message: str):
    thing = drill()
    assert not apply(thing)
    change(thing["spec"])
    assert message in apply(thing)


def test_a_held_drill_may_be_started(apply: Apply):
    thing = drill()
    assert not apply(thing)
    thing["spec"]["desired"] = "Run"
    assert not apply(thing)


def test_a_stop_is_final(apply: Apply):
    thing = drill()
    assert not apply(thing)
    thing["spec"]["desired"] = "Stop"
    assert not apply(thing)
    thing["spec"]["desired"] = "Run"
    assert "a stopped drill can't go on" in apply(thing)


def word(**fields: Any) -> dict[str, Any]:
    return {
        "apiVersion": "kubedrill.dev/v1alpha1",
        "kind": "PlayerAction",
        "metadata": {"name": f"w-{uuid.uuid4().hex[:8]}"},
        "spec": {"actor": myself(), **fields},
    }


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"action": "AssessSeverity"}, "say which severity: P1 to P5"),
        ({"action": "AssessSeverity", "severity": "P9"}, 'Unsupported value: "P9"'),
        ({"action": "Escalate"}, "say the level that is called, e.g. L2"),
        ({"action": "Shout"}, 'Unsupported value: "Shout"'),
        ({"action": "Diagnose"}, "say what the cause is: component, faultClass or a message"),
        ({"action": "Confirm"}, "say what is done (confirmation)"),
    ],
)
def test_a_word_that_lacks_its_object_is_refused(apply: Apply, fields: dict[str, Any], message: str):
    assert message in apply(word(**fields))


def test_a_word_once_said_stands(apply: Apply):
    said = word(action="Acknowledge")
    assert not apply(said)
    said["spec"]["message"] = "or not"
    assert "a player's word can't be changed" in apply(said)
