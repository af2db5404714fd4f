"""What a request to the API server is, in the protocol's own words: a plan speaks of the second write of a record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

KIND_LABEL: Final = "kubedrill.dev/evidence"
UNDO_TYPE: Final = "kubedrill.dev/undo"
WORKLOADS: Final = ("deployments", "statefulsets")
MADE: Final = ("resourcequotas",)
"""What faults make and remove again."""
REVISIONS: Final = ("replicasets", "controllerrevisions")
WRITES: Final = frozenset(
    {
        "finalizer",
        "plan",
        "status",
        "record",
        "target",
        "splice",
        "fence",
        "residue",
        "create",
        "remove",
        "evidence",
        "report",
        "event",
        "lease",
    }
)
"""Kinds of requests that change something. A dry run and a review of rights are asked, not written."""
OWN: Final = frozenset(
    {"finalizer", "plan", "status", "record", "target", "splice", "residue", "report", "create", "remove"}
)
"""Writes whose number is the same in every clean run: the others depend on how long things take."""

ONCE_AT_LEAST: Final = ("dry-run", "evidence")
"""Kinds of which a clean run has one or more: plans speak of the first."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came in. `kind` is one of WRITES, or tells what is read: `get-target`, `list-records`."""

    kind: str
    method: str
    path: str
    query: Mapping[str, str]
    body: Any = None

    @property
    def is_write(self) -> bool:
        """Whether it changes something."""
        return self.kind in WRITES


def request_of(method: str, path: str, query: Mapping[str, str], raw: bytes) -> Request:
    """The request with its kind."""
    body = json.loads(raw) if raw.strip() else None
    parts = [p for p in path.split("/") if p]
    plural, name, sub = _place(parts)
    reads = method == "GET"
    kind = _read_kind(plural, name, query) if reads else _write_kind(method, plural, sub, query, body)
    return Request(kind, method, path, dict(query), body)


def _place(parts: list[str]) -> tuple[str, str, str]:
    """Resource, object's name and subresource of a path."""
    if "namespaces" not in parts:
        return parts[-1] if parts else "", "", ""
    rest = parts[parts.index("namespaces") + 2 :]
    if not rest:
        return "namespaces", parts[-1], ""
    return rest[0], rest[1] if len(rest) > 1 else "", rest[2] if len(rest) > 2 else ""


def _read_kind(plural: str, name: str, query: Mapping[str, str]) -> str:
    if query.get("watch"):
        return "watch-" + _named(plural)
    if plural == "secrets" and not name:
        return "list-records"
    return ("get-" if name else "list-") + _named(plural)


def _named(plural: str) -> str:
    if plural in WORKLOADS:
        return "target"
    return {"secrets": "record", "drills": "drill", "namespaces": "namespace", "pods": "pods"}.get(plural, plural)


def _write_kind(method: str, plural: str, sub: str, query: Mapping[str, str], body: Any) -> str:
    if plural in WORKLOADS:
        return _workload_kind(query, body)
    if plural in MADE:
        return ("dry-run" if query.get("dryRun") else "create") if method == "POST" else "remove"
    if plural == "pods" and method == "DELETE" and "gracePeriodSeconds" in (body or {}):
        return "remove"  # as the fault asks for it; a clean-up leaves a pod the time that it wants
    if plural in REVISIONS or (plural == "pods" and method == "DELETE"):
        return "residue"
    if plural == "configmaps" and method == "POST" and _labels(body).get(KIND_LABEL) == "plan":
        return "plan"
    if plural == "drills":
        return "status" if sub == "status" else "finalizer"
    return {
        "secrets": "record",
        "configmaps": "evidence",
        "drillreports": "report",
        "events": "event",
        "leases": "lease",
    }.get(plural, "ask-" + plural)


def _labels(body: Any) -> Mapping[str, str]:
    return (body.get("metadata") or {}).get("labels") or {} if isinstance(body, dict) else {}


def _workload_kind(query: Mapping[str, str], body: Any) -> str:
    if query.get("dryRun"):
        return "dry-run"
    if isinstance(body, dict):
        return "fence"
    touched = {op["path"].split("/")[1] + "/" + op["path"].split("/")[2] for op in body if op["op"] != "test"}
    return "splice" if touched <= {"metadata/managedFields", "metadata/resourceVersion"} else "target"
