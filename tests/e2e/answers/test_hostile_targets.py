"""One target's monitoring wants operator and watchdog down; another namespace's fault is restored in its time.

Both are processes of their own on the real API server, with the rights of an installation. The Prometheus and the
Alertmanager of either target are on loopback: the good ones, and those that answer as in `tests.answers.hostile`.
"""

from __future__ import annotations

# ruff: noqa: ASYNC110  what is waited for happens in other processes, which set no event of ours
import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.answers.hostile import HOSTILE, Stranger, saying, stranger
from tests.faultmatrix import shapes
from tests.faultmatrix.kubelet import FAULTED, Kubelet
from tests.faultmatrix.matrix import upstream
from tests.faultmatrix.processes import Program, context
from tests.faultmatrix.proxy import Proxy
from tests.faultmatrix.services import ALERT, Services
from tests.faultmatrix.slot import Slot
from tests.integration.answers.test_memory import limit_of
from tests.integration.services import redis_server

from kubedrill.cli.setup.opt_in import objects as opt_in_objects
from kubedrill.core.paths import ApiPath
from kubedrill.core.undo.pointers import read
from kubedrill.core.undo.record import from_json
from kubedrill.kube.client import MERGE_PATCH, Kube
from kubedrill.kube.clock import local_now
from kubedrill.protocol.drills import drill_path

SLOT = 130
ACCOUNTS = {"operator": "kubedrill", "watchdog": "kubedrill-watchdog"}
RULE = {"type": "alerting", "name": ALERT, "query": "vector(0) > 1"}


async def good_prometheus(writer: asyncio.StreamWriter) -> None:
    """Its one rule, and a zero at each second of the last minute, whatever it is asked."""
    now = int(local_now().timestamp())
    zeros = [{"metric": {}, "values": [[now - ago, "0"] for ago in range(60, -1, -1)]}]
    groups = [{"name": "g", "interval": 1, "rules": [RULE]}]
    whole = {"status": "success", "data": {"resultType": "matrix", "result": zeros, "groups": groups}}
    await saying(whole)(writer)


GOOD_ALERTMANAGER = saying([])
MODES = (
    "many values",
    "as many values as are read",
    "endless",
    "a redirect",
    "a list of strings",
    "dripping",
    "folded",
)
LASTS = {"victim": "70s", "evil": "40s"}
IN_WITHIN, BACK_AFTER = 60.0, {"operator": 10.0, "watchdog": 25.0}
"""How long after its deadline a fault may still be in, on a machine that has much else to do."""


async def until(look: Callable[[], Any], within: float, what: str) -> Any:
    """The first true answer."""
    async with asyncio.timeout(within):
        while not (seen := await look()):
            await asyncio.sleep(0.2)
    assert seen, what
    return seen


@dataclass
class Scene:
    """What a test has in its hands."""

    slot: Slot
    programs: dict[str, Program]
    evil: tuple[Stranger, Stranger]

    async def turn(self, name: str) -> None:
        """Both of the evil target's services answer so from now on."""
        for one in self.evil:
            one.answer = HOSTILE[name]

    async def heal(self) -> None:
        """And now they answer as they should."""
        self.evil[0].answer, self.evil[1].answer = good_prometheus, GOOD_ALERTMANAGER

    async def start(self, name: str, namespace: str, fault: str, at: Services) -> None:
        """A drill, at its real pace."""
        changes = {"pace": 1, "maxDuration": LASTS[name], "armWithin": "65s"}
        made = shapes.drill(name, self.slot.control, namespace, fault, at, changes)
        made["spec"]["scenario"]["expectedAlerts"][0]["within"] = "5m"  # the deadline comes first
        await self.slot.must("POST", drill_path(self.slot.control), made)

    async def limit(self) -> str:
        """The victim's memory limit."""
        return read((await self.slot.kube.get(self.slot.path_of("Deployment", "web"))).body, shapes.LIMIT)

    async def recorded(self) -> int:
        """How many undo records there are."""
        return len(await self.slot.records())

    def most(self, role: str) -> float:
        """The most memory that a process has had, MiB."""
        lines = Path(f"/proc/{self.programs[role].pid}/status").read_text(encoding="ascii").splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        kube = await Kube.connect()
        stack.push_async_callback(kube.close)
        answers = (good_prometheus, GOOD_ALERTMANAGER) * 2
        strangers = [await stack.enter_async_context(stranger(answer)) for answer in answers]
        kubelet = Kubelet(kube)
        kubelet.start()
        redis = stack.enter_context(redis_server(folder))  # a slot clears its queue
        slot = Slot(SLOT, kube, up := upstream(), Services(redis, strangers[0].port, strangers[1].port), folder)
        stack.push_async_callback(slot.tear_down)
        stack.push_async_callback(kubelet.stop)  # well before the loop ends: TLS closes a watch in the background
        await slot.set_up()
        await slot.whole("memory-limit")
        await opened(slot, stack, Services(1, strangers[2].port, strangers[3].port))
        programs = {}
        for role, account in ACCOUNTS.items():
            proxy = Proxy(role, up, nobody)
            await proxy.start()
            stack.push_async_callback(proxy.stop)
            environment = slot.environment(account, proxy.port)
            programs[role] = Program(context(), role, environment, folder / f"{role}.log")
            programs[role].start()
        stack.callback(Program.end_all)  # before their way to the API server ends
        yield Scene(slot, programs, (strangers[2], strangers[3]))


async def nobody(_action: str) -> None:
    """Nothing acts at the proxy."""


async def opened(slot: Slot, stack: AsyncExitStack, at: Services) -> None:
    """The evil target: a second namespace that has opted in, with its Services."""
    namespace = evil_of(slot)
    await slot.must("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
    stack.push_async_callback(slot.kube.call, "DELETE", ApiPath(f"/api/v1/namespaces/{namespace}"))
    label, *granted = opt_in_objects(namespace, slot.control)
    labels = {"metadata": {"labels": label["metadata"]["labels"]}}
    await slot.must("PATCH", f"/api/v1/namespaces/{namespace}", labels, MERGE_PATCH)
    for thing in granted:
        await slot.apply(thing)
    for name, port in (("prometheus", at.prometheus), ("alertmanager", at.alertmanager)):
        await slot.must("POST", f"/api/v1/namespaces/{namespace}/services", shapes.service(namespace, name, port))


def evil_of(slot: Slot) -> str:
    return f"{slot.control}-evil"


@pytest.mark.parametrize("restorer", ["operator", "watchdog"])
async def test_f5_f6_a_hostile_target_delays_nobody_elses_restore(restorer: str, tmp_path: Path) -> None:
    async with scene(tmp_path) as on:
        at = on.slot.services
        evil = Services(1, on.evil[0].port, on.evil[1].port)
        await on.start("evil", evil_of(on.slot), "alert", evil)
        await on.start("victim", on.slot.target, "memory-limit", at)

        async def both_in() -> bool:
            return await on.limit() == FAULTED and await on.recorded() == 2

        await until(both_in, IN_WITHIN, "both faults are in")
        deadline = await deadline_of(on.slot, "victim")
        if restorer == "watchdog":
            on.programs["operator"].kill()
            on.programs["operator"].join()  # while it dies, it runs still and has no memory any more
        turn, marks = 0, {}
        while await on.limit() != shapes.GOOD:
            await on.turn(MODES[turn % len(MODES)])
            turn += 1
            marks = {role: on.most(role) for role in ACCOUNTS if on.programs[role].ended() is None}
            assert local_now().timestamp() - deadline < BACK_AFTER[restorer], (turn, marks)
            await asyncio.sleep(1.5)  # each way of answering for a few turns
        marks = {role: on.most(role) for role in ACCOUNTS if on.programs[role].ended() is None}
        assert restorer in marks, (tmp_path / f"{restorer}.log").read_text()[-3000:]
        for role, most in marks.items():
            assert most < 0.6 * limit_of(role)
        assert turn >= len(MODES), "every way of answering was tried"
        await on.heal()

        async def closed() -> bool:
            return await on.recorded() == 0

        if restorer == "operator":
            await until(closed, 60, "the evil drill is restored, too, once its Alertmanager answers")


async def deadline_of(slot: Slot, name: str) -> float:
    """When everything of a drill must be put back, seconds since 1970: as its undo record says."""
    records = [from_json(base64.b64decode(found["data"]["record"]).decode()) for found in await slot.records()]
    return next(record for record in records if record.drill.name == name).deadline.timestamp()
