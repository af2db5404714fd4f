"""queueLoad: what is pushed where, what is refused, and when it bit."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.faults.builders import UID, accepted, fact, injected, only, second, seen

from kubedrill.api.faults import ServiceRef
from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.undo.operations import Enqueue, Refusal, Target
from kubedrill.plugins.faults.queue_load import QueueKind, QueueLoad, describe, effect, plan

REDIS = Target("", "v1", "Service", "services", "shop", "redis")
SERVICE = {REDIS: {"spec": {"ports": [{"port": 6379}, {"port": 9121}]}}}


def load(**said) -> QueueLoad:
    return QueueLoad(**{"key": "jobs", "rate_per_second": 10, "count": 600, **said})


def refused(params, objects=SERVICE) -> Refusal:
    decided = plan(params, seen(objects))
    assert isinstance(decided, Refusal), decided
    return decided


def pushes(*amounts: tuple[float, int]):
    return [fact(FactKind.JOBS_PUSHED, second(at), fault="flood", pushed=n, count=600) for at, n in amounts]


def test_the_jobs_are_pushed_with_ids_of_the_drill_and_the_fault():
    params = load(in_flight=["inflight:*"], job={"ticket": "INC-1"}, redelivery="20s")
    assert accepted(plan(params, seen(SERVICE, fault="flood"))).operations == (
        Enqueue(
            host="redis.shop.svc", port=6379, kind="List", key="jobs", in_flight=("inflight:*",),
            prefix=f"drill-{UID}-flood-", count=600, rate=10, job={"ticket": "INC-1"},
            redelivery=timedelta(seconds=20), namespace="shop",
        ),
    )  # fmt: skip


def test_a_service_of_another_namespace_is_found_there():
    params = load(redis=ServiceRef(name="queue", port=6380, namespace="data"))
    there = {Target("", "v1", "Service", "services", "data", "queue"): {"spec": {"ports": [{"port": 6380}]}}}
    operation = only(plan(params, seen(there)), Enqueue)
    assert (operation.host, operation.port) == ("queue.data.svc", 6380)


def test_no_such_service_is_refused():
    assert "no Service redis in namespace shop" in refused(load(), {}).message


def test_no_such_port_is_refused():
    refusal = refused(load(redis=ServiceRef(name="redis", port=6380)))
    assert refusal.reason == "QueueNotFound"
    assert "it has 6379, 9121" in refusal.message


@pytest.mark.parametrize(
    ("said", "reason"), [({"job": {"id": "7"}}, "JobHasId"), ({"in_flight": ["jobs"]}, "QueueIsInFlight")]
)
def test_what_could_not_be_undone_exactly_is_refused(said, reason):
    assert refused(load(**said)).reason == reason


def test_it_bites_with_the_first_second_of_jobs():
    facts = [injected("flood"), *pushes((1, 6), (2, 11), (3, 16))]
    bite = effect("flood", load(), facts)
    assert (bite.complete, bite.seen, bite.wanted, bite.at) == (True, 16, 10, second(2))
    assert bite.evidence == "16 of 600 fake jobs pushed to jobs"


def test_fewer_jobs_than_a_second_of_them_are_all_awaited():
    assert effect("flood", load(count=3), [injected("flood"), *pushes((1, 3))]).complete


def test_jobs_of_another_fault_do_not_count():
    assert effect("other", load(), [injected("other"), *pushes((1, 600))]).seen == 0


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({}, "queueLoad: 600 fake jobs to the list jobs of Service redis, 10 a second for 1m"),
        (
            {"kind": QueueKind.STREAM, "count": 25},
            "queueLoad: 25 fake jobs to the stream jobs of Service redis, 10 a second for 3s",
        ),
    ],
)
def test_it_is_described_in_a_line(said, line):
    params = load(**said)
    assert describe(params, accepted(plan(params, seen(SERVICE))))[0] == line


def test_a_list_without_in_flight_keys_comes_with_a_warning():
    assert any("inFlight is empty" in note for note in accepted(plan(load(), seen(SERVICE))).notes)
    assert not any("inFlight" in note for note in accepted(plan(load(in_flight=["busy:*"]), seen(SERVICE))).notes)
