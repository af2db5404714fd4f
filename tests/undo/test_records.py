"""A record says everything by itself, and its stored form loses nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.undo.builders import NOON, deployment, injected, squeeze

from kubedrill.core.evidence.facts import Interval
from kubedrill.core.measure.results import FieldOutcome
from kubedrill.core.undo.operations import Announce, Ask, Enqueue
from kubedrill.core.undo.record import Outcome, OutsideGroup, RecordState, from_json, manager_name, record_name, to_json


def test_reading_what_was_stored_gives_the_same_record():
    record, _ = injected(deployment(limit=None), squeeze(minReadySeconds=15))
    outside = (
        Enqueue(
            "redis.shop.svc",
            6379,
            "List",
            "jobs",
            ("busy:*",),
            "drill-d1-",
            100,
            5,
            {"kind": "thumb"},
            timedelta(seconds=15),
        ),
        Announce("alertmanager", 9093, {"alertname": "Fire"}, {}),
        Ask("pull the plug", "restore it"),
    )
    ended = replace(
        record,
        groups=(*record.groups, *(OutsideGroup(f"fault-{i}", op) for i, op in enumerate(outside))),
        state=RecordState.REVERTED,
        injected=Interval(NOON, NOON + timedelta(seconds=1)),
        restored_at=NOON,
        restoring=("/spec/a",),
        outcome=Outcome("Watchdog", NOON, (FieldOutcome("web", "/spec/a", "1", "2", "1", "Restored"),), ("note",)),
    )

    assert from_json(to_json(ended)) == ended


def test_a_lock_is_named_after_its_target_alone():
    name = record_name("apps", "Deployment", "n1", "web")

    assert name == record_name("apps", "Deployment", "n1", "web")
    others = {
        record_name("apps", "StatefulSet", "n1", "web"),
        record_name("apps", "Deployment", "n2", "web"),
        record_name("apps", "Deployment", "n1", "api"),
        record_name("batch", "Deployment", "n1", "web"),
    }
    assert len(others | {name}) == 5
    assert len(name) <= 63


def test_a_manager_is_of_one_record_and_tells_a_player_nothing():
    name = manager_name("d1", "undo-1")

    assert name != manager_name("d2", "undo-1")
    assert not [word for word in ("drill", "undo", "fault", "d1") if word in name]
