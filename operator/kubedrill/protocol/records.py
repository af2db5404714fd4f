"""The undo records in the cluster: Secrets of type `kubedrill.dev/undo`.

Creating one is the lock on its target (the name depends on the target alone). Every change carries the
resourceVersion that was read, so of two writers one is told. They are found by their type, which is
immutable: a label can be edited away.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kubedrill.core.paths import ApiPath
from kubedrill.core.undo_record import UndoRecord, from_json, to_json
from kubedrill.kube.client import MERGE_PATCH, Answer, Kube
from kubedrill.kube.paths import SECRETS
from kubedrill.protocol.objects import is_not_found
from kubedrill.protocol.refusals import is_admission, named_fields, words

RECORD_TYPE = "kubedrill.dev/undo"
_PAGE = 200
_DATA = "record"


@dataclass(frozen=True, slots=True)
class RecordRef:
    """Where a record is stored."""

    namespace: str
    name: str

    @property
    def path(self) -> ApiPath:
        """Its path at the API server."""
        return SECRETS.one(self.namespace, self.name)


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record as it was read, with what a precondition needs."""

    record: UndoRecord
    ref: RecordRef
    uid: str
    resource_version: str


class StaleRecord(Exception):
    """Somebody else has written the record in between: read it again, and think again."""


class RecordTrouble(Exception):
    """The API server did not do what was asked; `answer` tells. Nothing may be concluded from it."""

    def __init__(self, what: str, answer: Answer) -> None:
        super().__init__(f"{what}: {answer.status} {answer.reason} {answer.message}")
        self.answer = answer


async def create(kube: Kube, record: UndoRecord) -> StoredRecord | None:
    """Store a new record and thereby take the lock. None when there is a record on this target already.

    Raises:
        RecordTrouble: it can't be stored, so nothing may be injected.
    """
    body = {
        "apiVersion": "v1", "kind": "Secret", "type": RECORD_TYPE,
        "metadata": {
            "name": record.name,
            "labels": {"kubedrill.dev/record": "undo", "kubedrill.dev/drill-uid": record.drill.uid},
        },
        "data": _data(record),
    }
    answer = await kube.call("POST", SECRETS.of(record.drill.namespace), body)
    if answer.status == 409 and answer.reason == "AlreadyExists":
        return None
    return _stored(_demanded(f"store undo record {record.name}", answer))


async def read(kube: Kube, ref: RecordRef) -> StoredRecord | None:
    """The record as it is now, None when there is none (a live 404).

    Raises:
        RecordTrouble: it can't be read; that says nothing about whether it is there.
    """
    answer = await kube.get(ref.path)
    if is_not_found(answer, "secrets", ref.name):
        return None
    return _stored(_demanded(f"read undo record {ref.name}", answer))


async def write(kube: Kube, stored: StoredRecord, record: UndoRecord) -> StoredRecord:
    """Change a stored record if nobody else has since.

    Raises:
        StaleRecord: somebody has, or has removed it.
        RecordTrouble: it can't be written.
    """
    metadata = {"resourceVersion": stored.resource_version, "uid": stored.uid}
    body = {"metadata": metadata, "data": _data(record)}
    answer = await kube.call("PATCH", stored.ref.path, body, content_type=MERGE_PATCH)
    replaced = "metadata.uid" in named_fields(answer)
    if replaced or (answer.status in (404, 409) and not is_admission(answer)):
        raise StaleRecord(f"{stored.ref.name}: {words(answer)}")
    return _stored(_demanded(f"write undo record {stored.ref.name}", answer))


async def close(kube: Kube, stored: StoredRecord) -> bool:
    """Delete exactly this record, as it was read. To be called only when its outcome stands in the Drill.

    False when it has changed since. True when it is gone, whoever did it.

    Raises:
        RecordTrouble: it can't be deleted.
    """
    preconditions = {"uid": stored.uid, "resourceVersion": stored.resource_version}
    answer = await kube.call("DELETE", stored.ref.path, {"preconditions": preconditions})
    if is_not_found(answer, "secrets", stored.ref.name):
        return True
    if answer.status == 409 and not is_admission(answer):
        return False
    _demanded(f"delete undo record {stored.ref.name}", answer)
    return True


async def list_records(
    kube: Kube, control_namespace: str, drill_uid: str | None = None
) -> tuple[StoredRecord, ...]:
    """All records of a control namespace, or those of one drill.

    Raises:
        RecordTrouble: they can't be listed; that does not mean that there are none.
    """
    found: list[StoredRecord] = []
    more = ""
    while True:
        query = [("fieldSelector", f"type={RECORD_TYPE}"), ("limit", str(_PAGE))]
        query += [("continue", more)] if more else []
        answer = await kube.get(SECRETS.of(control_namespace), query=query)
        body = _demanded("list undo records", answer)
        found += _readable(body.get("items") or ())
        more = (body.get("metadata") or {}).get("continue", "")
        if not more:
            return tuple(s for s in found if drill_uid is None or s.record.drill.uid == drill_uid)


def _readable(items: Iterable[dict[str, Any]]) -> Iterable[StoredRecord]:
    """The records among Secrets; one that says nothing (not written by us) holds up no other."""
    for item in items:
        try:
            yield _stored(item)
        except (KeyError, ValueError):
            continue


def _data(record: UndoRecord) -> dict[str, str]:
    return {_DATA: base64.b64encode(to_json(record)).decode()}


def _stored(secret: dict[str, Any]) -> StoredRecord:
    metadata = secret["metadata"]
    record = from_json(base64.b64decode(secret["data"][_DATA]))
    ref = RecordRef(metadata["namespace"], metadata["name"])
    return StoredRecord(record, ref, metadata["uid"], metadata["resourceVersion"])


def _demanded(what: str, answer: Answer) -> dict[str, Any]:
    if not answer.ok:
        raise RecordTrouble(what, answer)
    return answer.body
