"""One record a subject: what is locked is what is touched."""

from __future__ import annotations

from datetime import timedelta

from kubedrill.core.undo.operations import Announce, Ask, Enqueue, FieldChange, SetFields, Target
from kubedrill.core.undo.record import DrillIdentity
from kubedrill.protocol.intents import by_subject

DRILL = DrillIdentity("d1", "storm", "drills")
OTHER = DrillIdentity("d2", "calm", "drills")


def memory(name: str, *, group: str = "apps") -> SetFields:
    target = Target(group, "v1", "Deployment", "deployments", "shop", name)
    return SetFields(target, (FieldChange("/spec/a", 1),))


def jobs(key: str) -> Enqueue:
    return Enqueue("redis.shop.svc", 6379, "List", key, (), "drill-", 10, 1, {}, timedelta(seconds=15))


def test_two_faults_on_one_workload_share_a_record():
    (intent,) = by_subject(DRILL, {"a": [memory("web")], "b": [memory("web")]})

    assert intent.faults == ("a", "b")
    assert len(intent.changes) == 2


def test_faults_on_two_workloads_have_a_record_each():
    intents = by_subject(DRILL, {"a": [memory("web"), memory("api")]})

    assert [intent.subject for intent in intents] == ["Deployment/web", "Deployment/api"]
    assert len({intent.record_name("n1") for intent in intents}) == 2


def test_two_drills_on_one_queue_or_alert_meet_at_the_same_lock():
    for operation in (jobs("jobs"), Announce("alertmanager", 9093, {"alertname": "Fire"}, {})):
        (mine,), (theirs,) = by_subject(DRILL, {"a": [operation]}), by_subject(OTHER, {"b": [operation]})

        assert mine.record_name("") == theirs.record_name("")


def test_two_namespaces_of_one_name_are_two_locks():
    for operation in (jobs("jobs"), Announce("alertmanager.shop.svc", 9093, {"alertname": "Fire"}, {})):
        (intent,) = by_subject(DRILL, {"a": [operation]})

        assert intent.namespace == "shop"
        assert intent.record_name("n1") != intent.record_name("n2")


def test_two_queues_are_two_locks():
    one, two = by_subject(DRILL, {"a": [jobs("jobs"), jobs("mails")]})

    assert one.record_name("") != two.record_name("")


def test_what_a_facilitator_is_asked_for_locks_nobody_out():
    ask = Ask("pull the plug", "restore it")
    (mine,), (theirs,) = by_subject(DRILL, {"a": [ask]}), by_subject(OTHER, {"a": [ask]})

    assert mine.record_name("") != theirs.record_name("")
