"""What must hold at every step, and at the end."""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Iterator
from dataclasses import replace

from tests.model.doubts import DAMAGED
from tests.model.people import AFTER, BEFORE, CONTROL, HELD, HOLD, OWN_PACE, drill_at, target
from tests.model.server import Json, Store
from tests.model.world import Step, Wire, World

from kubedrill.api.drill import FINALIZER
from kubedrill.core.machine.phases import TERMINAL
from kubedrill.core.machine.state import State, state_from_wire
from kubedrill.core.plan.codec import digest_of
from kubedrill.core.undo.patches import FieldEnd
from kubedrill.core.undo.record import RecordState, UndoRecord, from_json


class Broken(AssertionError):
    """A law does not hold."""


def records(store: Store) -> Iterator[UndoRecord]:
    """The undo records that stand and can be read."""
    for secret in store.below(f"/api/v1/namespaces/{CONTROL}/secrets"):
        if secret["data"]["record"] != DAMAGED:
            yield _record(secret["data"]["record"])


def unreadable(store: Store) -> list[str]:
    """The names of those that can't."""
    found = store.below(f"/api/v1/namespaces/{CONTROL}/secrets")
    return [secret["metadata"]["name"] for secret in found if secret["data"]["record"] == DAMAGED]


@functools.lru_cache(maxsize=10_000)
def _record(stored: str) -> UndoRecord:
    return from_json(base64.b64decode(stored))


def judged(step: Step) -> World:
    """The world after a step that keeps the laws: a field is as people made it or as one fault makes it, once; the
    undo of whatever is touched stands stored; a foreign value is never overwritten; nothing is given up for an edit
    that nobody made, and nothing is said to be restored that is not.
    """
    wire, world = step.wire, step.to
    if wire is None or wire.after is wire.before:
        return world
    if "/secrets" in wire.request.path:
        _judged_record(wire, world)
    if wire.request.path.endswith("/status"):
        _judged_status(wire, world)
    if "/deployments/" not in wire.request.path:
        return world
    name = wire.request.path.rpartition("/")[2]
    was, now = wire.before.read(wire.request.path), wire.after.read(wire.request.path)
    if was is None or now is None:
        raise Broken(f"{name} is made or removed by {wire.by.name}")
    standing = [r for r in records(wire.before) if r.target == target(name) and r.manager == wire.request.manager]
    if name in world.doubtful:
        return world  # somebody has taken the record from under whoever had stored it
    if was["metadata"].get("labels") != now["metadata"].get("labels") and not standing:
        raise Broken(f"{name} is marked without a record")
    if was["spec"] == now["spec"]:
        return world
    if not standing:
        raise Broken(f"{name} is touched without a record")
    return _judged_change(wire, world, name, standing[0])


def _is_in(world: World, drill: str, name: str, uid: str = "") -> bool:
    """Whether a drill's fault is in a target, as people have not made it."""
    thing = world.store.read(target(name).path)
    if thing is None or (uid and thing["metadata"]["uid"] != uid):
        return False
    value = thing["spec"]["minReadySeconds"]
    return bool(value == AFTER[drill] != dict(world.foreign)[name])


def _judged_record(wire: Wire, world: World) -> None:
    """A record comes when its Drill says that the fault is started, and goes when the fault has gone; it blames people
    only for what they did; one that can't be read stays.
    """
    if set(unreadable(wire.before)) - set(unreadable(wire.after)):
        raise Broken("a record that can't be read is written or removed")
    was, now = ({r.name: r for r in records(store)} for store in (wire.before, wire.after))
    for name in now.keys() - was.keys():
        _judged_intent(wire, now[name])
    for name in was.keys() - now.keys():
        record = was[name]
        if record.target and _is_in(world, record.drill.name, record.target.name, record.target_uid):
            raise Broken(f"the record of {record.subject} is removed while its fault is in")
    for record in now.values():
        ends = record.outcome.fields if record.outcome and record.target else ()
        blamed = [f for f in ends if f.outcome in (FieldEnd.KEPT_PLAYER_EDIT, FieldEnd.SUPERSEDED)]
        if blamed and record.target and dict(world.foreign)[record.target.name] == BEFORE:
            raise Broken(f"{record.subject} is given up as {blamed[0].outcome}, and nobody has changed it")


def _judged_intent(wire: Wire, record: UndoRecord) -> None:
    """Persist before act: what is about to be touched stands in the status first, with the plan that it is of."""
    for drill in wire.before.below(drill_at("x").rpartition("/")[0]):
        if drill["metadata"]["uid"] == record.drill.uid:
            state = _state(drill)
            started = {f.name for f in state.faults if f.attempt}
            if not state.plan or not started.issuperset(record.faults):
                raise Broken(
                    f"{record.subject} is to be touched, and the status of {record.drill.name} does not say so"
                )


def _judged_plan(wire: Wire, name: str, was: State, now: State) -> None:
    """A plan is stored before its drill commits to it, and the drill stays with it."""
    if was.plan == now.plan:
        return
    if was.plan:
        raise Broken(f"{name} takes up another plan while it is on")
    plans = wire.before.below(f"/api/v1/namespaces/{CONTROL}/configmaps")
    if now.plan not in {digest_of(plan["data"]["plan"]) for plan in plans}:
        raise Broken(f"{name} commits to a plan that is not stored")


def _state(drill: Json) -> State:
    return _state_of(json.dumps((drill.get("status") or {}).get("machine")))


@functools.lru_cache(maxsize=10_000)
def _state_of(machine: str) -> State:
    return state_from_wire(json.loads(machine))


def _judged_status(wire: Wire, world: World) -> None:
    """What is said to be restored is, and what a drill is judged by is one plan, which is stored."""
    path = wire.request.path.removesuffix("/status")
    before, drill = wire.before.read(path), wire.after.read(path)
    if before is None or drill is None:
        return
    name, state = drill["metadata"]["name"], _state(drill)
    _judged_plan(wire, name, _state(before), state)
    if state.restored is None:
        return
    for one in drill["spec"]["targets"]:
        if _is_in(world, name, one) and (drill["metadata"]["uid"], _uid(world, one)) in world.injected:
            raise Broken(f"{name} is said to be restored while its fault is in {one}")


def _uid(world: World, name: str) -> str:
    thing = world.store.read(target(name).path)
    return thing["metadata"]["uid"] if thing else ""


def nothing_lost(world: World) -> None:
    """While somebody refuses what would put it back, the undo of every fault that is in stands."""
    for drill, uid in world.injected:
        for name, _ in world.foreign:
            standing = [r for r in records(world.store) if r.target == target(name) and r.drill.uid == drill]
            if uid == _uid(world, name) and not standing and world.value(name) in AFTER.values():
                raise Broken(f"{name} is left faulted by {drill}, without a record, by who was refused")


def in_doubt(world: World) -> None:
    """At rest, with a record removed or damaged: a fault that is in keeps its Drill, which does not end."""
    for drill in world.store.below(drill_at("x").rpartition("/")[0]):
        name = drill["metadata"]["name"]
        is_in = [one for one in drill["spec"]["targets"] if one in world.doubtful and _is_in(world, name, one)]
        over = _state(drill).phase in TERMINAL
        if is_in and (over or FINALIZER not in drill["metadata"].get("finalizers", ())):
            raise Broken(f"{name} ends, or may go, while its fault is in {is_in[0]} and nobody can read its undo")


def _judged_change(wire: Wire, world: World, name: str, record: UndoRecord) -> World:
    was, now = (s.read(wire.request.path) for s in (wire.before, wire.after))
    assert was is not None
    assert now is not None
    change = tuple(thing["spec"]["minReadySeconds"] for thing in (was, now))
    people, fault = dict(world.foreign)[name], AFTER[record.drill.name]
    odd = Broken(
        f"{name} goes from {change[0]} to {change[1]} while its record is {record.state}; people made it {people}"
    )
    if change[1] not in {change[0], people, fault}:
        raise odd
    _judged_pace(wire, name, record)
    if change[0] == change[1]:
        return world
    # a late patch may still land while the revert that will see it has not put up its fence
    if change == (people, fault) and record.state in {RecordState.INTENDED, RecordState.REVERTING}:
        count = (record.drill.uid, was["metadata"]["uid"])
        if count in world.injected:
            raise Broken(f"{name} is injected twice by {record.drill.name}")
        others = {other: world.value(other) for other, by_people in world.foreign if world.value(other) != by_people}
        if any(value not in {None, fault} for value in others.values()):
            raise Broken(f"two drills are on in one namespace: {name} and {others} are")
        return replace(world, injected=tuple(sorted((*world.injected, count))))
    if change == (fault, people) and record.state is RecordState.REVERTING:
        return world
    raise odd


def _judged_pace(wire: Wire, name: str, record: UndoRecord) -> None:
    """What holds a rollout comes with the fault, and goes with it or once the fault was taken out by somebody."""
    was, now = (store.read(wire.request.path) for store in (wire.before, wire.after))
    assert was is not None
    assert now is not None
    pace = tuple(thing["spec"]["progressDeadlineSeconds"] for thing in (was, now))
    if pace[0] == pace[1] or (pace == (OWN_PACE, HELD) and now["spec"]["minReadySeconds"] == AFTER[record.drill.name]):
        return
    out = was["spec"]["minReadySeconds"] != AFTER[record.drill.name]
    if pace == (HELD, OWN_PACE) and (record.state is RecordState.REVERTING or (out and HOLD in record.restoring)):
        return
    raise Broken(f"the rollout of {name} goes from {pace[0]} to {pace[1]} while its record is {record.state}")


def _as_people_made_it(name: str, spec: dict[str, int], value: int) -> None:
    if spec["minReadySeconds"] != value:
        raise Broken(f"{name} is left at {spec['minReadySeconds']}; people made it {value}")
    if spec["progressDeadlineSeconds"] != OWN_PACE:
        raise Broken(f"the rollout of {name} is left held")


def at_rest(world: World, *, told: bool, lost: bool = False) -> None:
    """After a stop everything is as people made it, and nothing of ours is left; `told`: the Drills know, too.

    `lost`: somebody has removed a record. Then nobody knows any more whose the fields were.
    """
    for name, value in world.foreign:
        thing = world.store.read(target(name).path)
        if thing is None:
            continue
        _as_people_made_it(name, thing["spec"], value)
        if thing["metadata"].get("labels"):
            raise Broken(f"{name} keeps a label of ours")
        if not lost and any(e["manager"].startswith("manager-") for e in thing["metadata"]["managedFields"]):
            raise Broken(f"{name} keeps an entry of ours among its owners")
    open_records = [r for r in records(world.store) if told or r.state is not RecordState.REVERTED]
    if open_records:
        raise Broken(f"the record of {open_records[0].subject} is left {open_records[0].state}")
    for drill in world.store.below(drill_at("x").rpartition("/")[0]) if told else ():
        phase = _state(drill).phase
        if phase not in TERMINAL:
            raise Broken(f"drill {drill['metadata']['name']} stays {phase}")
        if FINALIZER in drill["metadata"].get("finalizers", ()):
            raise Broken(f"drill {drill['metadata']['name']} keeps its finalizer")
