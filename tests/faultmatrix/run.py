"""One plan, run: the operator (and watchdog) behind its proxy, the story of its people, then the oracles."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.context import ForkServerContext
from typing import Any

from kubedrill.core.phases import TERMINAL
from kubedrill.protocol.drills import drill_path
from tests.faultmatrix import shapes
from tests.faultmatrix.kubelet import FAULTED
from tests.faultmatrix.oracles import Evidence, Finding, judged
from tests.faultmatrix.people import DOINGS, slot_tasks
from tests.faultmatrix.plan import Plan
from tests.faultmatrix.processes import Program
from tests.faultmatrix.proxy import Proxy
from tests.faultmatrix.requests import Request
from tests.faultmatrix.rigging import Rigging
from tests.faultmatrix.slot import Slot
from tests.faultmatrix.witness import Witness

ENDED = {p.value for p in TERMINAL}
ROLES = {"operator": "kubedrill", "watchdog": "kubedrill-watchdog"}


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


class Run:
    """One plan in a slot. Also what a story has in its hands: `until`, `apply`, `stop`, `delete`."""

    def __init__(
        self, slot: Slot, plan: Plan, server: ForkServerContext, proxies: dict[str, Proxy], number: int,
        operator: Program | None = None, *, keep: bool = False,
    ) -> None:
        self.keep = keep
        self.slot, self.plan, self.kube = slot, plan, slot.kube
        self.name = f"plan-{number}"
        self.drills: tuple[str, ...] = (self.name,)
        self.proxies = proxies
        self.witness = Witness(slot.kube, slot)
        self.status: dict[str, Any] = {}
        self.ended_at = self.healed_at = 0.0
        self.exits: list[str] = []
        self.stuck = self.dead = self.over = False
        self._background: set[asyncio.Task[Any]] = set()
        self.rigging = Rigging(plan)
        self.programs = {}
        for role, account in ROLES.items():
            proxies[role].act = self.act
            env = slot.environment(account, proxies[role].port)
            log = slot.folder / f"{self.name}-{role}.log"
            self.programs[role] = Program(server, role, env, log, plan.skew if role == "operator" else "")
        self.lasting = operator
        if operator is not None:
            self.programs["operator"] = operator

    # ---- from the beginning to the oracles
    async def go(self, story: Callable[[Run], Any]) -> Result:
        """Runs it and says all that is wrong."""
        began, late = time.monotonic(), ""
        await self.slot.whole(self.plan.fault)
        before = await self.slot.workloads(self.plan.fault)
        await self.witness.start()
        for proxy in self.proxies.values():
            proxy.rig(self.rigging)
        try:
            if self.lasting is None or self.lasting.ended() is not None:
                self.programs["operator"].start()
            if self.plan.watchdog:
                self.programs["watchdog"].start()
            self._spawn(self._tended("operator"))
            if self.plan.watchdog:
                self._spawn(self._tended("watchdog"))
            await story(self)
        except (Late, TimeoutError, AssertionError) as error:
            late = str(error) or repr(error)
        evidence = Evidence(
            self.plan, self.slot, self.witness, before, self.status, self.ended_at, self.healed_at,
            [p.log for p in self.programs.values()], self.exits, self._own_values(), self.drills, self._refused(), late,
            self.stuck, self.rigging.unmet,
        )
        memory = self.programs["operator"].memory()
        await self._quiet()
        if not self.keep:
            self._end_programs()
        findings = await judged(evidence)
        await self.witness.stop()
        trace, counts = self._told()
        for proxy in self.proxies.values():
            proxy.rig(None)
        if findings:
            for name in self.drills:
                await self.slot.clear(name)
        return Result(self.plan, findings, time.monotonic() - began, trace, counts, memory)

    async def _quiet(self) -> None:
        """Ends what goes on in the background, people's doings too."""
        tasks = [*self._background, *slot_tasks.pop(self.slot.number, set())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def end(self) -> None:
        """Ends the programs, should the run itself have been broken off."""
        self._end_programs()

    def _end_programs(self) -> None:
        for program in self.programs.values():
            program.signal(signal.SIGCONT)
            program.kill()
            program.join()

    # ---- what a story does
    async def apply(self, name: str = "", **changes: Any) -> None:
        """`kubectl apply -f drill.yaml`."""
        thing = shapes.drill(name or self.name, self.slot.control, self.slot.target, self.plan.fault, self.slot.services,
                             self.plan.drill | changes)
        await self.slot.must("POST", drill_path(self.slot.control), thing)
        if self.plan.fault == "manual":
            self._spawn(self._confirmed("Do", "Armed"))
            self._spawn(self._confirmed("Undo", "Recovering"))

    async def stop(self) -> None:
        """`kubectl drill stop`."""
        self.ended_at = self.ended_at or time.monotonic()
        await DOINGS["stop-drill"](self.slot, self.name, self.plan.fault, "")

    async def delete(self) -> None:
        """`kubectl delete drill`."""
        self.ended_at = self.ended_at or time.monotonic()
        await DOINGS["delete-drill"](self.slot, self.name, self.plan.fault, "")

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
                raise Late(f"not within {within:.0f} s: {what} ({self._where()})")
            self.witness.changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await self.witness.changed.wait()

    def phase(self, name: str = "") -> str:
        """The Drill's phase as it was last seen; `Gone` when it is."""
        seen = self.witness.of("drill", name or self.name)
        if not seen:
            return ""
        return "Gone" if seen[-1].event == "DELETED" else str(seen[-1].value[0] or "Pending")

    def ended(self, name: str = "") -> bool:
        """Whether the drill is over."""
        return self.phase(name) in {*ENDED, "Gone"}

    def in_play(self) -> bool:
        """In play, or over already."""
        return self.phase() == "InPlay" or self.ended()

    def deadline_at(self) -> float:
        """The drill's deadline by this process' monotonic clock, as its undo records say; 0 while there is none."""
        said = [datetime.fromisoformat(r.value["deadline"]) for r in self.witness.of("record")]
        if not said:
            return 0.0
        return time.monotonic() + (min(said) - datetime.now(UTC)).total_seconds()  # noqa: TID251  the API server's, here

    def since_met(self) -> float:
        """Seconds since the plan's last rule met its request; none while one has not."""
        if not self.rigging.live or self.rigging.unmet:
            return 0.0
        return time.monotonic() - max(one.first_hit for one in self.rigging.live)

    def since_undone(self) -> float:
        """Seconds since somebody else than the drill took the fault back; none while it stands."""
        for _, name in shapes.targets_of(self.plan.fault):
            values = self.witness.of("target", name)
            if FAULTED not in [v.value for v in values] or values[-1].value == FAULTED:
                return 0.0
            back = next(v for n, v in enumerate(values) if v.value != FAULTED and FAULTED in [w.value for w in values[:n]])
            return time.monotonic() - back.at
        return 0.0

    def namespace_is_gone(self) -> bool:
        """Whether the targets were seen to go."""
        return all(self.witness.of("target", name)[-1].event == "DELETED" for _, name in shapes.targets_of(self.plan.fault))

    def restored(self) -> bool:
        """Whether the targets (or, where there are none, the records) are seen back."""
        names = [name for _, name in shapes.targets_of(self.plan.fault)]
        last = [seen[-1] for name in names if (seen := self.witness.of("target", name))]
        if self.plan.expect.value == FAULTED:
            last = []  # carried over by somebody into another object: not ours to change, and said so
        open_records = [r for r in self._records() if r.value["state"] != "Reverted"]
        return not open_records and all(one.value != FAULTED or one.event == "DELETED" for one in last)

    def closed(self) -> bool:
        """Whether no undo record is left."""
        return not self._records()

    def state_of_records(self) -> set[str]:
        """The states of the records as they were last seen."""
        return {r.value["state"] for r in self._records()}

    async def remember(self) -> None:
        """Keeps the Drill's status: a deleted one can't be asked."""
        drill = await self.slot.drill(self.name)
        self.status = (drill or {}).get("status") or self.status

    # ---- what the rules do
    async def act(self, action: str, request: Request) -> None:
        """What a rule asks for that is not the proxy's own."""
        word, _, argument = action.partition(" ")
        role = "watchdog" if word.startswith("watchdog-") else "operator"
        word = word.removeprefix("watchdog-")
        program = self.programs[role]
        if word == "kill":
            self._killed(program)
        elif word == "freeze":
            program.signal(signal.SIGSTOP)
            self._spawn(self._thawed(program, float(argument)))
        elif word == "terminate":
            program.signal(signal.SIGTERM)
        elif word == "second-operator":
            self._second(argument)
        else:
            if word in ("stop-drill", "delete-drill", "strip-finalizer"):
                self.ended_at = self.ended_at or time.monotonic()
            await DOINGS[word](self.slot, self.name, self.plan.fault, argument)

    def _killed(self, program: Program) -> None:
        program.kill()
        if program.role == "operator" and self.plan.down is None:
            self.dead = True
            return
        self._spawn(self._restarted(program, self.plan.down or 0.0))

    async def _restarted(self, program: Program, after: float) -> None:
        await asyncio.to_thread(program.join)
        await asyncio.sleep(after)
        program.start()
        self.healed_at = time.monotonic()

    def _second(self, argument: str) -> None:
        """Another operator beside the first, as after a forced deletion of its pod."""
        first = self.programs["operator"]
        self.programs["second"] = second = Program(first._server, "operator", first._env,
                                                   first.log.with_name(f"{self.name}-second.log"))
        second.start()

    async def _thawed(self, program: Program, after: float) -> None:
        await asyncio.sleep(after)
        program.signal(signal.SIGCONT)
        if not self.plan.watchdog and "second" not in self.programs:
            self.healed_at = time.monotonic()

    async def _tended(self, role: str) -> None:
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
            self.healed_at = time.monotonic()

    async def _confirmed(self, step: str, phase: str) -> None:
        """The facilitator says that the fault by hand was done, and undone."""
        while self.phase() not in (phase, "InPlay" if step == "Do" else phase):
            await asyncio.sleep(0.05)
        await self.slot.must("POST", f"/apis/kubedrill.dev/v1alpha1/namespaces/{self.slot.control}/playeractions", {
            "apiVersion": "kubedrill.dev/v1alpha1", "kind": "PlayerAction",
            "metadata": {"generateName": "confirm-", "namespace": self.slot.control},
            "spec": {"actor": "facilitator", "action": "Confirm", "drill": self.name,
                     "confirmation": {"fault": "by-hand", "step": step}}})

    async def watch_for_stalled(self) -> None:
        """Notes whether the condition Stalled was ever True."""
        while True:
            drill = await self.slot.drill(self.name)
            said = ((drill or {}).get("status") or {}).get("conditions") or ()
            self.stuck = self.stuck or any(c["type"] == "Stalled" and c["status"] == "True" for c in said)
            await asyncio.sleep(0.5)

    def spawn(self, work: Any) -> None:
        """In the background until the plan ends."""
        self._spawn(work)

    def _spawn(self, work: Any) -> None:
        self._background.add(asyncio.ensure_future(work))

    def _records(self) -> list[Any]:
        last = {s.name: s for s in self.witness.of("record")}
        return [s for s in last.values() if s.event != "DELETED"]

    def _where(self) -> str:
        return f"phase {self.phase() or 'unseen'}, records {', '.join(self.state_of_records()) or 'none'}"

    def _own_values(self) -> set[str]:
        """The values that the plan's people set."""
        said = [action.split() for rule in self.plan.rules for action in rule.do]
        said += [[self.plan.expect.value]] if self.plan.expect.value else []
        return {word for words in said for word in words if word.endswith("Mi")}

    def _refused(self) -> list[str]:
        """What was sent and made no sense to the API server: nothing of the plan's doing, and never right."""
        traced = [t for p in self.proxies.values() for t in p.trace]
        return sorted({
            f"{t.request.kind} with {t.status}: {(t.answer or {}).get('message', '')[:200]}" for t in traced
            if t.status in (400, 422) and t.rule is None and t.request.kind not in ("target", "dry-run", "splice", "finalizer")
            and "exceeded" not in str(t.answer)
        })

    def _told(self) -> tuple[list[str], dict[str, int]]:
        """The trace in lines, and how many own writes of each kind there were."""
        lines, counts = [], {}
        for traced in sorted((t for p in self.proxies.values() for t in p.trace), key=lambda t: t.at):
            request = traced.request
            if request.is_write and traced.done:
                counts[request.kind] = counts.get(request.kind, 0) + 1
            mark = " <- " + ", ".join(traced.rule.do) if traced.rule else ""
            if os.environ.get("MATRIX_BODIES") and request.is_write:
                lines.append(json.dumps(request.body))
            lines.append(f"{traced.at:.3f} {traced.actor} {request.kind} {request.method} {request.path[-70:]}"
                         f" {traced.status}{mark}")
        return lines, counts
