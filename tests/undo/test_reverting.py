"""Three ways, field by field: ours goes back, what is back already stays, somebody else's change is kept."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.undo.builders import (
    CONTAINER,
    LIMIT,
    MANAGER,
    REQUEST,
    TARGET,
    deployment,
    entry,
    injected,
    owning,
    patched,
    squeeze,
)

from kubedrill.core.undo.operations import FieldChange, SetFields
from kubedrill.core.undo.patches import RevertPlan, plan_revert
from kubedrill.core.undo.pointers import put, read

LIMIT_OWNED = "spec/template/spec/containers/k:name=web/resources/limits/memory"


def ends(plan: RevertPlan) -> list[str]:
    return [field.outcome for field in plan.fields]


def test_what_is_as_we_left_it_goes_back():
    before = deployment()
    record, fault = injected(before, squeeze(minReadySeconds=15))

    plan = plan_revert(record, fault)

    assert ends(plan) == ["Restored"] * 3
    assert patched(fault, plan.patch)["spec"] == before["spec"]


@pytest.mark.parametrize("odd", ["104857600m", "1e8", "0.1Gi", "128M", "100000000"])
def test_c6_a_quantity_comes_back_as_somebody_wrote_it_and_not_as_we_would(odd: str):
    before = deployment(limit=odd, request=odd)
    record, fault = injected(before)

    after = patched(fault, plan_revert(record, fault).patch)

    assert (read(after, LIMIT), read(after, REQUEST)) == (odd, odd)


def test_a_limit_that_was_not_there_goes_with_the_maps_that_were_made_for_it():
    before = deployment(limit=None, request=None)
    record, fault = injected(before)

    assert patched(fault, plan_revert(record, fault).patch)["spec"] == before["spec"]


def test_a_map_that_was_made_for_us_stays_when_somebody_else_uses_it_by_now():
    record, fault = injected(deployment(limit=None, request=None))
    put(fault, f"{CONTAINER}/resources/limits/cpu", "1")

    after = patched(fault, plan_revert(record, fault).patch)

    assert read(after, f"{CONTAINER}/resources") == {"limits": {"cpu": "1"}}


def test_maps_that_were_made_for_us_are_removed_even_if_the_server_would_keep_them_empty():
    path = "/spec/strategy/rollingUpdate/maxUnavailable"
    before = deployment()
    record, fault = injected(before, SetFields(TARGET, (FieldChange(path, 3),)))

    assert patched(fault, plan_revert(record, fault).patch)["spec"] == before["spec"]


def test_what_is_as_it_was_needs_no_write():
    record, _ = injected(deployment())

    plan = plan_revert(record, deployment())

    assert (plan.patch, ends(plan)) == ((), ["Untouched"] * 2)


def test_what_an_earlier_try_of_ours_put_back_is_told_as_restored():
    record, _ = injected(deployment())

    plan = plan_revert(replace(record, restoring=(LIMIT, REQUEST)), deployment())

    assert ends(plan) == ["Restored"] * 2


def test_somebody_elses_change_is_kept_and_told_with_who_and_when():
    record, fault = injected(deployment())
    put(fault, LIMIT, "256Mi")
    fault["metadata"]["managedFields"] = [
        entry("kubectl-edit", owning(LIMIT_OWNED), time="2026-03-01T12:20:00Z"),
        entry(MANAGER, owning(LIMIT_OWNED), time="2026-03-01T12:30:00Z"),
    ]

    plan = plan_revert(record, fault)

    assert ends(plan) == ["Superseded", "Restored"]
    assert (plan.fields[0].now, plan.fields[0].who, plan.fields[0].when) == (
        "256Mi",
        "kubectl-edit",
        "2026-03-01T12:20:00Z",
    )
    assert read(patched(fault, plan.patch), LIMIT) == "256Mi"


def test_a_field_that_somebody_removed_is_not_put_back():
    record, fault = injected(deployment())
    del fault["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]

    plan = plan_revert(record, fault)

    assert (plan.fields[0].outcome, plan.fields[0].now) == ("Superseded", "(absent)")


def test_fields_that_cannot_go_back_alone_stay_together():
    record, fault = injected(deployment(), squeeze(minReadySeconds=15))
    put(fault, LIMIT, "48Mi")

    plan = plan_revert(record, fault, kept={LIMIT, REQUEST})

    assert ends(plan) == ["Superseded", "KeptPlayerEdit", "Restored"]


def test_the_facilitator_may_have_everything_put_back():
    before = deployment()
    record, fault = injected(before)
    put(fault, LIMIT, "256Mi")

    plan = plan_revert(record, fault, overwrite=True)

    assert ends(plan) == ["Restored"] * 2
    assert patched(fault, plan.patch)["spec"] == before["spec"]


def test_a_container_is_found_again_by_its_name():
    record, fault = injected(deployment())
    fault["spec"]["template"]["spec"]["containers"].insert(0, {"name": "log", "resources": {}})

    after = patched(fault, plan_revert(record, fault).patch)

    containers = after["spec"]["template"]["spec"]["containers"]
    assert containers[0] == {"name": "log", "resources": {}}
    assert containers[1]["resources"] == {"limits": {"memory": "128Mi"}, "requests": {"memory": "64Mi"}}


def test_a_target_that_is_gone_has_nothing_to_put_back():
    record, _ = injected(deployment())

    plan = plan_revert(record, None)

    assert (plan.patch, ends(plan)) == ((), ["Gone"] * 2)


def test_another_object_of_the_same_name_is_not_touched():
    record, _ = injected(deployment())

    plan = plan_revert(record, deployment(uid="u2"))

    assert (plan.patch, ends(plan)) == ((), ["Gone"] * 2)


def test_our_values_carried_over_into_another_object_are_told_loudly():
    record, _ = injected(deployment())

    plan = plan_revert(record, deployment("32Mi", "32Mi", uid="u2"))

    assert (plan.patch, ends(plan)) == ((), ["CarriedOver"] * 2)
