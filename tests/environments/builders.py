"""Drills, and what stands beside them."""

from __future__ import annotations

from typing import Any

from kubedrill.api.drill import DrillSpec
from kubedrill.api.environment import DrillEnvironment
from kubedrill.api.roster import DrillRoster
from kubedrill.core.plan.setting import DrillSetting, resolve
from kubedrill.core.undo.operations import Refusal

NAMESPACE = "shop-staging"
SCENARIO: dict[str, Any] = {
    "title": "storm",
    "expectedAlerts": [{"name": "Errors"}],
    "faults": [{"name": "limit", "memoryLimit": {"target": {"kind": "Deployment", "name": "web"}}}],
}


def drill_spec(*players: dict[str, Any], **fields: Any) -> DrillSpec:
    """A drill's spec."""
    plain = {"targetNamespace": NAMESPACE, "scenario": SCENARIO, "players": list(players)}
    return DrillSpec.model_validate(plain | fields)


def service(name: str, port: int, namespace: str | None = None) -> dict[str, Any]:
    """Where a server of an environment answers."""
    return {"service": {"name": name, "port": port} | ({"namespace": namespace} if namespace else {})}


def environment(name: str = "shop", *targets: str, **fields: Any) -> DrillEnvironment:
    """An environment; for NAMESPACE when no other target is given."""
    spec = {"targetNamespaces": list(targets) or [NAMESPACE]} | fields
    return DrillEnvironment.model_validate({"metadata": {"name": name, "namespace": "drills"}, "spec": spec})


def person(name: str, role: str = "L1", **fields: Any) -> dict[str, Any]:
    """Somebody of a roster."""
    return {"name": name, "role": role} | fields


def roster(name: str = "on-call", *people: dict[str, Any]) -> DrillRoster:
    """A roster."""
    return DrillRoster.model_validate({"metadata": {"name": name}, "spec": {"people": list(people)}})


def settled(spec: DrillSpec, *beside: DrillEnvironment | DrillRoster) -> DrillSetting:
    """The setting of a drill with which nothing is wrong."""
    found = resolved(spec, *beside)
    assert isinstance(found, DrillSetting), found
    return found


def refused(spec: DrillSpec, *beside: DrillEnvironment | DrillRoster) -> tuple[str, str]:
    """Reason and message of the refusal."""
    found = resolved(spec, *beside)
    assert isinstance(found, Refusal), found
    return found.reason, found.message


def resolved(spec: DrillSpec, *beside: DrillEnvironment | DrillRoster) -> DrillSetting | Refusal:
    """The setting, whatever it is."""
    environments = [one for one in beside if isinstance(one, DrillEnvironment)]
    return resolve(spec, environments, [one for one in beside if isinstance(one, DrillRoster)])
