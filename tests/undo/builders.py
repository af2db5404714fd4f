"""Objects, records and a small API server's answer to a JSON Patch, for the tests of the undo."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from kubedrill.core.undo.operations import ABSENT, FieldChange, Refusal, SetFields, Target
from kubedrill.core.undo.patches import after_values, before_values, inject_patch
from kubedrill.core.undo.pointers import put, read
from kubedrill.core.undo.record import DrillIdentity, UndoRecord, record_name

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TARGET = Target("apps", "v1", "Deployment", "deployments", "shop", "web")
CONTAINER = "/spec/template/spec/containers/0"
LIMIT = f"{CONTAINER}/resources/limits/memory"
REQUEST = f"{CONTAINER}/resources/requests/memory"
NAMED_WEB = ((f"{CONTAINER}/name", "web"),)
MANAGER = "manager-0123456789"
UNDO = record_name("apps", "Deployment", "n1", "web")
"""The name of the undo record of the target."""


class PatchFailed(Exception):
    """A test did not hold, or a path is not there: 422."""


def entry(manager: str, fields: dict[str, Any], operation: str = "Update", **more: Any) -> dict[str, Any]:
    return {
        "manager": manager,
        "operation": operation,
        "apiVersion": "apps/v1",
        "time": "2026-03-01T11:00:00Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    } | more


def owning(*paths: str) -> dict[str, Any]:
    """The `fieldsV1` tree of slash-separated paths such as `spec/replicas`; list items as `k:name=web`."""
    tree: dict[str, Any] = {}
    for path in paths:
        node = tree
        for step in path.split("/"):
            kind, _, key = step.partition("k:")
            name = f'k:{{"{key.split("=")[0]}":"{key.split("=")[1]}"}}' if key and not kind else f"f:{step}"
            node = node.setdefault(name, {})
    return tree


def deployment(
    limit: str | None = "128Mi",
    request: str | None = "64Mi",
    *,
    uid: str = "u1",
    generation: int = 1,
    managed: Iterable[dict[str, Any]] = (),
    **spec: Any,
) -> dict[str, Any]:
    resources: dict[str, Any] = {}
    if limit:
        resources["limits"] = {"memory": limit}
    if request:
        resources["requests"] = {"memory": request}
    containers = [{"name": "web", "resources": resources}]
    return {
        "metadata": {
            "name": "web",
            "uid": uid,
            "resourceVersion": "7",
            "generation": generation,
            "managedFields": list(managed),
        },
        "spec": {"template": {"spec": {"containers": containers}}} | spec,
    }


def squeeze(**values: Any) -> SetFields:
    """Limit and request to 32Mi, and fields of the spec by name."""
    memory = (FieldChange(LIMIT, "32Mi", NAMED_WEB), FieldChange(REQUEST, "32Mi", NAMED_WEB))
    return SetFields(TARGET, memory + tuple(FieldChange(f"/spec/{name}", value) for name, value in values.items()))


def record_of(seen: dict[str, Any], operation: SetFields | None = None) -> UndoRecord:
    """The record of an operation on an object, its after-values those of the patched object."""
    group = before_values(operation or squeeze(), "storm", seen)
    assert not isinstance(group, Refusal)
    metadata = seen["metadata"]
    record = UndoRecord(
        DrillIdentity("d1", "storm", "drills"),
        UNDO,
        "Deployment/web",
        (group,),
        MANAGER,
        NOON + timedelta(hours=1),
        NOON,
        TARGET,
        "n1",
        metadata["uid"],
        metadata["resourceVersion"],
        metadata["generation"],
        tuple(metadata["managedFields"]),
    )
    return after_values(record, patched(seen, inject_patch(record, seen)))


def injected(seen: dict[str, Any], operation: SetFields | None = None) -> tuple[UndoRecord, dict[str, Any]]:
    """The record, and the object with the fault in it."""
    record = record_of(seen, operation)
    return record, patched(seen, inject_patch(record, seen))


def patched(seen: dict[str, Any], patch: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """What the API server makes of a JSON Patch: its rules for `test`, absence and empty maps included."""
    result = copy.deepcopy(seen)
    for step in patch:
        _apply(result, step)
    for container in result["spec"]["template"]["spec"]["containers"]:
        resources = container.get("resources", {})
        container["resources"] = {kind: values for kind, values in resources.items() if values}
    result["metadata"]["resourceVersion"] = str(int(seen["metadata"]["resourceVersion"]) + 1)
    if result["spec"] != seen["spec"]:
        result["metadata"]["generation"] += 1
    return result


def _apply(document: dict[str, Any], step: dict[str, Any]) -> None:
    path, value = step["path"], step.get("value")
    now = read(document, path)
    if step["op"] == "test":
        if (None if now is ABSENT else now) != value:
            raise PatchFailed(f"{path} is {now!r}, not {value!r}")
    elif path == "/metadata/resourceVersion":
        if now != value:
            raise PatchFailed("409 Conflict")
    elif step["op"] == "remove" and now is ABSENT:
        raise PatchFailed(f"nothing to remove at {path}")
    elif read(document, path.rpartition("/")[0]) is ABSENT:
        raise PatchFailed(f"no parent of {path}")
    else:
        put(document, path, ABSENT if step["op"] == "remove" else copy.deepcopy(value))
