"""Explicit-state exploration: every way through a world within its budget, each moment judged once.

Two ways that lead to the same moment (same store, same histories, same budget) go on in the same way, so the moments
are explored and the ways are counted: as in CHESS a way is bounded by how often it departs from the undisturbed one.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace

from tests.model.laws import Broken, at_rest, in_doubt, judged, nothing_lost
from tests.model.people import drill_at
from tests.model.ways import steps
from tests.model.world import Budget, Process, Step, World, answered, edited, mended, operators, thawed

LONGEST = 400


@dataclass
class Explored:
    """What was explored: moments, steps between them, ways through them (schedules), the longest way."""

    moments: int = 0
    steps: int = 0
    schedules: int = 0
    longest: int = 0
    ends: int = 0

    def __str__(self) -> str:
        return (
            f"{self.schedules} schedules of at most {self.longest} steps through {self.moments} moments;"
            f" stopped and run to the end from {self.ends} of them"
        )


def explore(start: World, ends: Ends | None = None) -> Explored:
    """Every way from a world. Raises Broken with the shortest schedule that it found to break a law.

    `ends` knows those that were judged already, by the same code.
    """
    found, ends = Explored(), ends or Ends()
    begun = ends.count
    ways: dict[Hashable, tuple[int, int]] = {}
    stack: list[tuple[World, Iterator[tuple[str, World]], list[Hashable]]] = []
    path: list[str] = []

    def enter(world: World) -> None:
        if len(path) > LONGEST:
            raise Broken(f"it does not come to rest within {LONGEST} steps")
        found.moments += 1
        ways[world.key] = (0, 0)
        ends.judge(world)
        stack.append((world, _next(world), []))

    try:
        enter(start)
        while stack:
            world, more, children = stack[-1]
            try:
                name, after = next(more)
            except StopIteration:
                count = sum(ways[key][0] for key in children) or 1
                longest = 1 + max((ways[key][1] for key in children), default=-1)
                ways[world.key] = (count, longest)
                stack.pop()
                if path:
                    path.pop()
                continue
            found.steps += 1
            children.append(after.key)
            if after.key not in ways:
                path.append(name)
                enter(after)
    except Broken as broken:
        raise Broken(f"{broken}, by the schedule:\n  " + "\n  ".join(path)) from broken
    found.schedules, found.longest = ways[start.key]
    found.ends = ends.count - begun
    return found


def _next(world: World) -> Iterator[tuple[str, World]]:
    for step in steps(world):
        yield step.name, taken(step)


def taken(step: Step) -> World:
    """Where a step leads, by the laws."""
    try:
        return judged(step)
    except Broken as broken:
        raise Broken(f"{broken}\n  at last: {step.name}") from None


class Ends:
    """From any moment a stop leads to everything reverted, whoever of the living goes on, and whoever has died.

    Where somebody refuses the writes, nothing is lost for as long as that lasts, and then it ends as well. Ways to the
    end that meet are gone to their end once.
    """

    def __init__(self) -> None:
        self._judged: set[Hashable] = set()
        self._rests: dict[Hashable, World] = {}
        self.count = 0

    def judge(self, world: World) -> None:
        """Raises Broken if an end is none."""
        if world.doubtful:
            self._judge_in_doubt(world)
            return
        there = (world.store.key, world.foreign, world.injected)
        if there not in self._judged:
            self._judged.add(there)
            self.count += 1
            at_rest(self._alone(world, Process("watchdog", "watch", memory=None)), told=False)
            at_rest(self._by_new_operator(world), told=True)
        if world.frozen and (there, world.frozen) not in self._judged:
            self._judged.add((there, world.frozen))
            self.count += 1
            kept_out = self._by_new_operator(world, healed=False)
            nothing_lost(kept_out)
            at_rest(self._by_new_operator(kept_out), told=True)
        alive = tuple(p for p in world.processes if p.at is not None)
        if alive and (there, alive) not in self._judged:
            self._judged.add((there, alive))
            self.count += 1
            # a new operator ends it all; then those who were frozen go on, and must not matter
            late = self._by_new_operator(world)
            at_rest(self._alone(late, *(p.awake() for p in alive), *late.processes), told=True)

    def _judge_in_doubt(self, world: World) -> None:
        """Somebody has removed or damaged a record. Who was frozen then is not let go on: nobody can fence him off."""
        there = (world.store.key, world.foreign, world.injected, world.doubtful, world.damaged)
        if there in self._judged:
            return
        self._judged.add(there)
        self.count += 1
        rests = self._by_new_operator(world)
        in_doubt(rests)
        at_rest(self._by_new_operator(mended(rests)), told=True, lost=not world.damaged)

    def _by_new_operator(self, world: World, *, healed: bool = True) -> World:
        sweeping = Process("the next operator", "sweep", memory=None)
        return self._alone(world, *operators(world, "the next operator"), sweeping, healed=healed)

    def _alone(self, world: World, *processes: Process, healed: bool = True) -> World:
        """A stop, and these processes undisturbed until none of them has anything to do; `healed`: nobody refuses."""
        world = thawed(stopped(world)) if healed else stopped(world)
        world = replace(world, processes=processes, budget=Budget(), edits=(), running=0)
        passed: list[Hashable] = []
        names: list[str] = []
        while (rest := self._rests.get(world.key)) is None:
            passed.append(world.key)
            now = world.next_running(world.running)
            if now is None:
                rest = world
                break
            step = answered(world, now, 0)
            names.append(step.name)
            try:
                world = judged(step)
            except Broken as broken:
                raise Broken(f"{broken}\n  after a stop: {'; '.join(names)}") from None
            if len(names) > LONGEST:
                raise Broken(f"after a stop it does not come to rest: {'; '.join(names[-50:])}")
        self._rests |= dict.fromkeys(passed, rest)
        return rest


def stopped(world: World) -> World:
    """Every drill is stopped."""
    for path in [p for p in world.store.texts if p.startswith(drill_at("x").removesuffix("x"))]:
        world = edited(world, f"{path.rpartition('/')[2]} is stopped") or world
    return world
