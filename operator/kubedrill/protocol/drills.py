"""The Drill at the API server: reading it, its status, its finalizer, its Events. One writer per field."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from kubedrill.api.drill import FINALIZER
from kubedrill.core.paths import ApiPath
from kubedrill.kube.client import JSON_PATCH, MERGE_PATCH, Answer, Kube
from kubedrill.kube.events import EventText, event_name, is_already_said, post
from kubedrill.kube.paths import DRILLS

LOG = logging.getLogger(__name__)
MANAGER = "kubedrill"


def drill_path(namespace: str, name: str | None = None) -> ApiPath:
    """Path of the drills of a namespace, or of one."""
    return DRILLS.of(namespace) if name is None else DRILLS.one(namespace, name)


async def drills_on(kube: Kube, control_namespace: str, target_namespace: str) -> Answer:
    """The Drills of a control namespace that are on a target namespace.

    All Drills where the installed CRD is older than the field selector: the API server then answers 400.
    """
    path = drill_path(control_namespace)
    answer = await kube.get(path, query=[("fieldSelector", f"spec.targetNamespace={target_namespace}")])
    return await kube.get(path) if answer.status == 400 else answer


async def write_status(kube: Kube, drill: dict[str, Any], status: dict[str, Any]) -> Answer:
    """Writes the whole status if the Drill is still the one that was read (409 when not).

    Fields that the installed CRD does not know are left out by the API server (`Warn`, not `Strict`): the CRDs may be
    older than the operator.
    """
    meta = drill["metadata"]
    body = {"metadata": {"resourceVersion": meta["resourceVersion"]}, "status": status}
    return await kube.call(
        "PATCH",
        DRILLS.part(meta["namespace"], meta["name"], "status"),
        body,
        content_type=MERGE_PATCH,
        query=[("fieldManager", MANAGER), ("fieldValidation", "Warn")],
    )


async def add_finalizer(kube: Kube, drill: dict[str, Any]) -> Answer:
    """Adds our finalizer if it is not there."""
    meta = drill["metadata"]
    if FINALIZER in meta.get("finalizers", []):
        return Answer(200, drill)
    held = bool(meta.get("finalizers"))
    change = {
        "op": "add",
        "path": "/metadata/finalizers/-" if held else "/metadata/finalizers",
        "value": FINALIZER if held else [FINALIZER],
    }
    return await _patch(
        kube, meta, [{"op": "test", "path": "/metadata/uid", "value": meta["uid"]}, _version(meta), change]
    )


async def remove_finalizer(kube: Kube, drill: dict[str, Any]) -> Answer:
    """Removes our finalizer, and no other."""
    meta = drill["metadata"]
    finalizers = list(meta.get("finalizers", []))
    if FINALIZER not in finalizers:
        return Answer(200, drill)
    at = f"/metadata/finalizers/{finalizers.index(FINALIZER)}"
    return await _patch(
        kube,
        meta,
        [
            {"op": "test", "path": "/metadata/uid", "value": meta["uid"]},
            {"op": "test", "path": at, "value": FINALIZER},
            {"op": "remove", "path": at},
        ],
    )


async def delete_drill(kube: Kube, drill: dict[str, Any]) -> Answer:
    """Deletes the Drill if it is still the one that was read, unchanged (409 when not)."""
    meta = drill["metadata"]
    preconditions = {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}
    path = drill_path(meta["namespace"], meta["name"])
    answer = await kube.call("DELETE", path, {"preconditions": preconditions})
    if answer.ok:
        LOG.info("drill %s is deleted: it has ended, and its ttlAfterFinished is over", meta["name"])
    return answer


def _version(meta: dict[str, Any]) -> dict[str, Any]:
    return {"op": "replace", "path": "/metadata/resourceVersion", "value": meta["resourceVersion"]}


async def _patch(kube: Kube, meta: dict[str, Any], operations: list[dict[str, Any]]) -> Answer:
    return await kube.call(
        "PATCH",
        drill_path(meta["namespace"], meta["name"]),
        operations,
        content_type=JSON_PATCH,
        query=[("fieldManager", MANAGER)],
    )


async def post_event(
    kube: Kube,
    regarding: dict[str, Any],
    reason: str,
    note: str,
    now: datetime,
    *,
    warning: bool = False,
    by: str = "operator",
    once: str = "",
) -> bool:
    """Says something of a Drill in an Event. Whether it is said; that it is not is no reason to stop.

    What is said again is not told again, after a restart neither: the Event's name is made of `once`, or of the words
    themselves.
    """
    meta, text = regarding["metadata"], EventText(regarding, reason, note, warning, by)
    name = event_name(meta["name"], str(meta.get("uid", "")), by, reason, once or note)
    answer = await post(kube, text, name, now)
    return answer.ok or is_already_said(answer)
