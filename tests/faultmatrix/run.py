"""One plan, run: the operator (and watchdog) behind its proxy, the story of its people, then the oracles."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerContext
from typing import Any, Final

from tests.faultmatrix import shapes
from tests.faultmatrix.evidence import Evidence, Finding
from tests.faultmatrix.keeper import Keeper, is_to_a_process
from tests.faultmatrix.oracles import judged
from tests.faultmatrix.people import DOINGS, slot_tasks
from tests.faultmatrix.plan import Plan
from tests.faultmatrix.processes import Program
from tests.faultmatrix.proxy import Proxy
from tests.faultmatrix.requests import OWN
from tests.faultmatrix.sight import Sight
from tests.faultmatrix.slot import Slot
from tests.faultmatrix.trace import Traced, counts, lines, refused
from tests.faultmatrix.witness import Witness

from kubedrill.cli.players.say import who_am_i
from kubedrill.protocol.drills import drill_path

ROLES: Final = {"operator": "kubedrill", "watchdog": "kubedrill-watchdog"}
"""The processes that a plan may have, and their ServiceAccounts."""
AT_REST: Final = 0.4
"""Seconds without a write after which nobody is at work any more: a turn that has something to do is quicker."""
ENDS_A_DRILL: Final = ("stop-drill", "delete-drill", "strip-finalizer")


class Late(Exception):
    """Something did not happen in its time."""


@dataclass
class Result:
    """What a plan came to."""

    plan: Plan
    findings: list[Finding]
    seconds: float
    trace: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    memory: int = 0

    @property
    def residue(self) -> bool:
        """Whether anything was left in the cluster."""
        return any(f.oracle in ("O1", "O3", "O6") for f in self.findings)


class Run(Sight):
    """One plan in a slot: what a story looks at (`Sight`) and has in its hands: `apply`, `stop`, `delete`, `until`.

    `dead`: the operator was killed for good. `stuck`: Stalled was said. `lasting`: an operator of the slot that lives
    on from plan to plan, to `keep` at the end.
    """

    def __init__(
        self,
        slot: Slot,
        plan: Plan,
        server: ForkServerContext,
        proxies: dict[str, Proxy],
        number: int,
        operator: Program | None = None,
        *,
        keep: bool = False,
    ) -> None:
        super().__init__(plan, f"plan-{number}", Witness(slot.kube, slot))
        self.slot, self.kube, self.proxies = slot, slot.kube, proxies
        self.lasting, self.keep = operator, keep
        self.drills: tuple[str, ...] = (self.name,)
        self.status: dict[str, Any] = {}
        self.ended_at = self.healed_at = 0.0
        self.stuck = self.dead = False
        self.stuck_said: dict[str, None] = {}
        self._background: set[asyncio.Task[Any]] = set()
        self.programs = self._programs(server)
        self._keeper = Keeper(self.name, plan, self.programs, self.spawn, back=self._healed, lost=self._lost)
        self.exits = self._keeper.exits

    def _programs(self, server: ForkServerContext) -> dict[str, Program]:
        programs = {}
        for role, account in ROLES.items():
            self.proxies[role].act = self.act
            env = self.slot.environment(account, self.proxies[role].port)
            log = self.slot.folder / f"{self.name}-{role}.log"
            programs[role] = Program(server, role, env, log, self.plan.skew if role == "operator" else "")
        return programs if self.lasting is None else programs | {"operator": self.lasting}

    def _healed(self) -> None:
        self.healed_at = time.monotonic()

    def _lost(self) -> None:
        self.dead = True

    # ---- from the beginning to the oracles
    async def go(self, story: Callable[[Run], Any]) -> Result:
        """Runs it and says all that is wrong."""
        began, late = time.monotonic(), ""
        await self.slot.whole(self.plan.fault)
        before = await self.slot.workloads(self.plan.fault)
        await self.witness.start(self.plan.fault)
        for proxy in self.proxies.values():
            proxy.rig(self.rigging)
        try:
            self._start()
            await story(self)
            await self._at_rest()
        except (Late, TimeoutError, AssertionError) as error:
            late = str(error) or repr(error)
            await self.remember()
        evidence = self._evidence(before, late)
        memory = self.programs["operator"].memory()
        await self._quiet()
        if not self.keep:
            self.end()
        findings = await judged(evidence)
        await self.witness.stop()
        if shapes.makes(self.plan.fault):
            await self.slot.without_quotas()
        trace = self._trace()
        for proxy in self.proxies.values():
            proxy.rig(None)
        if findings or self.plan.expect.untidy:  # what is left of the fault goes with its owner
            for kind, name in shapes.targets_of(self.plan.fault):
                await self.slot.gone(self.slot.path_of(kind, name))
        if findings:
            for name in self.drills:
                await self.slot.clear(name)
        return Result(self.plan, findings, time.monotonic() - began, lines(trace), counts(trace), memory)

    def _start(self) -> None:
        """Starts the processes that the plan has, and has them tended."""
        if self.lasting is None or self.lasting.ended() is not None:
            self.programs["operator"].start()
        if self.plan.watchdog:
            self.programs["watchdog"].start()
        for role in ("operator", "watchdog") if self.plan.watchdog else ("operator",):
            self.spawn(self._keeper.tended(role))

    def _evidence(self, before: dict[str, dict[str, Any]], late: str) -> Evidence:
        return Evidence(
            self.plan,
            self.slot,
            self.witness,
            before,
            self.status,
            self.ended_at,
            self.healed_at,
            [p.log for p in self.programs.values()],
            self.exits,
            self.drills,
            refused(self._trace()),
            late,
            self.stuck,
            tuple(self.stuck_said),
            self.rigging.unmet,
        )

    def _trace(self) -> list[Traced]:
        return [traced for proxy in self.proxies.values() for traced in proxy.trace]

    async def _at_rest(self) -> None:
        """Nobody has an own write to do any more: what was under way when the story ended has ended as well."""

        def quiet() -> bool:
            last = max((t.at for t in self._trace() if t.request.kind in OWN), default=0.0)
            return self.closed() and time.monotonic() - last > AT_REST

        if not self.dead:
            await self.until(quiet, 45, "at rest")

    async def _quiet(self) -> None:
        """Ends what goes on in the background, people's doings too."""
        tasks = [*self._background, *slot_tasks.pop(self.slot.number, set())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def end(self) -> None:
        """Ends the programs, also should the run itself have been broken off."""
        self._keeper.end()

    # ---- what a story does
    async def apply(self, name: str = "", **changes: Any) -> None:
        """`kubectl apply -f drill.yaml`."""
        slot = self.slot
        thing = shapes.drill(
            name or self.name,
            slot.control,
            slot.target,
            self.plan.fault,
            slot.services,
            self.plan.drill | changes,
        )
        await self.slot.must("POST", drill_path(self.slot.control), thing)
        if self.plan.fault == "manual":
            self.spawn(self._confirmed("Do", "Armed"))
            self.spawn(self._confirmed("Undo", "Recovering"))

    async def stop(self) -> None:
        """`kubectl drill stop`."""
        self.ended_at = self.ended_at or time.monotonic()
        await self.do("stop-drill")

    async def delete(self) -> None:
        """`kubectl delete drill`."""
        self.ended_at = self.ended_at or time.monotonic()
        await self.do("delete-drill")

    async def do(self, doing: str, argument: str = "") -> None:
        """What somebody does, by its name in a plan."""
        await DOINGS[doing](self.slot, self.name, self.plan.fault, argument)

    async def until(self, condition: Callable[[], bool], within: float, what: str) -> None:
        """Waits until something was seen.

        Raises:
            Late: it was not, in that many seconds.
        """
        deadline = time.monotonic() + within
        while not condition():
            if time.monotonic() > deadline:
                raise Late(f"not within {within:.0f} s: {what} ({self.where()})")
            self.witness.changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await self.witness.changed.wait()

    async def remember(self) -> None:
        """Keeps the Drill's status: a deleted one can't be asked."""
        drill = await self.slot.drill(self.name)
        self.status = (drill or {}).get("status") or self.status

    async def watch_for_stalled(self) -> None:
        """Notes whether the condition Stalled was ever True, and in which words."""
        while True:
            drill = await self.slot.drill(self.name)
            said = ((drill or {}).get("status") or {}).get("conditions") or ()
            stalled = [c["message"] for c in said if c["type"] == "Stalled" and c["status"] == "True"]
            self.stuck_said |= dict.fromkeys(stalled)
            self.stuck = self.stuck or bool(stalled)
            await asyncio.sleep(0.5)

    def heal(self) -> None:
        """What lasts until it is healed is healed now."""
        self.rigging.heal()
        self._healed()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """In the background until the plan ends."""
        self._background.add(asyncio.ensure_future(work))

    # ---- what the rules do
    async def act(self, action: str) -> None:
        """What a rule asks for that is not the proxy's own: done to a process, or by somebody."""
        if is_to_a_process(action):
            self._keeper.do(action)
            return
        doing, _, argument = action.partition(" ")
        if doing in ENDS_A_DRILL:
            self.ended_at = self.ended_at or time.monotonic()
        await self.do(doing, argument)

    async def _confirmed(self, step: str, phase: str) -> None:
        """The facilitator says that the fault by hand was done, and undone."""
        while self.phase() not in (phase, "InPlay" if step == "Do" else phase):
            await asyncio.sleep(0.05)
        await self.slot.must(
            "POST",
            f"/apis/kubedrill.dev/v1alpha1/namespaces/{self.slot.control}/playeractions",
            {
                "apiVersion": "kubedrill.dev/v1alpha1",
                "kind": "PlayerAction",
                "metadata": {"generateName": "confirm-", "namespace": self.slot.control},
                "spec": {
                    "actor": await who_am_i(self.slot.kube),
                    "action": "Confirm",
                    "drill": self.name,
                    "confirmation": {"fault": "by-hand", "step": step},
                },
            },
        )
