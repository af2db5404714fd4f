"""What a rule does to a process, and who is told: killed and started again, killed for good, frozen, doubled."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.faultmatrix.builders import a_plan
from tests.faultmatrix.keeper import Keeper, is_to_a_process


@dataclass
class Process:
    """A process that only writes down what is done to it."""

    role: str
    log: Path = Path("operator.log")
    done: list[str] = field(default_factory=list)
    twins: list[Process] = field(default_factory=list)

    def start(self) -> None:
        self.done.append("start")

    def kill(self) -> None:
        self.done.append("kill")

    def join(self) -> None:
        self.done.append("join")

    def signal(self, number: Any) -> None:
        self.done.append(number.name)

    def beside(self, log: Path) -> Process:
        self.twins.append(Process(self.role, log))
        return self.twins[-1]


class Hall:
    """A keeper with both roles, and what it told."""

    def __init__(self, **plan: Any) -> None:
        self.operator, self.watchdog = Process("operator"), Process("watchdog")
        self.told: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []
        programs: Any = {"operator": self.operator, "watchdog": self.watchdog}
        self.keeper = Keeper(
            "plan-1",
            a_plan(**plan),
            programs,
            self.spawn,
            back=lambda: self.told.append("back"),
            lost=lambda: self.told.append("lost"),
        )

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self.tasks.append(asyncio.ensure_future(work))

    async def after(self, action: str) -> list[str]:
        """What was told when all that an action brings about is over."""
        self.keeper.do(action)
        await asyncio.gather(*self.tasks)
        return self.told


async def test_a_killed_operator_is_started_again():
    hall = Hall()

    assert await hall.after("kill") == ["back"]
    assert hall.operator.done == ["kill", "join", "start"]


async def test_an_operator_that_is_killed_for_good_stays_away():
    hall = Hall(down=None, watchdog=True)

    assert await hall.after("kill") == ["lost"]
    assert hall.operator.done == ["kill"]


async def test_a_watchdog_that_is_killed_is_started_again_even_where_the_operator_is_not():
    hall = Hall(down=None, watchdog=True)

    assert await hall.after("watchdog-kill") == ["back"]
    assert hall.watchdog.done == ["kill", "join", "start"]
    assert hall.operator.done == []


@pytest.mark.parametrize(("watchdog", "told"), [(False, ["back"]), (True, [])])
async def test_a_frozen_operator_goes_on_and_is_waited_for_only_where_nobody_else_puts_back(watchdog: bool, told):
    hall = Hall(watchdog=watchdog)

    assert await hall.after("freeze 0") == told
    assert hall.operator.done == ["SIGSTOP", "SIGCONT"]


async def test_a_second_operator_is_one_more_with_a_log_of_its_own():
    hall = Hall()
    await hall.after("second-operator")

    (second,) = hall.operator.twins
    assert (second.done, second.log.name, hall.operator.done) == (["start"], "plan-1-second.log", [])
    kept: object = hall.keeper.programs["second"]
    assert kept is second


async def test_one_that_is_asked_to_end_is_asked():
    hall = Hall()
    await hall.after("terminate")

    assert hall.operator.done == ["SIGTERM"]


def test_at_the_end_all_are_killed_frozen_ones_too():
    hall = Hall()
    hall.keeper.end()

    assert hall.operator.done == hall.watchdog.done == ["SIGCONT", "kill", "join"]


@pytest.mark.parametrize(
    ("action", "known"),
    [
        ("kill", True),
        ("freeze 20", True),
        ("watchdog-kill", True),
        ("second-operator", True),
        ("edit 96Mi", False),
    ],
)
def test_it_knows_what_is_done_to_processes(action: str, known: bool):
    assert is_to_a_process(action) is known
