"""The model's API server answers as the real one was seen to answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.model.people import cluster, target
from tests.model.server import Reply, Request, Store

from kubedrill.kube.client import JSON_PATCH, MERGE_PATCH

PATH = target("x").path
FIELD = "/spec/minReadySeconds"
SECRETS = "/api/v1/namespaces/drills/secrets"


@pytest.fixture
def store() -> Store:
    return cluster({"storm": ("x",)})


def patch(*steps: tuple[str, str, object], manager: str = "us", **query: str) -> Request:
    body = [{"op": op, "path": path, "value": value} for op, path, value in steps]
    asked = (("fieldManager", manager), *query.items())
    return Request("PATCH", PATH, json.dumps(body), JSON_PATCH, asked)


def refusal(reply: Reply) -> tuple[int, str, dict[str, Any]]:
    body = json.loads(reply.body)
    return reply.status, body["reason"], body["details"]


@pytest.mark.parametrize(
    "step",
    [("test", FIELD, 7), ("test", "/metadata/uid", "another"), ("remove", "/spec/no", None), ("add", "/no/no", 1)],
)
def test_a_failed_test_and_a_path_that_is_not_there_look_alike(store, step):
    after, reply = store.served(patch(step))

    assert refusal(reply) == (422, "Invalid", {})
    assert after is store


def test_absence_is_tested_with_null_and_a_replace_of_what_is_absent_adds(store):
    after, reply = store.served(patch(("test", "/spec/paused", None), ("replace", "/spec/paused", True)))

    assert reply.status == 200
    assert after.read(PATH)["spec"]["paused"] is True


def test_a_stale_version_is_a_conflict(store):
    _, reply = store.served(patch(("replace", FIELD, 2), ("replace", "/metadata/resourceVersion", "0")))

    assert refusal(reply) == (409, "Conflict", {})


def test_a_write_that_changes_nothing_raises_no_version(store):
    after, reply = store.served(patch(("replace", FIELD, 1)))

    assert (after, reply.status) == (store, 200)


def test_a_dry_run_tells_and_stores_nothing(store):
    after, reply = store.served(patch(("replace", FIELD, 2), dryRun="All"))

    assert json.loads(reply.body)["spec"]["minReadySeconds"] == 2
    assert after is store


def test_a_change_moves_ownership_and_generation_and_a_list_of_managers_alone_moves_neither(store):
    before = store.read(PATH)["metadata"]
    taken, _ = store.served(patch(("replace", FIELD, 2)))
    entries = taken.read(PATH)["metadata"]["managedFields"]
    back, _ = taken.served(patch(("replace", "/metadata/managedFields", before["managedFields"])))

    assert [entry["manager"] for entry in entries] == ["owner", "us"]
    assert back.read(PATH)["metadata"] == before | {"generation": 2, "resourceVersion": "3"}


def test_of_two_creates_of_one_name_one_is_told(store):
    request = Request("POST", SECRETS, json.dumps({"metadata": {"name": "undo"}}))
    once, made = store.served(request)
    twice, refused = once.served(request)

    assert made.status == 201
    assert refusal(refused) == (409, "AlreadyExists", {"kind": "secrets", "name": "undo"})
    assert twice is once


def test_a_successor_has_another_uid_and_a_version_that_was_never_seen(store):
    made, _ = store.served(Request("POST", SECRETS, json.dumps({"metadata": {"name": "undo"}})))
    again, _ = made.served(Request("DELETE", f"{SECRETS}/undo"))[0].served(
        Request("POST", SECRETS, json.dumps({"metadata": {"name": "undo"}}))
    )
    first, second = (s.read(f"{SECRETS}/undo")["metadata"] for s in (made, again))

    assert first["uid"] != second["uid"]
    assert first["resourceVersion"] != second["resourceVersion"]


def test_deleting_what_has_changed_since_is_a_conflict(store):
    body = json.dumps({"preconditions": {"resourceVersion": "0"}})

    _, reply = store.served(Request("DELETE", PATH, body))

    assert refusal(reply)[:2] == (409, "Conflict")


def test_a_drill_with_a_finalizer_stays_until_it_is_taken_off(store):
    path = "/apis/kubedrill.dev/v1alpha1/namespaces/drills/drills/storm"
    held, _ = store.served(Request("PATCH", path, json.dumps({"metadata": {"finalizers": ["ours"]}}), MERGE_PATCH))
    going, _ = held.served(Request("DELETE", path))
    gone, _ = going.served(Request("PATCH", path, json.dumps({"metadata": {"finalizers": []}}), MERGE_PATCH))

    assert "deletionTimestamp" in going.read(path)["metadata"]
    assert gone.read(path) is None
