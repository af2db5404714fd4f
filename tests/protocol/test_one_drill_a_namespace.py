"""Of two drills on one namespace one runs, whatever the order in which their requests reach the API server."""

from __future__ import annotations

import asyncio
import base64
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.examples import some_of

from kubedrill.core.evidence.facts import Interval
from kubedrill.core.undo.operations import Ask, Target
from kubedrill.core.undo.record import DrillIdentity, Outcome, OutsideGroup, RecordState, UndoRecord, from_json, to_json
from kubedrill.kube.client import Answer, Kube
from kubedrill.protocol.exclusion import in_the_way
from kubedrill.protocol.inject import inject
from kubedrill.protocol.outcomes import Injection, InjectionOutcome
from kubedrill.protocol.revert import revert
from kubedrill.store.undo_records import RECORD_TYPE, list_records

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
FIRST, OTHER = (DrillIdentity(uid, f"drill-{uid}", "drills", "shop") for uid in ("a", "b"))
PATH = "/api/v1/namespaces/drills/secrets"


class Ticking:
    """A clock that goes on by `step` whenever it is asked."""

    error = timedelta(0)

    def __init__(self, step: timedelta, start: datetime = NOON) -> None:
        self._step, self._now = step, start

    def now(self) -> datetime:
        self._now += self._step
        return self._now


@dataclass
class Secrets:
    """The records of a control namespace as the API server keeps them."""

    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    version: int = 0

    def serve(self, method: str, path: str, body: Any) -> Answer:
        name = path.removeprefix(PATH).lstrip("/")
        if method == "POST":
            name = body["metadata"]["name"]
            if name in self.kept:
                return Answer(409, {"reason": "AlreadyExists"})
            return Answer(201, self._stored(name, body["data"]))
        if not name:
            return Answer(200, {"items": list(self.kept.values())})
        if name not in self.kept:
            return Answer(404, {"reason": "NotFound", "details": {"kind": "secrets", "name": name}})
        now = self.kept[name]
        if method == "PATCH":
            if body["metadata"]["resourceVersion"] != now["metadata"]["resourceVersion"]:
                return Answer(409, {"reason": "Conflict"})
            return Answer(200, self._stored(name, body["data"]))
        return Answer(200, now)

    def _stored(self, name: str, data: Any) -> dict[str, Any]:
        self.version += 1
        metadata = {"name": name, "namespace": "drills", "uid": name, "resourceVersion": str(self.version)}
        self.kept[name] = {"metadata": metadata, "type": RECORD_TYPE, "data": data}
        return self.kept[name]


class Line(Kube):
    """A connection whose request waits until it is let through."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._gate: asyncio.Future[None] | None = None

    async def call(self, method: str, path: str, body: Any = None, **_more: Any) -> Answer:
        self._gate = asyncio.get_running_loop().create_future()
        await self._gate
        return self._secrets.serve(method, path, body)

    async def let_through(self, process: asyncio.Task[Any]) -> None:
        """One request of the process, once there is one; nothing when it has ended."""
        while not process.done() and (self._gate is None or self._gate.done()):  # noqa: ASYNC110  no time passes
            await asyncio.sleep(0)
        if not process.done() and self._gate:
            self._gate.set_result(None)
            while not process.done() and self._gate.done():  # noqa: ASYNC110  likewise
                await asyncio.sleep(0)


@dataclass
class Race:
    """Two drills that inject at the same time; `faults` says how many each of them has."""

    clocks: tuple[Ticking, Ticking]
    faults: tuple[int, int] = (1, 1)
    secrets: Secrets = field(default_factory=Secrets)

    def __post_init__(self) -> None:
        self.lines = Line(self.secrets), Line(self.secrets)

    def begun(self, which: int) -> asyncio.Task[InjectionOutcome]:
        drill = (FIRST, OTHER)[which]
        faults = {f"{drill.name}-{n}": (Ask("do", "undo"),) for n in range(self.faults[which])}
        deadline = NOON + timedelta(hours=1)
        return asyncio.ensure_future(inject(self.lines[which], drill, faults, deadline, self.clocks[which]))

    async def run(self, order: Sequence[int]) -> tuple[InjectionOutcome, InjectionOutcome]:
        """Both, each request in the order said, then what is left of either."""
        first, other = self.begun(0), self.begun(1)
        for which in order:
            await self.lines[which].let_through((first, other)[which])
        return await self.ended(0, first), await self.ended(1, other)

    async def ended(self, which: int, process: asyncio.Task[Any]) -> Any:
        while not process.done():
            await self.lines[which].let_through(process)
        return process.result()

    async def taken_back(self, which: int) -> None:
        """What a refused drill does next: all of its records are Reverted."""
        uid = (FIRST, OTHER)[which].uid
        line = self.lines[which]
        listing = await self.ended(which, asyncio.ensure_future(list_records(line, "drills", uid)))
        for stored in listing.readable:
            await self.ended(which, asyncio.ensure_future(revert(line, stored.ref, "Operator", self.clocks[which])))

    def injected(self) -> set[str]:
        """The drills with a record that is in."""
        records = [from_json(base64.b64decode(secret["data"]["record"])) for secret in self.secrets.kept.values()]
        return {r.drill.uid for r in records if r.state is RecordState.INJECTED}


def orders(first: int, other: int) -> Iterator[tuple[int, ...]]:
    """All interleavings of so many requests."""
    for chosen in itertools.combinations(range(first + other), other):
        yield tuple(int(n in chosen) for n in range(first + other))


def one_clock(step: timedelta) -> tuple[Ticking, Ticking]:
    shared = Ticking(step)
    return shared, shared


CLOCKS = {
    "each in its turn": lambda: one_clock(SECOND),
    "all at the same instant": lambda: one_clock(timedelta(0)),
    "one clock is ahead": lambda: (Ticking(SECOND, NOON + timedelta(minutes=1)), Ticking(SECOND)),
}


@pytest.mark.parametrize("clocks", CLOCKS)
@pytest.mark.parametrize(("faults", "requests"), [((1, 1), (4, 4)), ((2, 1), (7, 4))], ids=["1 and 1", "2 and 1"])
async def test_never_both_and_always_one(clocks, faults, requests):
    for order in some_of(list(orders(*requests)), list(CLOCKS).index(clocks)):
        race = Race(CLOCKS[clocks](), faults)
        states = [outcome.state for outcome in await race.run(order)]
        assert len(race.injected()) <= 1, order
        for which, state in enumerate(states):
            if state is Injection.REFUSED:
                await race.taken_back(which)
        for which, state in enumerate(states):
            if state is Injection.PENDING:
                states[which] = (await race.ended(which, race.begun(which))).state
        assert sorted(states) == [Injection.INJECTED, Injection.REFUSED], order
        assert len(race.injected()) == 1, order


def record(drill: DrillIdentity, state: RecordState = RecordState.INTENDED, at: datetime = NOON) -> UndoRecord:
    group = OutsideGroup("fault", Ask("do", "undo"))
    return UndoRecord(drill, f"undo-{drill.uid}", "by hand", (group,), "manager", NOON, at, state=state)


def injected(drill: DrillIdentity, state: RecordState) -> UndoRecord:
    return replace(record(drill), state=state, injected=Interval.at(NOON))


def test_alone_nobody_is_in_the_way():
    assert in_the_way(FIRST, [record(FIRST)]) is None


def test_a_drill_on_another_namespace_is_not_in_the_way():
    elsewhere = replace(OTHER, target_namespace="bank")
    assert in_the_way(FIRST, [record(FIRST), injected(elsewhere, RecordState.INJECTED)]) is None


@pytest.mark.parametrize("state", [RecordState.INJECTED, RecordState.REVERTING])
def test_one_that_is_in_refuses_whoever_was_older(state):
    found = in_the_way(FIRST, [record(FIRST, at=NOON - SECOND), injected(OTHER, state)])
    assert found is not None
    assert found.state is Injection.REFUSED
    assert "drills/drill-b" in found.message


def test_one_that_is_put_back_is_not_in_the_way():
    over = replace(injected(OTHER, RecordState.REVERTED), outcome=Outcome("Operator", NOON, ()))
    assert in_the_way(FIRST, [record(FIRST), over]) is None


def test_the_older_intent_waits_for_the_younger_to_be_taken_back_and_the_younger_is_refused():
    both = [record(FIRST), record(OTHER, at=NOON + SECOND)]
    states = [found.state for drill in (FIRST, OTHER) if (found := in_the_way(drill, both))]
    assert states == [Injection.PENDING, Injection.REFUSED]


def test_an_intent_that_is_just_being_taken_back_is_waited_for():
    going = record(OTHER, RecordState.REVERTING, NOON + SECOND)
    found = in_the_way(FIRST, [record(FIRST), going])
    assert found is not None
    assert found.state is Injection.PENDING


def on(drill: DrillIdentity, uid: str) -> UndoRecord:
    """A record about something in namespace shop itself, of the UID."""
    target = Target("apps", "v1", "Deployment", "deployments", "shop", "web")
    return replace(injected(drill, RecordState.INJECTED), name=f"undo-{uid}", target=target, namespace_uid=uid)


def test_d10_a_record_about_a_namespace_of_that_name_that_is_gone_is_not_in_the_way():
    assert in_the_way(FIRST, [on(FIRST, "n2"), on(OTHER, "n1")]) is None
    assert in_the_way(FIRST, [on(FIRST, "n1"), on(OTHER, "n1")]) is not None


def test_whoever_has_records_of_both_gives_way_to_either():
    assert in_the_way(FIRST, [on(FIRST, "n1"), on(FIRST, "n2"), on(OTHER, "n1")]) is not None


@pytest.mark.parametrize("mine", [record(FIRST), on(FIRST, "n1")], ids=["my UID is not known", "theirs is not"])
def test_where_a_uid_is_not_known_the_name_decides(mine):
    theirs = on(OTHER, "n2") if mine.target is None else injected(OTHER, RecordState.INJECTED)
    assert in_the_way(FIRST, [mine, theirs]) is not None


def test_drills_on_no_namespace_are_in_nobodys_way():
    nowhere = [replace(drill, target_namespace="") for drill in (FIRST, OTHER)]
    assert in_the_way(nowhere[0], [injected(drill, RecordState.INJECTED) for drill in nowhere]) is None


def test_a_record_of_before_the_namespace_was_stored_is_still_read():
    stored = to_json(record(FIRST)).replace(b',"target_namespace":"shop"', b"")
    assert from_json(stored).target_namespace == ""
