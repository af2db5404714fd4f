"""What can't be drilled is refused with a clear message, and nothing is touched."""

from __future__ import annotations

import json
import subprocess

import pytest
from tests.e2e.drills.lab import drill, in_phase, memory_limit, records, target
from tests.e2e.staging.copies import kubectl

pytestmark = pytest.mark.usefixtures("whole")


def applied(manifest: str) -> str:
    """What kubectl answers to somebody who applies this."""
    done = subprocess.run(["kubectl", "apply", "-f", "-"], input=manifest, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("what", "manifest", "reason", "told"),
    [
        (
            "no-target",
            drill("no-target", faults=[memory_limit(target={"kind": "Deployment", "name": "nobody"})]),
            "TargetNotFound",
            "there is no Deployment/nobody",
        ),
        (
            "not-opted-in",
            drill("not-opted-in", targetNamespace="default"),
            "NamespaceNotOptedIn",
            "kubectl drill opt-in default",
        ),
        ("no-namespace", drill("no-namespace", targetNamespace="nowhere"), "NamespaceNotFound", "no namespace nowhere"),
        ("no-rule", drill("no-rule", alert="NobodyWroteThisRule"), "AlertRuleNotLoaded", "NobodyWroteThisRule"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("no") and len(value) < 15 else "",
)
def test_it_is_told_in_the_condition(what: str, manifest: str, reason: str, told: str):
    before = target()
    assert "created" in applied(manifest)
    ended = in_phase(what, "Aborted", within=30)
    accepted = next(c for c in ended["conditions"] if c["type"] == "Accepted")
    assert (accepted["status"], accepted["reason"]) == ("False", reason)
    assert told in accepted["message"]
    assert ended["verdict"] == "Error"
    assert target()["metadata"]["generation"] == before["metadata"]["generation"]
    assert target()["metadata"]["managedFields"] == before["metadata"]["managedFields"]
    assert records() == ""


def test_milli_bytes_are_refused_by_the_api_server():
    assert "write 128Mi" in applied(drill("milli", faults=[memory_limit(limit="128m")]))


def test_an_unknown_field_is_refused_by_the_api_server():
    manifest = json.loads(drill("typo"))
    manifest["spec"]["scenario"]["faults"][0]["memoryLimitt"] = {}
    assert 'unknown field "spec.scenario.faults[0].memoryLimitt"' in applied(json.dumps(manifest))


def test_a_scenario_that_is_not_there_is_told():
    manifest = json.loads(drill("no-scenario"))
    del manifest["spec"]["scenario"]
    manifest["spec"]["scenarioRef"] = "nobody-wrote-it"
    applied(json.dumps(manifest))
    assert "there is no DrillScenario nobody-wrote-it" in in_phase("no-scenario", "Aborted", within=30)["message"]
    kubectl("-n", "drills", "delete", "drill", "no-scenario")
