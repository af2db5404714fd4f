"""A plan begins with workloads as they were made: whoever has changed one may come again, or be taken for a keeper."""

from __future__ import annotations

from typing import Any

from tests.faultmatrix import shapes


def found(*managers: str) -> dict[str, Any]:
    thing = shapes.workload("Deployment", "target", "app")
    holds = [{"manager": name, "fieldsV1": {"f:spec": {}}} for name in managers]
    observes = {"manager": "kube-controller-manager", "subresource": "status", "fieldsV1": {"f:status": {}}}
    thing["metadata"].pop("labels", None)
    thing["metadata"]["managedFields"] = [*holds, observes]
    return thing


def test_one_that_only_its_maker_holds_is_as_it_was_made():
    assert shapes.as_made(found("matrix"), found("matrix"))


def test_one_that_somebody_has_changed_and_changed_back_is_made_anew():
    assert not shapes.as_made(found("matrix", "kustomize-controller"), found("matrix"))
