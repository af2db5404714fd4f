"""The undo records in the cluster: Secrets of type `kubedrill.dev/undo`.

Creating one is the lock on its target (the name depends on the target alone). Every change carries the
resourceVersion that was read, so of two writers one is told. They are found by their type, which is
immutable: a label can be edited away. A Secret of that type that can't be read, or is not what it should be
(`core.undo.genuine`), is a record all the same: what it holds is unknown. One of another type is none, whatever
its name.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from kubedrill.core.paths import ApiPath
from kubedrill.core.undo.genuine import flaw
from kubedrill.core.undo.record import UndoRecord, from_json, to_json
from kubedrill.kube.client import MERGE_PATCH, Answer, Kube
from kubedrill.kube.paths import SECRETS
from kubedrill.kube.refusals import is_admission, is_not_found, named_fields, words
from kubedrill.kube.together import together

RECORD_TYPE = "kubedrill.dev/undo"
DRILL_UID: Final = "kubedrill.dev/drill-uid"
TARGET_NAMESPACE: Final = "kubedrill.dev/target-namespace"
"""Labels that tell of a record, for when it can't be read itself."""
_LABEL_VALUE: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
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


@dataclass(frozen=True, slots=True)
class UnreadableRecord:
    """An undo record that says nothing to us, or not what it should. Its labels may tell whose it is.

    `drill_uid` and `target_namespace` are empty where the labels are missing: then it may be anybody's.
    """

    ref: RecordRef
    uid: str
    resource_version: str
    drill_uid: str
    target_namespace: str
    why: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Undo records of a control namespace, those that can't be read too."""

    readable: tuple[StoredRecord, ...] = ()
    unreadable: tuple[UnreadableRecord, ...] = ()

    def of(self, drill_uid: str) -> Listing:
        """Those of one drill, as far as they tell."""
        return Listing(
            tuple(one for one in self.readable if one.record.drill.uid == drill_uid),
            tuple(one for one in self.unreadable if one.drill_uid == drill_uid),
        )

    @property
    def names(self) -> frozenset[str]:
        """Their names."""
        return frozenset(one.ref.name for one in self.readable) | {one.ref.name for one in self.unreadable}

    def __add__(self, more: Listing) -> Listing:
        """Both; of a record that is in both, the first."""
        known = self.names
        return Listing(
            (*self.readable, *(one for one in more.readable if one.ref.name not in known)),
            (*self.unreadable, *(one for one in more.unreadable if one.ref.name not in known)),
        )

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.readable or self.unreadable)


class StaleRecord(Exception):
    """Somebody else has written the record in between: read it again, and think again."""


class RecordError(Exception):
    """The API server did not do what was asked; `answer` tells. Nothing may be concluded from it."""

    def __init__(self, what: str, answer: Answer) -> None:
        super().__init__(f"{what}: {answer.status} {answer.reason} {answer.message}")
        self.answer = answer


class NotGenuine(RecordError):
    """What stands under a record's name is not carried out: it can't be read, or is no undo record at all.

    `reason` is one CamelCase word, the text says what to do.
    """

    def __init__(self, ref: RecordRef, reason: str, message: str, answer: Answer) -> None:
        super().__init__(f"undo record {ref.name}", answer)
        self.args = (message,)
        self.ref, self.reason = ref, reason


async def create(kube: Kube, record: UndoRecord) -> StoredRecord | None:
    """Store a new record and thereby take the lock. None when there is a record on this target already.

    Raises:
        RecordTrouble: it can't be stored, so nothing may be injected.
    """
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": RECORD_TYPE,
        "metadata": {
            "name": record.name,
            "labels": {"kubedrill.dev/record": "undo", DRILL_UID: record.drill.uid}
            | ({TARGET_NAMESPACE: record.target_namespace} if record.target_namespace else {}),
        },
        "data": _data(record),
    }
    answer = await kube.call("POST", SECRETS.of(record.drill.namespace), body)
    if answer.status == 409 and answer.reason == "AlreadyExists":
        return None
    return _stored(_demanded(f"store undo record {record.name}", answer), answer)


async def read(kube: Kube, ref: RecordRef) -> StoredRecord | None:
    """The record as it is now, None when there is none (a live 404).

    Raises:
        NotGenuine: it is there and is no undo record, or can't be read.
        RecordTrouble: there is no answer; that says nothing about whether it is there.
    """
    answer = await kube.get(ref.path)
    if is_not_found(answer, "secrets", ref.name):
        return None
    return _stored(_demanded(f"read undo record {ref.name}", answer), answer)


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
    return _stored(_demanded(f"write undo record {stored.ref.name}", answer), answer)


async def close(kube: Kube, stored: StoredRecord | UnreadableRecord) -> bool:
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


async def list_records(kube: Kube, control_namespace: str, drill_uid: str | None = None) -> Listing:
    """All records of a control namespace, or those of one drill, those that can't be read too.

    Raises:
        RecordTrouble: they can't be listed; that does not mean that there are none.
    """
    listing = await _listed(kube, control_namespace)
    return listing if drill_uid is None else listing.of(drill_uid)


async def list_own(kube: Kube, control_namespace: str, drill_uid: str, noted: Iterable[str]) -> Listing:
    """The records of one drill: those with its label, and those that it has noted, whatever their labels say now.

    One that has lost its label before it was noted is found by `list_records` alone.

    Raises:
        RecordTrouble: they can't be listed; that does not mean that there are none.
    """
    labelled = await _listed(kube, control_namespace, f"{DRILL_UID}={drill_uid}")
    unlabelled = set(noted) - labelled.names
    answers = await together(*(_get(kube, RecordRef(control_namespace, name)) for name in sorted(unlabelled)))
    return labelled + _parted(found for found in answers if found is not None)


async def list_on(kube: Kube, control_namespace: str, target_namespace: str) -> Listing:
    """The records that are labelled as those of drills on a target namespace, and those that have no such label.

    Labels can be edited: this is for a look before the start. What locks is asked of `list_records`.

    Raises:
        RecordTrouble: they can't be listed; that does not mean that there are none.
    """
    if not _LABEL_VALUE.fullmatch(target_namespace):
        return await _listed(kube, control_namespace)  # a name that would say something else in a selector
    selectors = (f"{TARGET_NAMESPACE}={target_namespace}", f"!{TARGET_NAMESPACE}")
    on, unknown = await together(*(_listed(kube, control_namespace, one) for one in selectors))
    return on + unknown


async def _listed(kube: Kube, control_namespace: str, labels: str = "") -> Listing:
    """The records that a label selector selects, page by page."""
    listing, more = Listing(), ""
    while True:
        query = [("fieldSelector", f"type={RECORD_TYPE}"), ("limit", str(_PAGE))]
        query += [("labelSelector", labels)] if labels else []
        query += [("continue", more)] if more else []
        answer = await kube.get(SECRETS.of(control_namespace), query=query)
        body = _demanded("list undo records", answer)
        listing += _parted(_parsed(item, answer) for item in body.get("items") or ())
        more = (body.get("metadata") or {}).get("continue", "")
        if not more:
            return listing


async def _get(kube: Kube, ref: RecordRef) -> StoredRecord | UnreadableRecord | None:
    """A record by its name; None when there is none, or a Secret of another type."""
    answer = await kube.get(ref.path)
    if is_not_found(answer, "secrets", ref.name):
        return None
    secret = _demanded(f"read undo record {ref.name}", answer)
    return _parsed(secret, answer) if secret.get("type") == RECORD_TYPE else None


def _parted(found: Iterable[StoredRecord | UnreadableRecord]) -> Listing:
    every = tuple(found)
    return Listing(
        tuple(one for one in every if isinstance(one, StoredRecord)),
        tuple(one for one in every if isinstance(one, UnreadableRecord)),
    )


def _data(record: UndoRecord) -> dict[str, str]:
    return {_DATA: base64.b64encode(to_json(record)).decode()}


def _stored(secret: dict[str, Any], answer: Answer) -> StoredRecord:
    """The record in a Secret that was asked for by name.

    Raises:
        NotGenuine: there is none in it.
    """
    name = (secret.get("metadata") or {}).get("name", "")
    if secret.get("type") != RECORD_TYPE:
        ref = RecordRef((secret.get("metadata") or {}).get("namespace", ""), name)
        raise NotGenuine(
            ref,
            "RecordNameTaken",
            f"Secret {ref.name} in {ref.namespace} is of type"
            f" {secret.get('type')} and no undo record, but stands where one would: it is not carried out."
            f" Delete it: kubectl delete secret {ref.name} -n {ref.namespace}",
            answer,
        )
    found = _parsed(secret, answer)
    if isinstance(found, StoredRecord):
        return found
    raise NotGenuine(
        found.ref,
        "RecordUnreadable",
        f"undo record {found.ref.name} in {found.ref.namespace} can't be"
        f" read: {found.why}. What it holds is unknown; see docs/how-to/break-glass.md",
        answer,
    )


def _parsed(secret: dict[str, Any], answer: Answer) -> StoredRecord | UnreadableRecord:
    try:
        metadata = secret["metadata"]
        ref = RecordRef(metadata["namespace"], metadata["name"])
        uid, version, labels = metadata["uid"], metadata["resourceVersion"], metadata.get("labels") or {}
    except (KeyError, TypeError) as error:
        raise RecordError("read undo records: an answer without their metadata", answer) from error
    try:
        record = from_json(base64.b64decode(secret["data"][_DATA]))
    except (KeyError, TypeError, ValueError) as error:
        why = _why(error)
    else:
        why = flaw(record, name=ref.name, namespace=ref.namespace, drill_uid=labels.get(DRILL_UID, ""))
        if not why:
            return StoredRecord(record, ref, uid, version)
    return UnreadableRecord(ref, uid, version, labels.get(DRILL_UID, ""), labels.get(TARGET_NAMESPACE, ""), why)


def _why(error: Exception) -> str:
    """Why it can't be read, in a few words; never what is in it."""
    if isinstance(error, ValidationError):
        first = error.errors(include_input=False, include_url=False)[0]
        return f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}"[:200]
    return "it holds no record" if isinstance(error, KeyError | TypeError) else str(error)[:200]


def _demanded(what: str, answer: Answer) -> dict[str, Any]:
    if not answer.ok:
        raise RecordError(what, answer)
    return answer.body
