"""Keeps a plan's processes as a node does, and does to them what the rules ask for: killed, frozen, asked to end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from tests.faultmatrix.plan import Plan
from tests.faultmatrix.processes import Program

WATCHDOGS: Final = "watchdog-"
"""Before an action: it is done to the watchdog."""


class Keeper:
    """The processes of plan `name`, by role; `exits` tells which ended by themselves, and with what code.

    `back` is called when a process goes on, `lost` when the operator is killed and does not come back by itself.
    """

    def __init__(
        self,
        name: str,
        plan: Plan,
        programs: dict[str, Program],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        *,
        back: Callable[[], None],
        lost: Callable[[], None],
    ) -> None:
        self.programs = programs
        self.exits: list[str] = []
        self._name, self._plan, self._spawn, self._back, self._lost = name, plan, spawn, back, lost

    async def tended(self, role: str) -> None:
        """As the kubelet does: a process that ends by itself is started again after a second."""
        while True:
            await asyncio.sleep(0.1)
            program = self.programs[role]
            code = program.ended()
            if code is None or program.pid in program.killed:
                continue
            self.exits.append(f"{role} {code}")
            await asyncio.sleep(1)
            program.start()
            self._back()

    def do(self, action: str) -> None:
        """One of TO_PROCESSES, to the operator, or with `watchdog-` before it to the watchdog."""
        word, _, argument = action.partition(" ")
        role = "watchdog" if word.startswith(WATCHDOGS) else "operator"
        TO_PROCESSES[word.removeprefix(WATCHDOGS)](self, self.programs[role], argument)

    def end(self) -> None:
        """Ends all of them, frozen ones too."""
        for program in self.programs.values():
            program.signal(signal.SIGCONT)
            program.kill()
            program.join()

    def _kill(self, program: Program, _argument: str) -> None:
        program.kill()
        if program.role == "operator" and self._plan.down is None:
            self._lost()
            return
        self._spawn(self._restarted(program, self._plan.down or 0.0))

    async def _restarted(self, program: Program, after: float) -> None:
        await asyncio.to_thread(program.join)
        await asyncio.sleep(after)
        program.start()
        self._back()

    def _freeze(self, program: Program, argument: str) -> None:
        program.signal(signal.SIGSTOP)
        self._spawn(self._thawed(program, float(argument)))

    async def _thawed(self, program: Program, after: float) -> None:
        await asyncio.sleep(after)
        program.signal(signal.SIGCONT)
        if not self._plan.watchdog and "second" not in self.programs:
            self._back()

    def _terminate(self, program: Program, _argument: str) -> None:
        program.signal(signal.SIGTERM)

    def _second(self, program: Program, _argument: str) -> None:
        """Another operator beside the first, as after a forced deletion of its pod."""
        self.programs["second"] = second = program.beside(program.log.with_name(f"{self._name}-second.log"))
        second.start()


TO_PROCESSES: Final[Mapping[str, Callable[[Keeper, Program, str], None]]] = {
    "kill": Keeper._kill,
    "freeze": Keeper._freeze,
    "terminate": Keeper._terminate,
    "second-operator": Keeper._second,
}
"""What a rule may do to a process."""


def is_to_a_process(action: str) -> bool:
    """Whether an action is one of TO_PROCESSES."""
    return action.partition(" ")[0].removeprefix(WATCHDOGS) in TO_PROCESSES
