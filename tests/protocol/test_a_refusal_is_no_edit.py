"""Whoever refuses a write of the undo, in whatever form: nothing is given up, its words are told, it is tried again.

Attack F1 and field case C3: a change freeze by policy (422 with one cause that names no field) was taken for a player's
edit; the fields stayed as the fault had left them, the drill said Restored, and the record was deleted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web
from tests.protocol.refusers import DISGUISED, FORMS, WORDS
from tests.undo.builders import NOON, TARGET, UNDO, deployment, entry, owning, record_of
from tests.watchdog.wire import SECRETS, Cluster, standing

from kubedrill.core.undo.pointers import put
from kubedrill.core.undo.record import RecordState
from kubedrill.kube.client import Kube
from kubedrill.protocol.outcomes import Reversal, RevertOutcome
from kubedrill.protocol.revert import CLEARING, revert
from kubedrill.store.undo_records import RecordRef

REF = RecordRef("drills", UNDO)
RECORD = f"{SECRETS}/{UNDO}"
LIMIT = "/spec/template/spec/containers/0/resources/limits/memory"
REPLICA_SETS = "/apis/apps/v1/namespaces/shop/replicasets"


class Restoring:
    """A cluster with a fault in it, and its revert. `refused` tells which writes are, `form` in which words."""

    def __init__(self, cluster: Cluster, kube: Kube) -> None:
        self.cluster, self.kube = cluster, kube
        self.refused: Callable[[web.Request], bool] = lambda _: False
        self.form: Callable[[], web.Response] = FORMS["a policy, 422"]
        cluster.answering = lambda request: self.form() if self.refused(request) else None
        cluster.fault()

    async def __call__(self) -> RevertOutcome:
        class At:
            error = self.cluster.now - self.cluster.now
            now = lambda _: self.cluster.now  # noqa: E731  a clock in one line

        return await revert(self.kube, REF, "Operator", At())


@pytest.fixture
async def restoring() -> AsyncIterator[Restoring]:
    async with standing() as (cluster, kube):
        yield Restoring(cluster, kube)


def of_the_target(request: web.Request) -> bool:
    return request.method == "PATCH" and request.path == TARGET.path


def of_the_record(request: web.Request) -> bool:
    return request.method == "PATCH" and request.path == RECORD


def of_the_owners(restoring: Restoring) -> Callable[[web.Request], bool]:
    """The write after the values are back: the one that gives the fields' ownership back."""
    return lambda request: of_the_target(request) and restoring.cluster.limit == "128Mi"


@pytest.mark.parametrize("form", FORMS)
async def test_a_refused_revert_is_stalled_with_the_refusers_words_and_goes_through_later(
    restoring: Restoring, form: str
):
    restoring.form, restoring.refused = FORMS[form], of_the_target

    outcome = await restoring()

    assert (outcome.state, outcome.reason) == (Reversal.STALLED, "Refused")
    assert WORDS in outcome.message
    assert not outcome.restored
    assert restoring.cluster.limit == "32Mi"
    assert restoring.cluster.records()[UNDO].state is RecordState.REVERTING

    restoring.refused = lambda _: False
    outcome = await restoring()

    assert {f.outcome for f in outcome.fields} == {"Restored"}
    assert restoring.cluster.limit == "128Mi"


@pytest.mark.parametrize("form", DISGUISED)
async def test_an_answer_that_reads_like_a_failed_precondition_is_a_refusal_where_nothing_has_moved(
    restoring: Restoring, form: str
):
    restoring.form, restoring.refused = DISGUISED[form], of_the_target

    outcome = await restoring()

    assert (outcome.state, outcome.reason) == (Reversal.STALLED, "Refused")
    assert WORDS in outcome.message
    assert restoring.cluster.limit == "32Mi"


@pytest.mark.parametrize("form", FORMS)
async def test_a_refused_write_of_the_record_touches_nothing(restoring: Restoring, form: str):
    restoring.form, restoring.refused = FORMS[form], of_the_record

    outcome = await restoring()

    assert (outcome.state, outcome.reason) == (Reversal.STALLED, "Refused")
    assert WORDS in outcome.message
    assert not [path for _, path in restoring.cluster.writes if path == TARGET.path]


@pytest.mark.parametrize("form", FORMS)
async def test_an_ownership_that_may_not_be_given_back_is_stalled_and_the_values_are_said_to_be_back(
    restoring: Restoring, form: str
):
    leave_our_entry(restoring)
    restoring.form, restoring.refused = FORMS[form], of_the_owners(restoring)

    outcome = await restoring()

    assert (outcome.state, outcome.reason, outcome.restored) == (Reversal.STALLED, "Refused", True)
    assert WORDS in outcome.message
    assert restoring.cluster.limit == "128Mi"
    assert restoring.cluster.records()[UNDO].state is RecordState.REVERTING


@pytest.mark.parametrize("form", FORMS)
async def test_a_refused_fence_is_stalled(restoring: Restoring, form: str):
    """A record that never reached Injected: the target is as it was, and what would stop a late patch is refused."""
    never_in(restoring)
    restoring.form, restoring.refused = FORMS[form], of_the_target

    outcome = await restoring()

    assert (outcome.state, outcome.reason) == (Reversal.STALLED, "Refused")
    assert WORDS in outcome.message


@pytest.mark.parametrize("form", FORMS)
async def test_a_refused_clean_up_is_awaited_for_a_minute_and_then_a_note(restoring: Restoring, form: str):
    """Field case C18: the fields were back and the pods ready, and the drill said for ever that faults were on."""
    leave_a_replica_set(restoring)
    restoring.form, restoring.refused = FORMS[form], lambda request: request.method == "DELETE"

    outcome = await restoring()

    assert (outcome.state, outcome.restored) == (Reversal.RETRY, True)
    assert WORDS in outcome.message
    assert restoring.cluster.records()[UNDO].restored_at == NOON

    restoring.cluster.passes(seconds=CLEARING.total_seconds())
    outcome = await restoring()

    assert outcome.state is Reversal.REVERTED
    told = restoring.cluster.records()[UNDO].outcome
    assert told is not None
    (note,) = told.notes
    assert "web-faulted" in note
    assert WORDS in note


async def test_a_clean_up_that_is_refused_for_a_moment_leaves_nothing(restoring: Restoring):
    leave_a_replica_set(restoring)
    restoring.refused = lambda request: request.method == "DELETE"
    await restoring()
    restoring.refused = lambda _: False

    outcome = await restoring()

    assert outcome.state is Reversal.REVERTED
    assert f"{REPLICA_SETS}/web-faulted" not in restoring.cluster.objects
    told = restoring.cluster.records()[UNDO].outcome
    assert told is not None
    assert told.notes == ()


async def test_a_value_that_no_longer_fits_somebodys_own_is_kept_as_ever(restoring: Restoring):
    put(restoring.cluster.objects[TARGET.path], LIMIT, "48Mi")
    body = {
        "kind": "Status",
        "reason": "Invalid",
        "message": "must be less than or equal to memory limit",
        "details": {"causes": [{"field": "spec.template.spec.containers[0].resources.requests"}]},
    }
    restoring.form = lambda: web.json_response(body, status=422)
    restoring.refused = of_the_target

    outcome = await restoring()

    assert [f.outcome for f in outcome.fields] == ["Superseded", "KeptPlayerEdit"]


def leave_our_entry(restoring: Restoring) -> None:
    record = restoring.cluster.records()[UNDO]
    fields = owning("spec/template/spec/containers/k:name=web/resources/limits/memory")
    restoring.cluster.objects[TARGET.path]["metadata"]["managedFields"] = [
        entry("owner", owning("spec/replicas")),
        entry(record.manager, fields),
    ]


def never_in(restoring: Restoring) -> None:
    restoring.cluster.put(TARGET.path, deployment())
    seen = restoring.cluster.objects[TARGET.path]
    record = record_of(seen)
    restoring.cluster.record(record.moved_to(RecordState.INTENDED))


def leave_a_replica_set(restoring: Restoring) -> None:
    faulted = restoring.cluster.objects[TARGET.path]["spec"]["template"]
    owners = [{"uid": "u1"}]
    meta = {"name": "web-faulted", "uid": "r1", "ownerReferences": owners, "creationTimestamp": "2026-03-01T12:00:01Z"}
    restoring.cluster.put(
        f"{REPLICA_SETS}/web-faulted",
        {
            "metadata": meta,
            "spec": {"replicas": 0, "template": faulted},
            "status": {"replicas": 0},
        },
    )
