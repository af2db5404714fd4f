"""The fence: moving a target's resourceVersion on, so that a frozen operator's late patch dies.

An injection carries the resourceVersion that its record names. Before a record that never reached Injected is
closed, that version must be stale. A label is set and taken back: annotations of a Deployment would be copied
to its ReplicaSets and stay there.
"""

from __future__ import annotations

from typing import Any

from kubedrill.core.undo.record import UndoRecord
from kubedrill.kube.client import MERGE_PATCH, Answer, Kube
from kubedrill.kube.refusals import is_refusal
from kubedrill.protocol.objects import Inconclusive


def standing(record: UndoRecord, seen: dict[str, Any]) -> bool:
    """Whether a late injection would die: its resourceVersion is stale, and no label of ours is left."""
    metadata = seen["metadata"]
    return metadata["resourceVersion"] != record.resource_version and not _marked(record, seen)


async def put_up(kube: Kube, record: UndoRecord, seen: dict[str, Any]) -> Answer | None:
    """Move the resourceVersion on from what was read, and take the label back.

    Returns:
        None when that is done; else the answer to a write whose preconditions have failed, as it seems: read again.

    Raises:
        Unsure: the API server refuses the write.
        Unreachable: no answer.
    """
    assert record.target is not None  # noqa: S101  only records of objects are fenced
    metadata = seen["metadata"]
    version = metadata["resourceVersion"]
    for mark in (None,) if _marked(record, seen) else ("up", None):
        labels = {record.manager: mark}
        body = {"metadata": {"uid": record.target_uid, "resourceVersion": version, "labels": labels}}
        query = [("fieldManager", record.manager)]
        answer = await kube.call("PATCH", record.target.path, body, content_type=MERGE_PATCH, query=query)
        if answer.status in (404, 409, 422) and not is_refusal(answer):
            return answer
        if not answer.ok:
            raise Inconclusive(f"fence {record.target}", answer)
        version = answer.body["metadata"]["resourceVersion"]
    return None


def _marked(record: UndoRecord, seen: dict[str, Any]) -> bool:
    """Whether a label of ours was left behind by a crash; its key is the record's own manager name."""
    return record.manager in (seen["metadata"].get("labels") or {})
