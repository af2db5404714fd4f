"""What may come next in a world: the undisturbed step, and every departure from it that its budget allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.model.refusals import FREEZES, KINDS, READS
from tests.model.world import Process, Step, World, answered, edited, operators, thawed


def steps(world: World) -> Iterator[Step]:
    """Every step that may come next, the undisturbed one first."""
    now = world.next_running(world.running)
    if now is not None:
        yield answered(world, now, 0)
        yield from _switches(world, now)
        yield from _losses(world, now)
        yield from _refusals(world, now)
    yield from _freezes(world)
    yield from _crashes(world)
    yield from _starts(world)
    yield from _edits(world)


def _switches(world: World, now: int) -> Iterator[Step]:
    budget = world.budget.without("switches")
    if budget is None:
        return
    poorer = replace(world, budget=budget)
    for who, process in enumerate(world.processes):
        if not process.resting:
            for which in range(len(process.history.requests)):
                if (who, which) != (now, 0):
                    yield answered(poorer, who, which)


def _losses(world: World, now: int) -> Iterator[Step]:
    budget = world.budget.without("losses")
    if budget is None:
        return
    poorer = replace(world, budget=budget)
    yield answered(poorer, now, 0, "request")
    if world.processes[now].history.requests[0].method not in READS:
        yield answered(poorer, now, 0, "reply")


def _refusals(world: World, now: int) -> Iterator[Step]:
    """Somebody refuses this one write."""
    budget = world.budget.without("refusals")
    if budget is not None and world.processes[now].history.requests[0].method not in READS:
        for kind in KINDS:
            yield answered(replace(world, budget=budget), now, 0, kind)


def _freezes(world: World) -> Iterator[Step]:
    """From now on somebody refuses every write of a kind; or lets them through again."""
    if world.frozen:
        yield Step(f"{world.frozen} may be written again", thawed(world))
        return
    budget = world.budget.without("freezes")
    if budget is None:
        return
    for frozen in FREEZES:
        yield Step(f"{frozen} may not be written", replace(world, budget=budget, frozen=frozen))


def _crashes(world: World) -> Iterator[Step]:
    budget = world.budget.without("crashes")
    if budget is None:
        return
    for incarnation in dict.fromkeys(p.incarnation for p in world.processes):
        mine = [p for p in world.processes if p.incarnation == incarnation]
        if any(p.at or p.memory for p in mine):
            kept = tuple(p for p in world.processes if p.incarnation != incarnation)
            again = operators(world, f"{incarnation}'") if mine[0].drill != "look" else ()
            yield Step(
                f"{incarnation} crashes",
                replace(
                    world, processes=(*kept, *again), running=len(kept) % max(1, len(kept) + len(again)), budget=budget
                ),
            )


def _starts(world: World) -> Iterator[Step]:
    for what, incarnation in (("operators", f"operator {world.budget.operators + 1}"), ("watchdogs", "watchdog")):
        budget = world.budget.without(what)
        if budget is not None and not any(p.incarnation == incarnation for p in world.processes):
            look_once = Process(incarnation, "look", memory=None)
            more = operators(world, incarnation) if what == "operators" else (look_once,)
            yield Step(
                f"{incarnation} starts",
                replace(world, processes=(*world.processes, *more), running=len(world.processes), budget=budget),
            )


def _edits(world: World) -> Iterator[Step]:
    budget = world.budget.without("edits")
    if budget is None:
        return
    for edit in world.edits:
        done = edited(world, edit)
        if done is not None:
            yield Step(edit, replace(done, budget=budget, edits=tuple(e for e in world.edits if e != edit)))
