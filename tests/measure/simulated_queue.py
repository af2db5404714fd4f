"""A queue like the staging app's: jobs arrive twice a second, each worker takes 2.25 s for one, at its own phase."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from tests.measure.builders import samples

from kubedrill.core.evidence.facts import Series

JOB, EVERY, END = 2.25, 0.5, 130.0


@dataclass(frozen=True)
class Course:
    """What happened: (time, jobs in all, jobs waiting) after each event, and when the fix was made."""

    steps: tuple[tuple[float, int, int], ...]
    fixed: float

    def seen(self, step: float, phase: float, *, waiting: bool = False) -> Series:
        """What is sampled every `step` seconds from `phase` on."""
        return samples(list(self._values(step, phase, 2 if waiting else 1)), phase, step)

    def _values(self, step: float, phase: float, column: int) -> Iterator[float]:
        known, number, time = 0.0, 0, phase
        while time < END:
            while number < len(self.steps) and self.steps[number][0] <= time:
                known = self.steps[number][column]
                number += 1
            yield known
            time = phase + step * round((time - phase) / step + 1)


def unfixed(random: Random) -> Course:
    """Two workers go on, and up to two more come by scaling: four are still too few, and nobody takes the cause out."""
    return course(random, added=(0,))


def course(random: Random, added: tuple[int, ...] = (6, 7, 8)) -> Course:
    """Two workers go on, one or two more come, then the fix and within seconds the others."""
    fixed = random.uniform(50, 70)
    ready = [random.uniform(0, JOB) for _ in range(2)]
    ready += [random.uniform(20, 50) for _ in range(random.choice((0, 1, 2)))]
    ready += [fixed + random.uniform(3, 8) for _ in range(random.choice(added))]
    events = [(time, "free") for time in ready]
    start = random.uniform(0, EVERY)
    events += [(start + n * EVERY + random.uniform(0, 0.02), "arrived") for n in range(int(END / EVERY))]
    heapq.heapify(events)
    waiting, working, idle = random.randint(30, 60), 0, 0
    steps = [(0.0, waiting, waiting)]
    while events:
        time, what = heapq.heappop(events)
        waiting += what == "arrived"
        idle += what != "arrived"
        working -= what == "done"
        while idle and waiting:
            waiting, working, idle = waiting - 1, working + 1, idle - 1
            heapq.heappush(events, (time + JOB + random.uniform(0, 0.06), "done"))
        steps.append((time, waiting + working, waiting))
        if time > END:
            break
    return Course(tuple(steps), fixed)
