"""Laws that hold for whatever was there, whatever the fault did and whatever people did meanwhile."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.undo.builders import CONTAINER, NAMED_WEB, TARGET, deployment, injected, patched

from kubedrill.core.undo.operations import ABSENT, FieldChange, SetFields, Value
from kubedrill.core.undo.ownership import fields_tree, given_back, owned_paths
from kubedrill.core.undo.patches import plan_revert
from kubedrill.core.undo.pointers import put, read

PATHS = (
    f"{CONTAINER}/resources/limits/memory",
    f"{CONTAINER}/resources/limits/cpu",
    f"{CONTAINER}/resources/requests/memory",
    "/spec/minReadySeconds",
    "/spec/strategy/rollingUpdate/maxUnavailable",
    "/spec/strategy/rollingUpdate/maxSurge",
)
values = st.sampled_from(["1", "2", "3", ABSENT])
settings_of_all = st.fixed_dictionaries(dict.fromkeys(PATHS, values))
wishes = st.dictionaries(st.sampled_from(PATHS), values, min_size=1)
edits = st.dictionaries(st.sampled_from(PATHS), st.sampled_from(["1", "2", "3", "4", ABSENT]))
STEPS = st.sampled_from(["f:a", "f:b", 'k:{"name":"x"}'])
# a busy machine is no reason to fail
unhurried = settings(deadline=None)
path_sets = st.frozensets(st.lists(STEPS, min_size=1, max_size=4).map(tuple), max_size=8)


def made(fields: dict[str, Value]) -> dict[str, Any]:
    seen = deployment(limit=None, request=None)
    edited(seen, fields)
    return seen


def edited(seen: dict[str, Any], fields: dict[str, Value]) -> None:
    """Somebody's change; empty maps vanish as they do at the API server."""
    for path, value in fields.items():
        put(seen, path, value)
    resources = seen["spec"]["template"]["spec"]["containers"][0]["resources"]
    for kind in [kind for kind, inner in resources.items() if not inner]:
        del resources[kind]
    strategy = seen["spec"].get("strategy", {})
    if not strategy.get("rollingUpdate"):
        strategy.pop("rollingUpdate", None)
    if not strategy:
        seen["spec"].pop("strategy", None)


def fault_of(wish: dict[str, Value]) -> SetFields:
    return SetFields(TARGET, tuple(FieldChange(path, value, NAMED_WEB) for path, value in wish.items()))


@unhurried
@given(settings_of_all, wishes)
def test_undisturbed_everything_is_as_it_was(before: dict[str, Value], wish: dict[str, Value]):
    seen = made(before)
    record, fault = injected(seen, fault_of(wish))

    plan = plan_revert(record, fault)

    assert (patched(fault, plan.patch) if plan.patch else fault)["spec"] == seen["spec"]


@unhurried
@given(settings_of_all, wishes, edits)
def test_a_second_revert_writes_nothing(before: dict[str, Value], wish: dict[str, Value], edit: dict[str, Value]):
    record, fault = injected(made(before), fault_of(wish))
    edited(fault, edit)
    plan = plan_revert(record, fault)
    after = patched(fault, plan.patch) if plan.patch else fault

    again = plan_revert(replace(record, restoring=plan.restoring), after)

    assert again.patch == ()
    assert [f.outcome for f in again.fields] == [f.outcome for f in plan.fields]


@unhurried
@given(settings_of_all, wishes, edits)
def test_what_somebody_else_changed_is_never_written(
    before: dict[str, Value], wish: dict[str, Value], edit: dict[str, Value]
):
    record, fault = injected(made(before), fault_of(wish))
    theirs = {path: value for path, value in edit.items() if value != read(fault, path)}
    edited(fault, edit)
    plan = plan_revert(record, fault)

    after = patched(fault, plan.patch) if plan.patch else fault

    assert {path: read(after, path) for path in theirs} == theirs


@unhurried
@given(settings_of_all, wishes, edits)
def test_afterwards_every_field_is_as_it_was_or_its_outcome_says_why(
    before: dict[str, Value], wish: dict[str, Value], edit: dict[str, Value]
):
    record, fault = injected(made(before), fault_of(wish))
    edited(fault, edit)
    plan = plan_revert(record, fault)
    after = patched(fault, plan.patch) if plan.patch else fault

    for field, outcome in zip(record.fields, plan.fields, strict=True):
        same = read(after, field.path) == field.before
        assert same == (outcome.outcome in ("Restored", "Untouched"))


@unhurried
@given(settings_of_all, wishes, edits)
def test_with_overwrite_every_field_is_as_it_was(
    before: dict[str, Value], wish: dict[str, Value], edit: dict[str, Value]
):
    record, fault = injected(made(before), fault_of(wish))
    edited(fault, edit)
    plan = plan_revert(record, fault, overwrite=True)
    after = patched(fault, plan.patch) if plan.patch else fault

    assert [read(after, f.path) for f in record.fields] == [f.before for f in record.fields]


@unhurried
@given(path_sets)
def test_a_set_of_paths_survives_its_tree(paths: frozenset[tuple[str, ...]]):
    assert owned_paths(fields_tree(paths)) == paths


@unhurried
@given(st.lists(path_sets, min_size=1, max_size=3), path_sets)
def test_taking_and_giving_back_is_no_change_for_any_owners(
    owners: list[frozenset[tuple[str, ...]]], taken: frozenset[tuple[str, ...]]
):
    before: list[dict[str, Any]] = [
        {"manager": f"owner-{i}", "operation": "Apply", "time": str(i), "fieldsV1": fields_tree(paths)}
        for i, paths in enumerate(owners)
        if paths
    ]
    left = [entry | {"fieldsV1": fields_tree(owned_paths(entry["fieldsV1"]) - taken)} for entry in before]
    ours = {"manager": "us", "operation": "Update", "fieldsV1": fields_tree(taken)}

    result = given_back([*(entry for entry in left if entry["fieldsV1"]), ours], "us", before)

    if taken and before:
        assert sorted(result or (), key=lambda e: e["manager"]) == before
