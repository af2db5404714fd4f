"""The target at the API server: read live, gone told from unreadable, patched, its ownership given back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kubedrill.core.undo.operations import Target
from kubedrill.core.undo.ownership import given_back
from kubedrill.core.undo.patches import Patch
from kubedrill.core.undo.record import UndoRecord
from kubedrill.kube.client import JSON_PATCH, Answer, Kube
from kubedrill.kube.paths import NAMESPACES
from kubedrill.kube.refusals import is_admission, is_not_found, is_refusal, lacks_rights, named_fields

GIVE_BACK_TRIES = 12
GIVE_BACK_PAUSE = 0.02


class Inconclusive(Exception):
    """The API server did not say what is asked: no conclusion, least of all that something is gone."""

    def __init__(self, what: str, answer: Answer) -> None:
        said = f"{answer.status} {answer.reason} {answer.message}".strip() if answer.status else ""
        super().__init__(f"{what}: {said}" if said else what)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Place:
    """A target as it was read: the object (None: a live 404) and its namespace's UID (empty: gone)."""

    seen: dict[str, Any] | None
    namespace_uid: str


class Reply(StrEnum):
    """What an answer to a patch with preconditions means."""

    DONE = "Done"
    MOVED = "Moved"  # a precondition failed: read again and compare
    GONE = "Gone"
    INVALID = "Invalid"  # the change itself is refused, and the refusal names fields
    FORBIDDEN = "Forbidden"  # the rights are missing
    REFUSED = "Refused"  # a policy, a webhook or a quota does not want it
    BUSY = "Busy"  # 429, 5xx, 401: says nothing about the change


async def read_target(kube: Kube, target: Target, namespace_uid: str = "") -> Place:
    """The target, live. Whether it is gone is asked of the object, then of its namespace, cluster-wide.

    A Role in a deleted namespace is gone with it, so a 403 there proves nothing: the namespace tells. With
    `namespace_uid` the namespace is asked only where the object's own answer leaves it open.

    Raises:
        Unsure: neither said that it is there or that it is not.
    """
    answer = await kube.get(target.path)
    if answer.ok and namespace_uid:
        return Place(answer.body, namespace_uid)
    now = await namespace_uid_of(kube, target.namespace)
    if namespace_uid and now != namespace_uid and not answer.ok:
        return Place(None, now)
    return place_of(target, answer, now)


def place_of(target: Target, answer: Answer, namespace_uid: str) -> Place:
    """What the answer to a read of a target says, with the UID that its namespace has now (empty: gone).

    Raises:
        Unsure: neither that it is there nor that it is not.
    """
    if answer.ok and namespace_uid:
        return Place(answer.body, namespace_uid)
    if not namespace_uid or is_not_found(answer, target.plural, target.name):
        return Place(None, namespace_uid)
    raise Inconclusive(f"read {target}", answer)


async def read_as_recorded(kube: Kube, record: UndoRecord) -> dict[str, Any] | None:
    """The target of a record, live; None: it is gone.

    Raises:
        Inconclusive: it can't be read, or what was answered is older than what the record knows.
    """
    assert record.target is not None  # noqa: S101  only records of objects have something to read
    seen = (await read_target(kube, record.target, record.namespace_uid)).seen
    if seen is not None and is_outdated(record, seen):
        raise Inconclusive(f"{record.target} was shown as it was, older than its undo record", Answer(0, {}))
    return seen


def is_outdated(record: UndoRecord, seen: dict[str, Any]) -> bool:
    """Whether an object was shown as it was before what its record knows of it: an answer out of somebody's cache.

    Its version is older than the one from which the injection was planned (versions are numbers that grow: KEP-5504),
    or it was injected, and its generation does not tell of any write since.
    """
    metadata = seen["metadata"]
    if metadata.get("uid") != record.target_uid:
        return False
    version, known = str(metadata.get("resourceVersion", "")), record.resource_version
    if version.isdecimal() and known.isdecimal() and int(version) < int(known):
        return True
    return record.injected is not None and 0 < int(metadata.get("generation", 0)) <= record.generation


async def namespace_uid_of(kube: Kube, namespace: str) -> str:
    """The namespace's UID, empty after a live 404.

    Raises:
        Unsure: it can't be read.
    """
    answer = await kube.get(NAMESPACES.one(namespace))
    if answer.ok:
        return str(answer.body["metadata"]["uid"])
    if is_not_found(answer, "namespaces", namespace):
        return ""
    raise Inconclusive(f"read namespace {namespace}", answer)


async def patch_target(
    kube: Kube, target: Target, patch: Patch, manager: str, *, dry_run: bool = False
) -> tuple[Reply, Answer]:
    """One JSON Patch under a manager's name, strict about unknown fields.

    Raises:
        Unreachable: there was no answer; whether it was done is unknown.
    """
    query = [("fieldManager", manager), ("fieldValidation", "Strict")]
    query += [("dryRun", "All")] if dry_run else []
    answer = await kube.call("PATCH", target.path, list(patch), content_type=JSON_PATCH, query=query)
    return _meaning(answer), answer


async def give_back(kube: Kube, record: UndoRecord, seen: dict[str, Any]) -> dict[str, Any]:
    """Return the ownership of what we wrote, in a request of its own; gives the object as it is then.

    The controllers write at the same moment, so a conflict is usual: read again, splice again, a few times.
    The caller sees in the object whether our entry is still in it.

    Raises:
        Unsure: it is refused.
    """
    target = record.target
    if target is None:
        return seen
    for attempt in range(GIVE_BACK_TRIES):
        metadata = seen["metadata"]
        entries = given_back(metadata.get("managedFields") or (), record.manager, record.owners)
        if entries is None:
            return seen
        patch = (
            {"op": "test", "path": "/metadata/uid", "value": record.target_uid},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
            {"op": "replace", "path": "/metadata/managedFields", "value": entries},
        )
        reply, answer = await patch_target(kube, target, patch, record.manager)
        if reply is Reply.DONE:
            return answer.body
        if is_refusal(answer):
            raise Inconclusive(f"give back the ownership of what was written in {target}", answer)
        if reply is not Reply.MOVED:
            return seen
        await asyncio.sleep(GIVE_BACK_PAUSE * attempt)
        again = await kube.get(target.path)
        if not again.ok or again.body["metadata"]["uid"] != record.target_uid:
            return seen
        seen = seen if is_outdated(record, again.body) else again.body
    return seen


def _meaning(answer: Answer) -> Reply:
    if answer.ok:
        return Reply.DONE
    if is_admission(answer):
        return Reply.REFUSED
    match answer.status:
        case 422 if named_fields(answer):
            return Reply.INVALID
        case 400 | 422 if is_refusal(answer):
            return Reply.REFUSED
        case 409 | 422:
            # a failed test, a stale index and a malformed patch all look alike: 422 without details. So do a webhook's
            # own words: that it was no precondition shows when the object is read back and has not moved
            return Reply.MOVED
        case 403:
            return Reply.FORBIDDEN if lacks_rights(answer) else Reply.REFUSED
        case 404:
            return Reply.GONE
    return Reply.BUSY
