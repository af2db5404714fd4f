"""Credentials are read by what asks and undoes, where they live; facilitators decide not whom the operator calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

BASE = Path(__file__).parents[2] / "manifests/base"
ROLES = [
    thing
    for file in sorted(BASE.glob("*.yaml"))
    for thing in yaml.safe_load_all(file.read_text(encoding="utf-8"))
    if thing and thing["kind"] in ("Role", "ClusterRole")
]
WRITES = {"create", "update", "patch", "delete", "*"}


def giving(resource: str) -> dict[str, tuple[str, set[str]]]:
    """The roles that give something of a resource: their kind and the verbs, by name."""

    def verbs(role: dict[str, Any]) -> set[str]:
        rules = role.get("rules") or ()
        return {verb for rule in rules if {resource, "*"} & set(rule["resources"]) for verb in rule["verbs"]}

    return {r["metadata"]["name"]: (r["kind"], verbs(r)) for r in ROLES if verbs(r)}


def test_secrets_are_read_in_the_control_namespace_by_the_operator_the_watchdog_and_break_glass_alone():
    assert {name: kind for name, (kind, verbs) in giving("secrets").items() if {"get", "list", "*"} & verbs} == {
        "kubedrill": "Role",
        "kubedrill-watchdog": "Role",
        "kubedrill-break-glass": "Role",
    }


def test_environments_are_written_by_their_admins_alone():
    writing = {name for name, (_, verbs) in giving("drillenvironments").items() if WRITES & verbs}
    assert writing == {"kubedrill-environment-admin"}
