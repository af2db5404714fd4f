"""What is given back as soon as somebody took the fault out: what holds the rollout, and nothing of the template."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.undo.builders import CONTAINER, LIMIT, NAMED_WEB, REQUEST, TARGET, deployment, injected, patched

from kubedrill.core.undo.operations import ABSENT, FieldChange, SetFields, Value
from kubedrill.core.undo.patches import plan_revert
from kubedrill.core.undo.pointers import put, read
from kubedrill.core.undo.record import FieldGroup, from_json, to_json
from kubedrill.core.undo.release import holding, plan_release, taken_out

UNAVAILABLE, SURGE = "/spec/strategy/rollingUpdate/maxUnavailable", "/spec/strategy/rollingUpdate/maxSurge"
READY, PROGRESS = "/spec/minReadySeconds", "/spec/progressDeadlineSeconds"
PARTITION = "/spec/updateStrategy/rollingUpdate/partition"
HELD = {UNAVAILABLE: 1, SURGE: 0, READY: 330, PROGRESS: 390}
OWN: dict[str, Any] = {
    "strategy": {"rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}},
    "progressDeadlineSeconds": 120,
}


def fault(**held: Value) -> SetFields:
    """The limit, the request that follows, and what holds the rollout."""
    memory = (FieldChange(LIMIT, "32Mi", NAMED_WEB), FieldChange(REQUEST, "32Mi", NAMED_WEB))
    return SetFields(TARGET, memory + tuple(FieldChange(path, value) for path, value in (held or HELD).items()))


def in_play():
    return injected(deployment(**OWN), fault())


def with_limit(seen: dict[str, Any], value: str) -> dict[str, Any]:
    put(seen, LIMIT, value)
    return seen


def test_what_holds_the_rollout_is_given_back_and_the_template_is_left_to_whoever_repairs_it():
    record, seen = in_play()
    with_limit(seen, "96Mi")
    after = patched(seen, plan_release(record, seen).patch)
    assert read(after, LIMIT) == "96Mi"
    assert read(after, REQUEST) == "32Mi"
    assert after["spec"]["strategy"] == OWN["strategy"]
    assert read(after, READY) is ABSENT
    assert read(after, PROGRESS) == 120


def test_while_the_fault_is_in_it_is_not_out_whatever_else_is_changed():
    record, seen = in_play()
    assert not taken_out(record, seen)
    put(seen, f"{CONTAINER}/env", [{"name": "A", "value": "1"}])
    put(seen, REQUEST, "16Mi")
    put(seen, READY, 5)
    assert not taken_out(record, seen)


@pytest.mark.parametrize("value", ["128Mi", "96Mi", "16Mi", ABSENT])
def test_with_another_limit_the_fault_is_out(value: Value):
    record, seen = in_play()
    put(seen, LIMIT, value)
    assert taken_out(record, seen)


def test_a_container_that_is_somewhere_else_in_the_list_has_the_fault_still():
    record, seen = in_play()
    seen["spec"]["template"]["spec"]["containers"].insert(0, {"name": "proxy", "resources": {}})
    assert not taken_out(record, seen)


def test_without_its_container_the_fault_is_out():
    record, seen = in_play()
    seen["spec"]["template"]["spec"]["containers"][0]["name"] = "other"
    assert taken_out(record, seen)


def test_another_object_of_the_same_name_is_nobodys_repair():
    record, seen = in_play()
    with_limit(seen, "96Mi")
    seen["metadata"]["uid"] = "u2"
    assert not taken_out(record, seen)


def test_the_rollout_stays_held_while_one_of_two_faults_is_in():
    record, seen = in_play()
    (group,) = record.groups
    assert isinstance(group, FieldGroup)
    cpu = replace(group.fields[0], path=f"{CONTAINER}/resources/limits/cpu", before=ABSENT, after="1m")
    both = replace(record, groups=(group, FieldGroup("slow", (cpu,))))
    put(seen, cpu.path, "1m")
    with_limit(seen, "96Mi")
    assert not taken_out(both, seen)
    put(seen, cpu.path, "50m")
    assert taken_out(both, seen)


def test_what_is_released_holds_nothing_any_more():
    record, _ = in_play()
    assert holding(record) == tuple(HELD)
    assert holding(replace(record, released=tuple(HELD))) == ()


def test_a_fault_that_left_the_strategy_as_it_was_holds_nothing():
    record, _ = injected(deployment(**OWN), fault(**{REQUEST: "32Mi"}))
    assert holding(record) == ()


@pytest.mark.parametrize(("own", "held"), [(0, (PARTITION,)), (5, ())])
def test_a_partition_that_was_raised_is_given_back_and_one_that_was_lowered_is_not(own, held):
    seen = deployment(updateStrategy={"rollingUpdate": {"partition": own}})
    record, _ = injected(seen, fault(**{PARTITION: 2}))
    assert holding(record) == held


def test_what_somebody_made_of_the_strategy_is_kept():
    record, seen = in_play()
    with_limit(seen, "96Mi")
    put(seen, UNAVAILABLE, 2)
    after = patched(seen, plan_release(record, seen).patch)
    assert read(after, UNAVAILABLE) == 2
    assert read(after, READY) is ABSENT


def test_the_later_revert_finds_what_was_released_as_its_own_doing():
    record, seen = in_play()
    with_limit(seen, "128Mi")
    plan = plan_release(record, seen)
    later = plan_revert(replace(record, restoring=plan.restoring, released=plan.restoring), patched(seen, plan.patch))
    ends = {f.path: f.outcome for f in later.fields}
    assert ends == dict.fromkeys(HELD, "Restored") | {LIMIT: "Untouched", REQUEST: "Restored"}


def test_a_record_tells_what_was_released_after_it_was_stored():
    record, _ = in_play()
    released = replace(record, released=(READY,))
    assert from_json(to_json(released)) == released


edits = st.dictionaries(st.sampled_from([LIMIT, *HELD]), st.sampled_from([1, 2, 300, ABSENT]))


@settings(deadline=None)
@given(edits)
def test_a_release_touches_nothing_but_what_holds_the_rollout_and_is_still_as_the_fault_left_it(edit):
    record, seen = in_play()
    for path, value in edit.items():
        put(seen, path, value)
    plan = plan_release(record, seen)
    after = patched(seen, plan.patch) if plan.patch else seen
    own = deployment(**OWN)
    for path, value in HELD.items():
        ours = read(seen, path) == value
        assert read(after, path) == (read(own, path) if ours else read(seen, path))
        put(after, path, read(seen, path))
    assert patched(after, ())["spec"] == patched(seen, ())["spec"]  # empty maps vanish as they do at the API server


@settings(deadline=None)
@given(edits)
def test_a_second_release_writes_nothing(edit):
    record, seen = in_play()
    for path, value in edit.items():
        put(seen, path, value)
    plan = plan_release(record, seen)
    after = patched(seen, plan.patch) if plan.patch else seen
    assert plan_release(replace(record, restoring=plan.restoring), after).patch == ()
