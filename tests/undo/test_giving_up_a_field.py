"""A field is left as it is only where somebody else has changed one of its kin *and* the refusal is about that kin."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.undo.builders import CONTAINER, LIMIT, REQUEST, deployment, injected, squeeze

from kubedrill.core.undo.operations import ABSENT, SetFields
from kubedrill.core.undo.pointers import put, read
from kubedrill.core.undo.record import FieldGroup, UndoRecord, from_json, to_json
from kubedrill.core.undo.related_fields import beside, given_up, kin_root

READY, PROGRESS = "/spec/minReadySeconds", "/spec/progressDeadlineSeconds"
REQUESTS = "spec.template.spec.containers[0].resources.requests"


def test_a_players_limit_keeps_the_request_that_no_longer_fits():
    record, fault = injected(deployment(), squeeze(minReadySeconds=15))
    put(fault, LIMIT, "48Mi")

    assert given_up(record, fault, [REQUESTS]) == {LIMIT, REQUEST}


def test_a_request_that_the_fault_never_touched_counts_once_somebody_has_raised_it():
    record, fault = injected(deployment(request="16Mi"), limit_alone())
    put(fault, REQUEST, "256Mi")

    assert given_up(record, fault, [REQUESTS]) == {LIMIT}


def test_one_that_somebody_added_counts_too():
    record, fault = injected(deployment(request=None), limit_alone())
    put(fault, REQUEST, "256Mi")

    assert given_up(record, fault, [REQUESTS]) == {LIMIT}


def test_a_container_that_was_moved_is_found_again_with_its_kin():
    record, fault = injected(deployment(request="16Mi"), limit_alone())
    containers = fault["spec"]["template"]["spec"]["containers"]
    containers.insert(0, {"name": "log", "resources": {}})
    there = REQUESTS.replace("[0]", "[1]")

    assert given_up(record, fault, [there]) == frozenset()

    containers[1]["resources"]["requests"] = {"memory": "256Mi"}

    assert given_up(record, fault, [there]) == {LIMIT}


def test_a_progress_deadline_that_somebody_lowered_keeps_the_seconds_that_no_longer_fit():
    record, fault = injected(deployment(minReadySeconds=200, progressDeadlineSeconds=600), of_spec(minReadySeconds=300))
    put(fault, PROGRESS, 150)

    assert given_up(record, fault, ["spec.progressDeadlineSeconds"]) == {READY}


def test_a_scale_is_no_kin_of_anything():
    record, fault = injected(deployment(minReadySeconds=200, replicas=3), of_spec(minReadySeconds=300))
    put(fault, "/spec/replicas", 5)

    assert given_up(record, fault, ["spec.progressDeadlineSeconds"]) == frozenset()


@pytest.mark.parametrize(
    "causes",
    [[], [""], ["metadata.labels"], ["spec.replicas"], ["", "spec.template.metadata.labels"]],
    ids=["no cause", "a policy's, which names no field", "labels", "replicas", "two"],
)
def test_a_refusal_about_something_else_gives_nothing_up_whatever_somebody_changed(causes: list[str]):
    record, fault = injected(deployment(), squeeze(minReadySeconds=15))
    put(fault, LIMIT, "48Mi")

    assert given_up(record, fault, causes) == frozenset()


def test_a_refusal_that_names_our_field_gives_nothing_up_where_nobody_has_changed_anything():
    record, fault = injected(deployment(), squeeze(minReadySeconds=15))

    assert given_up(record, fault, [REQUESTS, "spec.minReadySeconds"]) == frozenset()


def test_a_record_that_never_knew_what_was_beside_gives_up_for_changes_of_touched_fields_alone():
    record, fault = injected(deployment(request="16Mi"), limit_alone())
    old = as_before_it_was_kept(record)
    put(fault, REQUEST, "256Mi")

    assert given_up(old, fault, [REQUESTS]) == frozenset()

    put(fault, LIMIT, "300Mi")

    assert given_up(old, fault, [REQUESTS]) == {LIMIT}


def test_what_is_beside_is_stored_with_the_record():
    record, _ = injected(deployment(request="16Mi"), limit_alone())
    (limit,) = record.fields

    assert dict(limit.beside) == {REQUEST: "16Mi"}
    assert from_json(to_json(record)) == record


@pytest.mark.parametrize(
    ("path", "root"),
    [
        (LIMIT, f"{CONTAINER}/resources"),
        (READY, "/spec"),
        ("/spec/strategy/rollingUpdate/maxSurge", "/spec/strategy"),
        (f"{CONTAINER}/image", CONTAINER),
    ],
)
def test_kin_is_what_a_field_can_contradict(path: str, root: str):
    assert kin_root(path) == root


def test_lists_and_maps_are_no_values_beside():
    thing = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "deep": {"a": 1}}}}}

    assert dict(beside(thing, "/spec/strategy/rollingUpdate/maxUnavailable")) == {
        "/spec/strategy/type": "RollingUpdate",
        "/spec/strategy/rollingUpdate/maxSurge": 1,
    }


LIMITS = st.sampled_from(["32Mi", "48Mi", "128Mi", "256Mi", None])
NAMED = st.lists(st.sampled_from(["", REQUESTS, "spec.minReadySeconds", "spec", "metadata.uid", "[[", "spec..x"]))


@given(limit=LIMITS, request=LIMITS, seconds=st.sampled_from([None, 5, 15]), causes=NAMED)
def test_nothing_is_given_up_without_a_difference_that_is_not_ours(
    limit: str | None, request: str | None, seconds: int | None, causes: list[str]
):
    record, fault = injected(deployment(), squeeze(minReadySeconds=15))
    for path, value in {LIMIT: limit, REQUEST: request, READY: seconds}.items():
        put(fault, path, ABSENT if value is None else value)

    lost = given_up(record, fault, causes)

    somebodys = {f.path for f in record.fields if read(fault, f.path) not in (f.before, f.after)}
    assert not lost or {kin_root(path) for path in lost} <= {kin_root(path) for path in somebodys}


def limit_alone() -> SetFields:
    operation = squeeze()
    return replace(operation, changes=operation.changes[:1])


def of_spec(**values: Any) -> SetFields:
    operation = squeeze(**values)
    return replace(operation, changes=tuple(c for c in operation.changes if not isinstance(c.value, str)))


def as_before_it_was_kept(record: UndoRecord) -> UndoRecord:
    (group,) = record.groups
    assert isinstance(group, FieldGroup)
    return replace(record, groups=(replace(group, fields=tuple(replace(f, beside=None) for f in group.fields)),))
