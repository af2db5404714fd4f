"""Everything that there is at one moment, and each step that may come next."""

from __future__ import annotations

import functools
import json
from collections.abc import Hashable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import cast

from tests.model.doubts import damaged, record_path, removed, written
from tests.model.forgery import forged
from tests.model.people import BEFORE, HUMAN, drill_at, look, sweep, target, workload
from tests.model.processes import LOST, History
from tests.model.refusals import KINDS, is_frozen, refused
from tests.model.server import Request, Store
from tests.model.turns import NOTHING, Memory, turn

ALONE = {"look": look, "watch": look, "sweep": sweep}
"""What is done for no drill of its own."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What may still go wrong on the way: how often each."""

    switches: int = 0
    crashes: int = 0
    losses: int = 0
    edits: int = 0
    refusals: int = 0
    freezes: int = 0
    operators: int = 0
    watchdogs: int = 0

    def items(self) -> Iterator[tuple[str, int]]:
        """What may go wrong, and how often."""
        return iter(asdict(self).items())

    def without(self, what: str) -> Budget | None:
        """What is left after one of them; None when there was none."""
        left = getattr(self, what)
        return replace(self, **{what: left - 1}) if left else None


@dataclass(frozen=True, slots=True)
class Process:
    """A task of the operator's (a drill's turns, or the sweep), or the watchdog's look.

    `at` is where it is in its turn (None: between two). `quiet`: the store has not changed since the turn began;
    `resting`: nor since it ended, and it changed nothing, so the next one would be the same.
    """

    incarnation: str
    drill: str = ""
    uid: str = ""
    at: History | None = None
    memory: Hashable = NOTHING
    quiet: bool = True
    resting: bool = False

    @property
    def name(self) -> str:
        return f"{self.incarnation} {self.drill}"

    def awake(self) -> Process:
        """The process after the store has changed."""
        if not (self.quiet or self.resting):
            return self
        return Process(self.incarnation, self.drill, self.uid, self.at, self.memory, quiet=False, resting=False)

    @property
    def history(self) -> History:
        """Where it is, its beginning included."""
        return self.at or beginning(self.drill, self.uid, self.memory)


@functools.cache
def beginning(drill: str, uid: str, memory: Hashable) -> History:
    """The start of a turn, a sweep, or a look."""
    if drill in ALONE:
        return History.of(ALONE[drill])
    known = cast("Memory", memory)  # what a turn remembers
    return History.of(functools.partial(turn, name=drill, uid=uid, memory=known))


@dataclass(frozen=True, slots=True)
class Wire:
    """A request that was answered: what it did to the store."""

    by: Process
    request: Request
    before: Store
    after: Store


@dataclass(frozen=True, slots=True)
class World:
    """A moment. `running` is the process that goes on unless it is interrupted; `foreign` is what people made of each
    target's field last; `injected` counts the injections of each drill on each object; `frozen` is what somebody lets
    nobody write for the time being; `doubtful` are the targets whose record somebody has removed or damaged, `damaged`
    what those said that are there still.
    """

    store: Store
    processes: tuple[Process, ...]
    budget: Budget
    edits: tuple[str, ...] = ()
    running: int = 0
    foreign: tuple[tuple[str, int], ...] = ()
    injected: tuple[tuple[str, str], ...] = ()
    frozen: str = ""
    doubtful: tuple[str, ...] = ()
    damaged: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> Hashable:
        return (
            self.store.key,
            self.processes,
            self.budget,
            self.edits,
            self.running,
            self.foreign,
            self.injected,
            self.frozen,
            self.doubtful,
            self.damaged,
        )

    def changed(self, store: Store) -> World:
        """The world with another store: nobody rests on what was."""
        return replace(self, store=store, processes=tuple(p.awake() for p in self.processes))

    def value(self, name: str) -> int | None:
        """A target's field, None when the target is gone."""
        thing = self.store.read(target(name).path)
        return thing["spec"]["minReadySeconds"] if thing else None

    def pace(self, name: str) -> int | None:
        """The pace of a target's rollout, None when the target is gone."""
        thing = self.store.read(target(name).path)
        return thing["spec"]["progressDeadlineSeconds"] if thing else None

    def next_running(self, after: int) -> int | None:
        """Whose turn it is: the first from there on, round about, that does not rest."""
        count = len(self.processes)
        return next((i % count for i in range(after, after + count) if not self.processes[i % count].resting), None)


def operators(world: World, incarnation: str) -> tuple[Process, ...]:
    """An operator that has just started: a task a drill."""
    drills = sorted(p for p in world.store.texts if "/drills/drills/" in p)
    found = (world.store.read(path) for path in drills)
    return tuple(Process(incarnation, d["metadata"]["name"], d["metadata"]["uid"]) for d in found if d)


@dataclass(frozen=True, slots=True)
class Step:
    """A step by its name, where it leads, and what it did over the wire."""

    name: str
    to: World
    wire: Wire | None = None


def answered(world: World, who: int, which: int, lost: str = "") -> Step:
    """A process's request is done and answered; `lost` is which of the two is not, or who refuses the request."""
    process = world.processes[who]
    history = process.history
    request = history.requests[which]
    by = lost if lost in KINDS else is_frozen(world.frozen, request)
    if by:
        store, reply = world.store, refused(by, request)
    else:
        store, reply = (world.store, LOST) if lost == "request" else world.store.served(request)
        reply = LOST if lost else reply
    after = history.after(which, reply)
    moved = _moved(process, after, store is world.store)
    others = world.processes
    if store is not world.store:
        others = tuple(p.awake() for p in others)
    gone = not after.requests and process.drill == "look"
    processes = (*others[:who], *(() if gone else (moved,)), *others[who + 1 :])
    running = who if after.requests or gone else who + 1
    to = replace(world, store=store, processes=processes, running=running % max(1, len(processes)))
    what = f" (refused by {by})" if by else f" ({lost} lost)" if lost else ""
    said = f"{process.name}: {request.method} {request.path.rpartition('/')[2]}{what}"
    return Step(said, to, Wire(process, request, world.store, store))


def _moved(process: Process, after: History, unchanged: bool) -> Process:
    """A process after an answer. At the end of its turn it rests, if nothing came of it."""
    quiet = (process.quiet or process.at is None) and unchanged
    name = (process.incarnation, process.drill, process.uid)
    if after.requests:
        return Process(*name, after, process.memory, quiet=quiet)
    return Process(*name, None, after.result, quiet=True, resting=quiet and after.result == process.memory)


def thawed(world: World) -> World:
    """The world without a freeze: whoever was refused tries again."""
    return replace(world, frozen="", processes=tuple(p.awake() for p in world.processes)) if world.frozen else world


def edited(world: World, edit: str) -> World | None:
    """What a person does; None when that is not possible now."""
    who, _, what = edit.partition(" ")
    store = world.store
    if what in {"is stopped", "is deleted"}:
        request = (
            Request("DELETE", drill_at(who))
            if what == "is deleted"
            else _merge(drill_at(who), {"spec": {"desired": "Stop"}})
        )
        after, _ = store.served(request)
        return None if after is store else world.changed(after)
    if what == "is given another plan":
        after = forged(store, who)
        return None if after is store else world.changed(after)
    if what.startswith(("loses", "has its")):
        return _doubted(world, who, what)
    path = target(who).path
    value = world.value(who)
    match what:
        case "is edited" if value is not None:
            value = HUMAN
            after, _ = store.served(_merge(path, {"spec": {"minReadySeconds": value}}))
        case "is repaired" if value not in {None, BEFORE}:
            value = BEFORE
            after, _ = store.served(_merge(path, {"spec": {"minReadySeconds": value}}))
        case "is replaced" if value not in {None, BEFORE}:
            value = BEFORE
            after, _ = store.served(_merge(path, {"spec": workload(value)["spec"]}))
        case "is made anew" | "is carried over" if value is not None:
            value = value if what == "is carried over" else BEFORE
            after = store.served(Request("DELETE", path))[0].created(path, workload(value))
        case "is removed" if value is not None:
            after, _ = store.served(Request("DELETE", path))
        case _:
            return None
    if after is store:
        return None
    return replace(
        world.changed(after), foreign=tuple((name, value if name == who else old) for name, old in world.foreign)
    )


def _doubted(world: World, name: str, what: str) -> World | None:
    path = record_path(world.store, name)
    if not path:
        return None
    if what == "loses its record":
        return replace(world.changed(removed(world.store, path)), doubtful=(*world.doubtful, name))
    store, said = damaged(world.store, path)
    return replace(world.changed(store), doubtful=(*world.doubtful, name), damaged=(*world.damaged, (path, said)))


def mended(world: World) -> World:
    """Damaged records say again what they said; where one was removed, its owner puts the target back by hand."""
    for path, said in world.damaged:
        world = world.changed(written(world.store, path, said))
    for name in world.doubtful if not world.damaged else ():
        world = _as_it_was(world, name)
    return replace(world, doubtful=(), damaged=())


def _as_it_was(world: World, name: str) -> World:
    """A target that its owner puts back as a whole, with whatever a fault has left in it."""
    thing = world.store.read(target(name).path)
    if thing is None:
        return world
    value = dict(world.foreign)[name] or BEFORE
    request = _merge(target(name).path, {"spec": workload(value)["spec"]})
    return world.changed(world.store.served(request)[0])


def _merge(path: str, body: dict[str, object]) -> Request:
    return Request("PATCH", path, json.dumps(body), "application/merge-patch+json", (("fieldManager", "kubectl-edit"),))
