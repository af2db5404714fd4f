"""The registry of operations: each is held to all that the others need of it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from tests.protocol.objects_server import KILL, MAKE, ObjectsServer, SetClock
from tests.reverters.builders import record

from kubedrill.core.undo.operations import (
    Announce,
    Ask,
    BesidesFields,
    Consumable,
    Enqueue,
    FieldChange,
    Operation,
    SetFields,
    namespace_of,
    objects_of,
    subject_of,
)
from kubedrill.core.undo.record import Done, from_json, to_json
from kubedrill.plugins import operations
from kubedrill.plugins.operations.base import OperationKind
from kubedrill.plugins.operations.catalogue import KINDS, all_reverters, kind_of

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
EXAMPLES: Mapping[type[Any], Operation] = {
    SetFields: SetFields(KILL.workload, (FieldChange("/spec/replicas", 1),)),
    type(MAKE): MAKE,
    type(KILL): KILL,
    Enqueue: Enqueue(
        "redis.shop.svc", 6379, "List", "jobs", (), "drill-1-", 9, 1, {}, timedelta(seconds=1), namespace="shop"
    ),
    Announce: Announce("alertmanager.shop.svc", 9093, {"alertname": "Fire"}, {}, "shop"),
    Ask: Ask("pull the plug", "plug it in"),
}
BESIDES = [kind for kind in KINDS if kind is not SetFields]


def test_every_operation_has_its_file_and_every_file_is_registered():
    found = [
        importlib.import_module(f"{operations.__name__}.{m.name}") for m in pkgutil.iter_modules(operations.__path__)
    ]
    declared = [module.OPERATION for module in found if hasattr(module, "OPERATION")]
    assert all(isinstance(one, OperationKind) for one in declared)
    assert {one.operation: one for one in declared} == dict(KINDS)
    assert {*KINDS} == {*get_args(Operation)} == {*EXAMPLES}


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_what_it_may_use_up_what_it_does_and_what_it_undoes(kind: type[Any]):
    example = EXAMPLES[kind]
    assert all(isinstance(one, Consumable) for one in kind.uses_up)
    assert list(kind_of(example).planned(example, {}))
    assert kind_of(example).recorded(example)


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_writes_itself_it_needs_rights_for_to_do_and_to_undo(kind: type[Any]):
    example = EXAMPLES[kind]
    needs = kind_of(example).needs(example)
    assert bool(needs) == bool(objects_of(example))
    assert not {verb for need in needs for verb in need.revert} & {"create", "update"}


@pytest.mark.parametrize("kind", BESIDES)
def test_its_record_round_trips_and_its_lock_is_its_subjects(kind: type[Any]):
    undo, group = record(EXAMPLES[kind])  # type: ignore[arg-type]
    (stored,) = from_json(to_json(undo)).groups
    assert stored == group
    one, other = (subject_of(group.operation, "flood", uid) for uid in ("d1", "d1"))
    assert one == other
    assert one.shown


def test_no_two_operations_have_one_lock():
    locks = [subject_of(EXAMPLES[kind], "flood", "d1") for kind in BESIDES]  # type: ignore[arg-type]
    assert len({(lock.group, lock.kind, lock.name) for lock in locks}) == len(locks)


@pytest.mark.parametrize("kind", [kind for kind in BESIDES if kind is not Ask])
def test_it_tells_the_namespace_that_its_subject_is_in(kind: type[Any]):
    assert namespace_of(EXAMPLES[kind]) == "shop"


def test_who_carries_an_operation_out_is_known_for_all_that_change_no_fields_and_ask_no_people():
    clock = SetClock(NOON)
    reverters = all_reverters(ObjectsServer(clock), clock.now)
    assert {*reverters} == {*get_args(BesidesFields)} - {Ask}


@pytest.mark.parametrize("kind", [type(MAKE), type(KILL)])
async def test_what_is_in_is_not_done_again(kind: type[Any]):
    clock = SetClock(NOON)
    server = ObjectsServer(clock)
    undo, group = record(EXAMPLES[kind], in_it=True)  # type: ignore[arg-type]
    assert isinstance(await all_reverters(server, clock.now)[kind].inject(undo, group), Done)
    assert server.asked == []
