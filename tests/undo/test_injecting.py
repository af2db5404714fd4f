"""The one patch of an injection proves all that it assumes."""

from __future__ import annotations

import pytest
from tests.undo.builders import (
    LIMIT,
    NAMED_WEB,
    REQUEST,
    TARGET,
    PatchFailed,
    deployment,
    injected,
    patched,
    record_of,
    squeeze,
)

from kubedrill.core.undo.operations import ABSENT, FieldChange, Refusal, SetFields
from kubedrill.core.undo.patches import after_values, before_values, inject_patch
from kubedrill.core.undo.pointers import put, read


def test_it_tests_the_uid_the_containers_name_and_both_before_values():
    seen = deployment()
    tests = [(op["path"], op["value"]) for op in inject_patch(record_of(seen), seen) if op["op"] == "test"]

    assert tests == [("/metadata/uid", "u1"), *NAMED_WEB, (LIMIT, "128Mi"), (REQUEST, "64Mi")]


def test_it_carries_the_resource_version_that_was_recorded():
    seen = deployment()

    assert inject_patch(record_of(seen), seen)[-1] == {
        "op": "replace",
        "path": "/metadata/resourceVersion",
        "value": "7",
    }


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/metadata/uid", "u2"),
        (NAMED_WEB[0][0], "other"),
        (LIMIT, "256Mi"),
        (REQUEST, ABSENT),
        ("/metadata/resourceVersion", "8"),
    ],
)
def test_it_fails_when_anything_that_it_assumed_has_changed(path: str, value: object):
    seen = deployment()
    patch = inject_patch(record_of(seen), seen)
    put(seen, path, value)

    with pytest.raises(PatchFailed):
        patched(seen, patch)


def test_absence_is_tested_with_null_because_a_replace_would_silently_add():
    seen = deployment(limit=None, request=None)
    patch = inject_patch(record_of(seen), seen)

    assert {"op": "test", "path": LIMIT.rpartition("/")[0], "value": None} in patch
    with pytest.raises(PatchFailed):
        patched(deployment(limit="16Mi", request=None), patch)


def test_maps_that_are_missing_are_made_in_the_same_patch():
    _, fault = injected(deployment(limit=None, request=None))

    assert (read(fault, LIMIT), read(fault, REQUEST)) == ("32Mi", "32Mi")


def test_two_fields_below_the_same_missing_map_are_both_written():
    fields = ("/spec/strategy/rollingUpdate/maxUnavailable", "/spec/strategy/rollingUpdate/maxSurge")
    operation = SetFields(TARGET, (FieldChange(fields[0], 3), FieldChange(fields[1], 0)))

    _, fault = injected(deployment(), operation)

    assert fault["spec"]["strategy"] == {"rollingUpdate": {"maxUnavailable": 3, "maxSurge": 0}}


def test_a_wish_for_absence_removes_the_field():
    operation = SetFields(TARGET, (FieldChange(REQUEST, ABSENT, NAMED_WEB),))

    record, fault = injected(deployment(), operation)

    assert read(fault, REQUEST) is ABSENT
    assert record.fields[0].after is ABSENT


def test_a_pointer_that_no_longer_means_the_same_container_is_refused():
    seen = deployment()
    put(seen, NAMED_WEB[0][0], "sidecar")

    refusal = before_values(squeeze(), "storm", seen)

    assert isinstance(refusal, Refusal)
    assert refusal.reason == "TargetChanged"


def test_after_values_are_those_of_the_servers_answer_not_those_that_were_asked_for():
    operation = SetFields(TARGET, (FieldChange(LIMIT, "0.5Gi", NAMED_WEB),))
    seen = deployment(limit="1Gi")
    record = record_of(seen, operation)
    answer = deployment(limit="512Mi")

    assert after_values(record, answer).fields[0].after == "512Mi"
