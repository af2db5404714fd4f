"""A record says everything by itself, and its stored form loses nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.undo.builders import NOON, TARGET, deployment, injected, squeeze

from kubedrill.core.evidence.facts import Interval
from kubedrill.core.measure.results import FieldOutcome
from kubedrill.core.undo.operations import Announce, Ask, Create, Enqueue, Remove, Target, Victim
from kubedrill.core.undo.record import Outcome, OutsideGroup, RecordState, from_json, manager_name, record_name, to_json

QUOTA = Target("", "v1", "ResourceQuota", "resourcequotas", "shop", "limits")


def test_reading_what_was_stored_gives_the_same_record():
    record, _ = injected(deployment(limit=None), squeeze(minReadySeconds=15))
    outside: tuple[Enqueue | Announce | Ask | Create | Remove, ...] = (
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
        Create(QUOTA, {"metadata": {"name": "limits"}, "spec": {"hard": {"pods": "0"}}}, "17"),
        Remove(TARGET, 2, 0, (Victim("web-1", "u1"), Victim("web-2", "u2"))),
    )
    ended = replace(
        record,
        groups=(*record.groups, *(OutsideGroup(f"fault-{i}", op) for i, op in enumerate(outside))),
        state=RecordState.REVERTED,
        injected=Interval(NOON, NOON + timedelta(seconds=1)),
        restored_at=NOON,
        restoring=("/spec/a",),
        made="u9",
        outcome=Outcome("Watchdog", NOON, (FieldOutcome("web", "/spec/a", "1", "2", "1", "Restored"),), ("note",)),
    )

    assert from_json(to_json(ended)) == ended


@pytest.mark.parametrize("operation", [{"unheardOf": 1}, {"target": {}, "manifest": {}}], ids=["unknown", "incomplete"])
def test_an_operation_that_this_version_does_not_know_makes_the_record_unreadable(operation: dict[str, object]):
    record, _ = injected(deployment())
    group = {"fault": "new", "operation": operation}
    stored = json.loads(to_json(replace(record, target=None))) | {"groups": [group]}
    with pytest.raises(ValueError, match="groups"):
        from_json(json.dumps(stored))


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
