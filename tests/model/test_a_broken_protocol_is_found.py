"""The exploration is worth what it finds: with a clause of the protocol missing, a law does not hold."""

from __future__ import annotations

import functools
from contextlib import suppress

import pytest
from tests.model import turns
from tests.model.course import beginning_of
from tests.model.explore import explore
from tests.model.laws import Broken
from tests.model.world import Budget

from kubedrill.controller import planning
from kubedrill.controller.status_writer import StatusRefused, StatusWriter
from kubedrill.core.plan.codec import digest_of, plan_from_json, plan_to_json
from kubedrill.core.undo.patches import Applied, inject_patch, plan_revert
from kubedrill.core.undo.touches import Touch
from kubedrill.kube.paths import CONFIG_MAPS
from kubedrill.protocol import fence, injector, objects, release, revert, seen
from kubedrill.protocol.objects import Reply
from kubedrill.protocol.seen import record_seen
from kubedrill.store import undo_records
from kubedrill.store.plans import plan_name

ONE = {"storm": ("x",)}


def found(budget: Budget, edits: tuple[str, ...] = ()) -> str:
    """The law that the exploration finds broken."""
    with pytest.raises(Broken) as broken:
        explore(beginning_of(ONE, budget, edits))
    return str(broken.value).partition("\n")[0].removesuffix(", by the schedule:")


def test_no_fence_lets_a_frozen_operators_patch_in_after_all_is_over(monkeypatch):
    monkeypatch.setattr(fence, "standing", lambda *_: True)

    assert found(Budget()) == "x is touched without a record"


def test_who_takes_an_unknown_injection_for_none_injects_twice(monkeypatch):
    monkeypatch.setattr(injector, "landed", lambda *_: Applied.NO)

    assert found(Budget(crashes=1, edits=1), ("x is replaced",)).startswith("x is injected twice")


def test_a_revert_that_does_not_compare_overwrites_what_people_made(monkeypatch):
    careless = functools.partial(plan_revert)
    monkeypatch.setattr(revert, "plan_revert", lambda *a, **k: careless(*a, **{**k, "overwrite": True}))

    assert found(Budget(edits=1), ("x is edited",)).startswith("x goes from 3 to 1")


def test_an_injection_that_proves_nothing_comes_after_its_undo_is_gone(monkeypatch):
    def blind(record, seen):
        return tuple(
            step
            for step in inject_patch(record, seen)
            if step["op"] != "test" and step["path"] != "/metadata/resourceVersion"
        )

    monkeypatch.setattr(injector, "inject_patch", blind)

    assert found(Budget()) == "x is touched without a record"


def test_a_release_that_does_not_ask_whether_the_fault_is_out_lets_it_run_on(monkeypatch):
    monkeypatch.setattr(seen, "taken_out", lambda *_: True)
    monkeypatch.setattr(release, "taken_out", lambda *_: True)

    assert found(Budget()).startswith("the rollout of x goes from 20 to 10")


def test_a_release_that_stores_nothing_before_it_writes_leaves_no_word_of_it(monkeypatch):
    async def untold(_kube, stored, *_):
        return stored

    monkeypatch.setattr(release, "_begun", untold)

    assert found(Budget(edits=1), ("x is repaired",)).startswith("the rollout of x goes from 20 to 10")


def test_ownership_that_is_not_given_back_is_a_trace(monkeypatch):
    async def kept(_kube, _record, seen):
        return seen

    monkeypatch.setattr(injector, "give_back", kept)
    monkeypatch.setattr(revert, "give_back", kept)
    monkeypatch.setattr(revert, "given_back", lambda *_: None)

    assert found(Budget()) == "x keeps an entry of ours among its owners"


def test_a_policys_refusal_that_is_taken_for_somebodys_edit_gives_the_field_up(monkeypatch):
    monkeypatch.setattr(objects, "is_admission", lambda _: False)
    monkeypatch.setattr(objects, "named_fields", lambda _: ("",))
    monkeypatch.setattr(revert, "given_up", lambda record, *_: frozenset(f.path for f in record.fields))

    assert found(Budget(freezes=1)) == "Deployment/x is given up as KeptPlayerEdit, and nobody has changed it"


def test_a_revert_that_believes_its_own_patch_removes_the_undo_of_what_was_refused(monkeypatch):
    reading = revert._Reverting._verified

    async def believed(self, record, plan):
        await reading(self, record, plan)
        return plan.fields

    monkeypatch.setattr(objects, "_meaning", lambda answer: Reply.DONE if answer.ok else Reply.MOVED)
    monkeypatch.setattr(revert._Reverting, "_verified", believed)

    assert found(Budget(freezes=1)) == "storm is said to be restored while its fault is in x"


def test_a_refused_record_that_is_taken_for_a_stored_one_lets_a_fault_in_without_its_undo(monkeypatch):
    real = undo_records.create

    async def careless(kube, record):
        try:
            return await real(kube, record)
        except undo_records.RecordError:
            ref = undo_records.RecordRef(record.drill.namespace, record.name)
            return undo_records.StoredRecord(record, ref, "", "")

    monkeypatch.setattr(undo_records, "create", careless)

    assert found(Budget(refusals=1)) == "x is touched without a record"


@pytest.mark.parametrize("edit", ["x loses its record", "x has its record damaged"])
def test_who_takes_a_record_that_cannot_be_read_for_none_ends_with_the_fault_in(monkeypatch, edit):
    monkeypatch.setattr(Touch, "is_in", lambda *_: False)
    readable = lambda listing, uid, *_: tuple(map(record_seen, listing.of(uid).readable))  # noqa: E731
    monkeypatch.setattr(turns, "records_seen", readable)

    assert found(Budget(edits=1), (edit,)) == "storm is said to be restored while its fault is in x"


def test_a_plan_that_is_committed_to_before_it_is_stored_is_nobodys(monkeypatch):
    async def unstored(_kube, _drill, plan):
        return digest_of(plan_to_json(plan))

    monkeypatch.setattr(planning, "store_plan", unstored)

    assert found(Budget()) == "storm commits to a plan that is not stored"


def test_who_acts_although_the_status_was_refused_touches_what_nobody_is_told_of(monkeypatch):
    real = StatusWriter.write

    async def believed(self, drill, status):
        with suppress(StatusRefused):
            await real(self, drill, status)
        return True

    monkeypatch.setattr(StatusWriter, "write", believed)

    said = "Deployment/x is to be touched, and the status of storm does not say so"
    assert found(Budget(refusals=1)) == said


def test_a_plan_that_is_not_compared_with_its_hash_is_carried_out_whosever_it_is(monkeypatch):
    async def trusting(kube, drill, digest):
        answer = await kube.get(CONFIG_MAPS.one(drill.namespace, plan_name(drill, digest)))
        return plan_from_json(answer.body["data"]["plan"])

    monkeypatch.setattr(planning, "read_plan", trusting)

    assert found(Budget(crashes=1, edits=1), ("storm is given another plan",)).startswith("x goes from 1 to 9")
