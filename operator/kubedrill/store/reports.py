"""A report as it is stored: a DrillReport, and the parts of its record that it names, each a ConfigMap that it owns.

The parts of one writing have names of their own, made of what they say and of the version of the DrillReport that was
read before. All are stored when the DrillReport comes to name them, in one write of that very version. So its parts are
those of one revision at any moment, however many operators write; who has been overtaken names nothing, and only then
are parts that can't be named any more removed. One whose writer has died goes with the report.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from kubedrill.api.base import API_VERSION
from kubedrill.kube.client import MERGE_PATCH, Answer, Kube
from kubedrill.kube.paths import CONFIG_MAPS, REPORTS, Namespaced
from kubedrill.kube.refusals import is_admission, is_unstorable
from kubedrill.store.drill_parts import KIND_LABEL, is_missing

LOG = logging.getLogger(__name__)
PART_CHARACTERS: Final = 400_000
"""Of one part. A record is JSON in ASCII, so they are bytes too."""
RECORD: Final = "record"


class ReportRefused(Exception):
    """The API server would not take the report. `for_good` when it never will."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"the report can't be written: {answer.status} {answer.message}")
        self.for_good = is_unstorable(answer)


async def store_report(
    kube: Kube, namespace: str, report: Mapping[str, Any], text: str, annotations: Mapping[str, str]
) -> bool:
    """Stores a revision: the record's text, then the DrillReport's spec, with what people have added to it kept.

    False when the API server would not take it now, or somebody else has written it meanwhile.

    Raises:
        ReportRefused: it never will take it.
    """
    standing = await _standing(kube, namespace, report)
    if not standing.ok:
        return False
    meta = standing.body["metadata"]
    parts = _parts(meta, text)
    for name, chunk in parts.items():
        if not (await _put(kube, CONFIG_MAPS, namespace, _part(name, chunk, meta))).ok:
            return False
    naming = {
        "metadata": {"annotations": dict(annotations), "resourceVersion": meta["resourceVersion"]},
        "spec": {**report["spec"], RECORD: list(parts)},
    }
    path = REPORTS.one(namespace, meta["name"])
    answer = _storable(await kube.call("PATCH", path, naming, content_type=MERGE_PATCH))
    if answer.ok:
        await _remove(kube, namespace, meta, set(_named(standing.body)) - set(parts))
    elif answer.status == 409 and not is_admission(answer):
        await _remove_unnamed(kube, namespace, meta, parts)
    return answer.ok


def _parts(meta: Mapping[str, Any], text: str) -> dict[str, str]:
    digest = hashlib.sha256(f"{meta['uid']} {meta['resourceVersion']}\n{text}".encode()).hexdigest()[:10]
    chunks = (text[i : i + PART_CHARACTERS] for i in range(0, len(text), PART_CHARACTERS))
    return {f"{meta['name']}-{digest}-{number}": chunk for number, chunk in enumerate(chunks)}


def _part(name: str, text: str, owner: Mapping[str, Any]) -> dict[str, Any]:
    reference = {"apiVersion": API_VERSION, "kind": "DrillReport", "name": owner["name"], "uid": owner["uid"]}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "data": {RECORD: text},
        "metadata": {"name": name, "ownerReferences": [reference], "labels": {KIND_LABEL: RECORD}},
    }


async def _standing(kube: Kube, namespace: str, report: Mapping[str, Any]) -> Answer:
    """The DrillReport as it stands now; one that is not there yet is made, and names no part."""
    answer = _storable(await kube.call("POST", REPORTS.of(namespace), dict(report)))
    if answer.status == 409 and not is_admission(answer):
        return await kube.get(REPORTS.one(namespace, report["metadata"]["name"]))
    return answer


async def _put(kube: Kube, kind: Namespaced, namespace: str, body: dict[str, Any]) -> Answer:
    """Creates it; one that is there is of the same text, and is mended if somebody has changed it."""
    answer = await kube.call("POST", kind.of(namespace), body)
    if answer.status == 409 and not is_admission(answer):
        path = kind.one(namespace, body["metadata"]["name"])
        answer = await kube.call("PATCH", path, body, content_type=MERGE_PATCH)
    return _storable(answer)


def _storable(answer: Answer) -> Answer:
    if is_unstorable(answer):
        raise ReportRefused(answer)
    return answer


def _named(report: Mapping[str, Any]) -> Sequence[str]:
    return (report.get("spec") or {}).get(RECORD) or ()


async def _remove_unnamed(kube: Kube, namespace: str, meta: Mapping[str, Any], parts: Iterable[str]) -> None:
    """Of parts whose naming came too late, those that nobody has named: nobody can any more."""
    now = await kube.get(REPORTS.one(namespace, meta["name"]))
    if now.ok and now.body["metadata"].get("resourceVersion") != meta["resourceVersion"]:
        await _remove(kube, namespace, meta, set(parts) - set(_named(now.body)))


async def _remove(kube: Kube, namespace: str, owner: Mapping[str, Any], names: Iterable[str]) -> None:
    """Removes parts of this report, and nothing else that somebody may have named there. What stays does no harm."""
    for name in sorted(names):
        path = CONFIG_MAPS.one(namespace, name)
        found = await kube.get(path)
        if is_missing(found) or not _is_part_of(found, owner):
            continue
        meta = found.body["metadata"]
        preconditions = {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}
        answer = await kube.call("DELETE", path, {"preconditions": preconditions})
        if not answer.ok:
            LOG.warning("part %s of a report can't be removed: %s %s", name, answer.status, answer.message)


def _is_part_of(found: Answer, owner: Mapping[str, Any]) -> bool:
    meta = found.body.get("metadata") or {} if found.ok else {}
    owners = (one.get("uid") for one in meta.get("ownerReferences") or ())
    return (meta.get("labels") or {}).get(KIND_LABEL) == RECORD and owner["uid"] in owners
