"""One node that dies, or runs short, never takes the operator and the watchdog for long, nor both at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

BASE = Path(__file__).parents[2] / "manifests/base"
OPERATOR, WATCHDOG = "kubedrill", "kubedrill-watchdog"
FILES = {OPERATOR: "deployment.yaml", WATCHDOG: "watchdog.yaml"}
LOWEST_OF_SYSTEM_CLASSES = 2_000_000_000


def template(name: str) -> dict[str, Any]:
    """The pod template of one of the two Deployments."""
    things = yaml.safe_load_all((BASE / FILES[name]).read_text(encoding="utf-8"))
    (found,) = (t for t in things if (t["kind"], t["metadata"]["name"]) == ("Deployment", name))
    return found["spec"]["template"]


def priority_class() -> dict[str, Any]:
    (found,) = yaml.safe_load_all((BASE / "priority.yaml").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize(("one", "other"), [(OPERATOR, WATCHDOG), (WATCHDOG, OPERATOR)])
def test_each_prefers_a_node_without_the_other_and_does_without_where_there_is_one_node(one: str, other: str):
    ((kind, rules),) = template(one)["spec"]["affinity"].items()
    ((rule, (preference,)),) = rules.items()
    term = preference["podAffinityTerm"]
    assert (kind, rule) == ("podAntiAffinity", "preferredDuringSchedulingIgnoredDuringExecution")
    assert preference["weight"] == 100
    assert term["topologyKey"] == "kubernetes.io/hostname"
    assert term["labelSelector"]["matchLabels"].items() <= template(other)["metadata"]["labels"].items()
    assert not term["labelSelector"]["matchLabels"].items() <= template(one)["metadata"]["labels"].items()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("taint", ["not-ready", "unreachable"])
def test_each_is_replaced_within_half_a_minute_after_its_node_was_found_dead(name: str, taint: str):
    (found,) = (t for t in template(name)["spec"]["tolerations"] if t["key"] == f"node.kubernetes.io/{taint}")
    assert (found["operator"], found["effect"]) == ("Exists", "NoExecute")
    assert 0 < found["tolerationSeconds"] <= 30


@pytest.mark.parametrize("name", FILES)
def test_each_has_the_priority_of_the_class_that_is_installed_with_it(name: str):
    assert template(name)["spec"]["priorityClassName"] == priority_class()["metadata"]["name"]
    resources = yaml.safe_load((BASE / "kustomization.yaml").read_text(encoding="utf-8"))["resources"]
    assert resources.index("priority.yaml") < resources.index(FILES[name])


def test_the_priority_is_high_but_below_what_the_cluster_itself_needs():
    assert 0 < priority_class()["value"] < LOWEST_OF_SYSTEM_CLASSES
    assert not priority_class()["globalDefault"]


def test_no_pod_of_anybody_is_evicted_to_make_room_for_them():
    assert priority_class()["preemptionPolicy"] == "Never"
