"""Of what is watched the declared fields are kept, and nothing is made up of what has another shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.answers.test_decoding import JSON

from kubedrill.kube.kept_fields import kept

OBJECT = {"a": {"b": 1, "c": [{"d": 2, "e": 3}, {"e": 4}]}, "f": 5}


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        ({"a.b"}, {"a": {"b": 1}}),
        ({"a.c.d", "f"}, {"a": {"c": [{"d": 2}, {}]}, "f": 5}),
        ({"a", "a.b"}, {"a": OBJECT["a"]}),
        ({"a.b.c"}, {"a": {"b": 1}}),
        ({"nothing"}, {}),
        (set(), OBJECT),
    ],
)
def test_what_is_kept(fields: set[str], left: dict[str, Any]):
    assert kept(OBJECT, frozenset(fields)) == left


@given(JSON, st.frozensets(st.sampled_from(["a", "a.b", "a.b.c", "b.c"])))
def test_anything_can_be_cut_and_cutting_again_changes_nothing(value, fields):
    once = kept(value, fields)
    assert kept(once, fields) == once


def test_short_texts_are_kept_once_however_many_objects_hold_them():
    """Decoding makes each text anew: ten thousand pods hold `kube-controller-manager` ten thousand times."""
    fields = frozenset({"metadata.managedFields.manager", "spec"})
    text = '{"metadata": {"managedFields": [{"manager": "kubelet"}]}, "spec": {"image": "app:1", "list": ["128Mi"]}}'
    one, other = (kept(json.loads(text), fields) for _ in range(2))
    assert one == other == json.loads(text)
    assert one["metadata"]["managedFields"][0]["manager"] is other["metadata"]["managedFields"][0]["manager"]
    assert one["spec"]["image"] is other["spec"]["image"]
    assert one["spec"]["list"][0] is other["spec"]["list"][0]
