"""A plan speaks of the second write of a record: each request has to be known for what it is."""

from __future__ import annotations

from typing import Any

import pytest
from tests.faultmatrix import shapes
from tests.faultmatrix.builders import APPS, DRILL, STORED, WEB, asked
from tests.faultmatrix.requests import OWN, WRITES

CONTROL = "/api/v1/namespaces/drills"
DRILLS = "/apis/kubedrill.dev/v1alpha1/namespaces/drills"
UID = {"op": "test", "path": "/metadata/uid", "value": "u1"}
VERSION = {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"}
LIMIT = {"op": "replace", "path": shapes.LIMIT, "value": "24Mi"}
OWNERS = {"op": "replace", "path": "/metadata/managedFields/0/fieldsV1", "value": {}}

WRITTEN: list[tuple[str, str, str, Any]] = [
    ("finalizer", "PATCH", DRILL, [{"op": "add", "path": "/metadata/finalizers", "value": []}]),
    ("status", "PATCH", f"{DRILL}/status", {"status": {}}),
    ("record", "POST", f"{CONTROL}/secrets", {"type": "kubedrill.dev/undo"}),
    ("record", "PUT", STORED, {"type": "kubedrill.dev/undo"}),
    ("record", "DELETE", STORED, {"preconditions": {}}),
    ("target", "PATCH", WEB, [UID, LIMIT, VERSION]),
    ("target", "PATCH", f"{APPS}/statefulsets/db", [UID, LIMIT, VERSION]),
    ("splice", "PATCH", WEB, [UID, OWNERS, VERSION]),
    ("fence", "PATCH", WEB, {"metadata": {"labels": {"manager-1": ""}}}),
    ("residue", "DELETE", f"{APPS}/replicasets/web-1", None),
    ("residue", "DELETE", f"{APPS}/controllerrevisions/db-1", None),
    ("residue", "DELETE", "/api/v1/namespaces/shop/pods/web-1-x", None),
    ("create", "POST", "/api/v1/namespaces/shop/resourcequotas", {"metadata": {"name": "limits"}}),
    ("remove", "DELETE", "/api/v1/namespaces/shop/resourcequotas/limits", {"preconditions": {"uid": "q1"}}),
    ("remove", "DELETE", "/api/v1/namespaces/shop/pods/web-1-x", {"gracePeriodSeconds": 0}),
    ("evidence", "POST", f"{CONTROL}/configmaps", {}),
    ("plan", "POST", f"{CONTROL}/configmaps", {"metadata": {"labels": {"kubedrill.dev/evidence": "plan"}}}),
    ("report", "POST", f"{DRILLS}/drillreports", {}),
    ("event", "POST", f"{CONTROL}/events", {}),
    ("lease", "PUT", "/apis/coordination.k8s.io/v1/namespaces/drills/leases/kubedrill", {}),
]
READ = [
    ("get-target", WEB, {}),
    ("list-target", f"{APPS}/deployments", {}),
    ("watch-target", f"{APPS}/deployments", {"watch": "1"}),
    ("get-record", STORED, {}),
    ("list-records", f"{CONTROL}/secrets", {"fieldSelector": "type=kubedrill.dev/undo"}),
    ("get-drill", DRILL, {}),
    ("list-drill", f"{DRILLS}/drills", {}),
    ("list-drill", "/apis/kubedrill.dev/v1alpha1/drills", {}),
    ("watch-drill", f"{DRILLS}/drills", {"watch": "true"}),
    ("watch-pods", "/api/v1/namespaces/shop/pods", {"watch": "1"}),
    ("watch-playeractions", f"{DRILLS}/playeractions", {"watch": "1"}),
    ("get-namespace", "/api/v1/namespaces/shop", {}),
]


@pytest.mark.parametrize(("kind", "method", "path", "body"), WRITTEN)
def test_a_write_is_known_by_what_it_writes_to_and_how(kind: str, method: str, path: str, body: Any):
    request = asked(method, path, body)

    assert request.kind == kind
    assert request.is_write


def test_every_kind_of_write_is_among_the_examples():
    assert {kind for kind, *_ in WRITTEN} == WRITES
    assert OWN < WRITES


@pytest.mark.parametrize(("kind", "path", "query"), READ)
def test_a_read_is_known_by_what_is_read_and_how(kind: str, path: str, query: dict[str, str]):
    request = asked("GET", path, **query)

    assert request.kind == kind
    assert not request.is_write


def test_a_dry_run_is_asked_and_not_written():
    changes = asked("PATCH", WEB, [UID, LIMIT], dryRun="All")
    makes = asked("POST", "/api/v1/namespaces/shop/resourcequotas", {}, dryRun="All")

    assert {request.kind for request in (changes, makes)} == {"dry-run"}
    assert not changes.is_write
    assert not makes.is_write


@pytest.mark.parametrize("what", ["selfsubjectaccessreviews", "subjectaccessreviews"])
def test_a_review_of_rights_is_asked_and_not_written(what: str):
    request = asked("POST", f"/apis/authorization.k8s.io/v1/{what}", {"spec": {}})

    assert request.kind == f"ask-{what}"
    assert not request.is_write


def test_a_patch_of_owners_and_of_a_field_is_no_splice():
    assert asked("PATCH", WEB, [OWNERS, LIMIT]).kind == "target"


def test_the_body_is_kept_as_it_was_said():
    assert asked("PATCH", WEB, [LIMIT]).body == [LIMIT]
    assert asked("GET", WEB).body is None
