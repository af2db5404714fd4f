"""What the API server asks its admission webhooks, as a 1.35 server sends it, saying only what a test is about."""

from __future__ import annotations

import copy
from typing import Any

from tests.signals.builders import between

from kubedrill.core.evidence.facts import Fact
from kubedrill.plugins.channels.witness import read

KINDS = {"Deployment": "deployments", "StatefulSet": "statefulsets", "Pod": "pods", "Scale": "deployments"}


def review(
    operation: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    *,
    user: str = "alice@example.com",
    uid: str = "ask-1",
    below: str = "",
    resource: str = "",
    name: str = "",
    dry: bool = False,
) -> dict[str, Any]:
    """An AdmissionReview about an object of the namespace `shop`."""
    about = after or before or {}
    plural = resource or KINDS[about["kind"]]
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": uid,
            "resource": {"group": "", "version": "v1", "resource": plural},
            "subResource": below,
            "name": name or about.get("metadata", {}).get("name", ""),
            "namespace": "shop",
            "operation": operation,
            "userInfo": {"username": user, "groups": ["system:authenticated"]},
            "object": after,
            "oldObject": before,
            "dryRun": dry,
        },
    }


def scale(replicas: int) -> dict[str, Any]:
    return {"kind": "Scale", "metadata": {"name": "worker", "uid": "uid-worker"}, "spec": {"replicas": replicas}}


def scaling(before: int, after: int, **told: Any) -> dict[str, Any]:
    return review("UPDATE", scale(before), scale(after), below="scale", **told)


def asked(message: dict[str, Any], start: float, end: float | None = None) -> tuple[Fact, ...]:
    """The facts of a review that was asked between two seconds."""
    return read(copy.deepcopy(message), between(start, start + 1 if end is None else end)).facts
