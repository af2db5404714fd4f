"""A drill that says neither where its monitoring is nor who its players are: an environment and a roster do."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from tests.e2e.drills.lab import CONTROL, GOOD, NAMESPACE, TARGET, drill, in_phase, limit_of, status, stop, target
from tests.e2e.staging.copies import kubectl, until

API = "kubedrill.dev/v1alpha1"
ELSEWHERE = {"namespace": "staging", "name": "page-sink", "port": 8080}


def beside(kind: str, name: str, spec: dict[str, Any]) -> str:
    return json.dumps({"apiVersion": API, "kind": kind, "metadata": {"name": name, "namespace": CONTROL}, "spec": spec})


def environment(prometheus: str = "prometheus") -> str:
    """The staging app's monitoring, for the namespace of the small drills."""
    servers = {
        "prometheus": {"service": {"namespace": "staging", "name": prometheus, "port": 9090}},
        "alertmanager": {"service": {"namespace": "staging", "name": "alertmanager", "port": 9093}},
    }
    return beside("DrillEnvironment", "small-drills", {"targetNamespaces": [NAMESPACE]} | servers)


@pytest.fixture
def set_up(whole: None) -> Iterator[None]:  # noqa: ARG001  the workload
    """The environment and a roster stand beside the drills."""
    people = [{"name": "vera", "role": "L1", "identities": {"fieldManager": "vera"}}]
    kubectl("apply", "-f", "-", given=environment())
    kubectl("apply", "-f", "-", given=beside("DrillRoster", "small-drills", {"people": people}))
    yield
    kubectl("delete", "denv,droster", "small-drills", "-n", CONTROL)


def bare(name: str, **spec: Any) -> str:
    """A drill without monitoring of its own, whose only player is a name."""
    thing = json.loads(drill(name, players=[{"name": "vera"}], roster="small-drills"))
    del thing["spec"]["monitoring"]
    thing["spec"] |= spec
    return json.dumps(thing)


@pytest.mark.usefixtures("set_up")
def test_it_is_played_with_them_and_an_edit_of_the_environment_comes_too_late():
    kubectl("apply", "-f", "-", given=bare("by-name"))
    in_phase("by-name", "InPlay")
    derived = status("by-name")["derived"]
    assert f"environment: small-drills, which lists {NAMESPACE}" in derived
    assert "players of roster small-drills: vera (L1)" in derived

    kubectl("apply", "-f", "-", given=environment(prometheus="nobody"))
    fix = ("--field-manager=vera", f"--limits=memory={GOOD}", f"--requests=memory={GOOD}")
    kubectl("-n", NAMESPACE, "set", "resources", f"deployment/{TARGET}", *fix)

    def credited() -> bool:
        found = status("by-name").get("milestones", ())
        return any(m["name"] == "FixApplied" and m["actor"] == "vera" for m in found)

    until(credited, 60, "the fix is the player's of the roster")
    stop("by-name")
    in_phase("by-name", "Stopped", "Completed")
    assert limit_of(target()) == GOOD


@pytest.mark.usefixtures("set_up")
def test_a_service_elsewhere_that_the_environment_does_not_allow_is_refused_before_anybody_is_asked():
    kubectl("apply", "-f", "-", given=bare("too-far", monitoring={"prometheus": ELSEWHERE}))
    said = in_phase("too-far", "Aborted", within=30)
    (accepted,) = [c for c in said["conditions"] if c["type"] == "Accepted"]
    assert (accepted["status"], accepted["reason"]) == ("False", "ServiceNotAllowed")
    assert "reach staging/page-sink: add it to allowedServices" in accepted["message"]


@pytest.mark.usefixtures("set_up")
def test_a_second_environment_of_the_namespace_is_refused_by_the_name_of_the_first():
    second = beside("DrillEnvironment", "twice", {"targetNamespaces": [NAMESPACE]})

    def refused() -> str:
        call = ["kubectl", "apply", "--dry-run=server", "-f", "-"]
        return subprocess.run(call, input=second, capture_output=True, text=True, check=False).stderr

    assert f"DrillEnvironment small-drills is for {NAMESPACE} already" in until(refused, 30, "the first one is known")
