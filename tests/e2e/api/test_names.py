"""Attacks F3 and F29 at the door: no name that leads elsewhere is stored, and the answer is a sentence."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from tests.e2e.api.conftest import kubectl, myself
from tests.names.hostile import STRANGE, WAYS

SENTENCE = {
    "name": "write a name of small letters, digits and '-', as in shop-web",
    "object": "write the name of an object: small letters, digits, '-' and '.', as in shop-web",
    "long": "Too long: may not be more than",
}
FAULTS: dict[str, Any] = {
    "limit": {"memoryLimit": {"target": {"kind": "Deployment", "name": "web"}}},
    "load": {"queueLoad": {"key": "jobs", "ratePerSecond": 1, "count": 1, "redis": {"name": "redis", "port": 6379}}},
}
PLACES = {
    "targetNamespace": "name",
    "scenarioRef": "object",
    "environment": "object",
    "roster": "object",
    "scenario.faults.0.memoryLimit.target.name": "object",
    "scenario.faults.0.memoryLimit.container": "name",
    "scenario.faults.0.name": "name",
    "scenario.faults.1.queueLoad.redis.name": "name",
    "scenario.faults.1.queueLoad.redis.namespace": "name",
    "monitoring.prometheus.name": "name",
    "monitoring.alertmanager.namespace": "name",
    "players.0.name": "name",
}
"""Every name that a Drill holds, and what kind it is of."""
STORABLE = tuple(name for name in (*WAYS, *STRANGE) if name.isprintable() or name in ("a\n", "a\tb"))
Applied = Callable[[list[dict[str, Any]]], str]


@pytest.fixture
def create(namespace: str) -> Applied:
    """Creates objects in the namespace, all in one call; what kubectl says of those that are refused."""

    def created(things: list[dict[str, Any]]) -> str:
        listed = {"apiVersion": "v1", "kind": "List", "items": things}
        return kubectl("create", "-n", namespace, "-f", "-", given=listed).stderr

    return created


def stored(namespace: str, plural: str) -> list[str]:
    """Names of the objects that are there."""
    found = json.loads(kubectl("get", plural, "-n", namespace, "-o", "json").stdout)
    return [item["metadata"]["name"] for item in found["items"]]


def drill(place: str, name: str) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "targetNamespace": "shop",
        "desired": "Hold",
        "players": [{"name": "alice", "role": "L1"}],
        "monitoring": {kind: {"name": kind, "port": 9090} for kind in ("prometheus", "alertmanager")},
        "scenario": {
            "title": "hostile",
            "expectedAlerts": [{"name": "Fire"}],
            "faults": [{"name": fault} | json.loads(json.dumps(kind)) for fault, kind in FAULTS.items()],
        },
    }
    if place == "scenarioRef":
        del spec["scenario"]
    *steps, last = place.split(".")
    holder: Any = spec
    for step in steps:
        holder = holder[int(step)] if step.isdigit() else holder[step]
    holder[last] = name
    return made("Drill", spec)


def made(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "kubedrill.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": f"h-{uuid.uuid4().hex[:8]}"},
        "spec": spec,
    }


@pytest.mark.parametrize(("place", "kind"), PLACES.items(), ids=PLACES)
def test_f3_f29_no_drill_with_a_hostile_name_is_stored(create: Applied, namespace: str, place: str, kind: str):
    things = [drill(place, name) for name in STORABLE]
    said = create(things)
    for thing, name in zip(things, STORABLE, strict=True):
        (about,) = [part for part in said.split("Error from server") if thing["metadata"]["name"] in part]
        assert SENTENCE[kind] in about or (len(name) > 63 and SENTENCE["long"] in about), about
    assert not {thing["metadata"]["name"] for thing in things} & set(stored(namespace, "drills"))


def test_the_same_drills_with_good_names_are_stored(create: Applied, namespace: str):
    things = [drill(place, "web") for place in PLACES]
    assert create(things) == ""
    assert {thing["metadata"]["name"] for thing in things} <= set(stored(namespace, "drills"))


def test_a_word_about_another_object_is_no_players_word(create: Applied, namespace: str):
    things = [made("PlayerAction", {"actor": myself(), "action": "Note", "drill": name}) for name in STORABLE]
    before = stored(namespace, "playeractions")
    said = create(things)
    assert not [thing for thing in things if thing["metadata"]["name"] not in said]
    assert stored(namespace, "playeractions") == before


def test_a_report_names_no_part_elsewhere(create: Applied, namespace: str):
    report = {
        "drill": "storm",
        "drillUid": "d1",
        "title": "t",
        "headline": "h",
        "verdict": "Passed",
        "completed": "2026-03-02T12:06:00Z",
    }
    things = [made("DrillReport", report | {"record": [name]}) for name in STORABLE]
    before = stored(namespace, "drillreports")
    said = create(things)
    assert not [thing for thing in things if thing["metadata"]["name"] not in said]
    assert stored(namespace, "drillreports") == before


@pytest.mark.parametrize("level", ["L2\x1b[2J", "L2\n", "\x9b31m", "L2\x00"], ids=ascii)
def test_a_level_has_no_control_characters(create: Applied, level: str):
    assert "write it without control characters" in create(
        [made("PlayerAction", {"actor": myself(), "action": "Escalate", "level": level})]
    )


def test_a_new_drill_has_a_label_as_its_name_and_one_that_is_there_can_end(create: Applied, namespace: str):
    dotted = drill("targetNamespace", "web") | {"metadata": {"name": "v1.2"}}
    assert "the name has a dot: write small letters, digits and '-', as in shop-web" in create([dotted])
    assert "v1.2" not in stored(namespace, "drills")
