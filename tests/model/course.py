"""A single way through a world, told by hand: who goes on until which request, and what people do in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tests.model.explore import Ends
from tests.model.laws import judged
from tests.model.people import BEFORE, cluster, target
from tests.model.server import Request
from tests.model.world import Budget, World, answered, edited, operators


def beginning_of(
    drills: Mapping[str, tuple[str, ...]], budget: Budget, edits: tuple[str, ...] = (), *, alive: int = 1
) -> World:
    """Drills that are to start, and `alive` operators that have just been started."""
    targets = sorted({name for names in drills.values() for name in names})
    world = World(cluster(drills), (), budget, edits, foreign=tuple((name, BEFORE) for name in targets))
    return replace(world, processes=tuple(p for n in range(alive) for p in operators(world, f"operator {n + 1}")))


class Course:
    """One way, step by step; every step is judged by the laws."""

    def __init__(self, world: World) -> None:
        self.world = world

    def go_on(self, who: str, until: str = "") -> None:
        """A process goes on until a request of its waits (`PATCH x`), or until it rests."""
        for _ in range(200):
            index = next(i for i, p in enumerate(self.world.processes) if p.name == who)
            process = self.world.processes[index]
            if process.resting:
                assert not until, f"{who} rests and does not come to {until}"
                return
            if until and told(process.history.requests[0]) == until:
                return
            self.world = judged(answered(self.world, index, 0))
        raise AssertionError(f"{who} does not come to {until or 'rest'}")

    def do(self, who: str) -> None:
        """One more request of a process is done and answered."""
        index = next(i for i, p in enumerate(self.world.processes) if p.name == who)
        self.world = judged(answered(self.world, index, 0))

    def waiting(self, who: str) -> list[str]:
        """What a process has asked for at the same time, and waits for."""
        return [told(request) for p in self.world.processes if p.name == who for request in p.history.requests]

    def people(self, edit: str) -> None:
        """What a person does."""
        done = edited(self.world, edit)
        assert done is not None, f"{edit} is not possible"
        self.world = done

    def ends_well(self) -> None:
        """From here a stop leads to everything reverted."""
        Ends().judge(self.world)


def told(request: Request) -> str:
    """A request in words: the method and the object, `plan` for a dry run, `splice` for ownership given back."""
    name = request.path.rpartition("/")[2]
    if "dryRun" in dict(request.query):
        return f"plan {name}"
    if request.method == "PATCH" and "/metadata/managedFields" in request.body:
        return f"splice {name}"
    if "/secrets/" in request.path:
        return f"{request.method} record"
    return f"{request.method} {name}"


def injections(world: World, name: str) -> int:
    """How often a target was injected."""
    thing = world.store.read(target(name).path)
    return sum(uid == thing["metadata"]["uid"] for _, uid in world.injected) if thing else 0
