"""All slots together: plans are taken from one queue, each by the next free slot."""

from __future__ import annotations

import asyncio
import base64
import os
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

import yaml
from tests.faultmatrix.kubelet import Kubelet
from tests.faultmatrix.plan import Plan
from tests.faultmatrix.processes import Program, context
from tests.faultmatrix.proxy import Proxy, Upstream
from tests.faultmatrix.run import ROLES, Result, Run
from tests.faultmatrix.services import Services, services
from tests.faultmatrix.slot import Slot
from tests.faultmatrix.stories import STORIES

from kubedrill.kube.client import Kube


class Matrix:
    """As many slots as asked for, on KUBECONFIG's API server. `lasting`: a slot's operator lives on between plans."""

    def __init__(self, slots: int, folder: Path, first: int = 0, *, lasting: bool = False) -> None:
        self._wanted, self._folder, self._lasting = range(first, first + slots), folder, lasting
        self._server = context()
        self._stack = AsyncExitStack()
        self._slots: list[tuple[Slot, dict[str, Proxy]]] = []
        self._free: asyncio.Queue[tuple[Slot, dict[str, Proxy]]] = asyncio.Queue()
        self._number = 0

    async def __aenter__(self) -> Self:
        """Services, kubelet, slots."""
        try:
            return await self._opened()
        except BaseException:
            await self._stack.aclose()
            raise

    async def _opened(self) -> Self:
        kube = self.kube = await Kube.connect()
        self._stack.push_async_callback(kube.close)
        self._stack.callback(Program.end_all)
        data = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="faultmatrix-")))
        at = self._stack.enter_context(services(data))
        kubelet = Kubelet(kube)
        kubelet.start()
        self._stack.push_async_callback(kubelet.stop)
        up = upstream()
        await asyncio.gather(*(self._open_slot(number, kube, up, at) for number in self._wanted))
        for one in self._slots:
            self._free.put_nowait(one)
        return self

    async def _open_slot(self, number: int, kube: Kube, up: Upstream, at: Services) -> None:
        folder = self._folder / f"slot-{number}"
        folder.mkdir(parents=True, exist_ok=True)
        slot = Slot(number, kube, up, at, folder)
        self._stack.push_async_callback(slot.tear_down)
        await slot.set_up()
        self._slots.append((slot, {role: await self._proxy(role, up) for role in ROLES}))

    async def __aexit__(self, *_: object) -> None:
        """Takes everything away."""
        await self._stack.aclose()

    async def run(self, plans: Sequence[Plan]) -> AsyncIterator[Result]:
        """The results as they come."""
        waiting: asyncio.Queue[Plan] = asyncio.Queue()
        for plan in plans:
            waiting.put_nowait(plan)
        results: asyncio.Queue[Result | BaseException] = asyncio.Queue()
        workers = [asyncio.create_task(self._work(slot, proxies, waiting, results)) for slot, proxies in self._slots]
        try:
            for _ in plans:
                result = await results.get()
                if isinstance(result, BaseException):
                    raise result
                yield result
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def enact(self, plan: Plan, story: Callable[[Run], Awaitable[None]]) -> tuple[Run, Result]:
        """One plan with a story of the caller's, in the next free slot. Not beside `run`, which takes every slot."""
        slot, proxies = await self._free.get()
        self._number += 1
        run = Run(slot, plan, self._server, proxies, self._number)
        try:
            return run, await run.go(story)
        finally:
            run.end()
            self._free.put_nowait((slot, proxies))

    async def _work(
        self,
        slot: Slot,
        proxies: dict[str, Proxy],
        waiting: asyncio.Queue[Plan],
        results: asyncio.Queue[Result | BaseException],
    ) -> None:
        operator: Program | None = None
        while not waiting.empty():
            plan = waiting.get_nowait()
            self._number += 1
            run = Run(slot, plan, self._server, proxies, self._number, operator, keep=self._lasting)
            operator = run.programs["operator"] if self._lasting else None
            try:
                results.put_nowait(await run.go(STORIES[plan.story]))
            except Exception as error:  # noqa: BLE001  told to whoever reads the results
                error.add_note(f"in plan {plan.name}")
                results.put_nowait(error)
        if operator is not None:
            operator.kill()

    async def _proxy(self, role: str, up: Upstream) -> Proxy:
        async def nobody(_action: str) -> None:
            """Nothing acts between plans."""

        proxy = Proxy(role, up, nobody)
        await proxy.start()
        self._stack.push_async_callback(proxy.stop)
        return proxy


def upstream() -> Upstream:
    """The API server of KUBECONFIG's current context."""
    config: dict[str, Any] = yaml.safe_load(Path(os.environ["KUBECONFIG"]).read_text(encoding="utf-8"))
    current = next(c["context"] for c in config["contexts"] if c["name"] == config["current-context"])
    cluster = next(c["cluster"] for c in config["clusters"] if c["name"] == current["cluster"])
    trust = None
    if "certificate-authority-data" in cluster:
        trust = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    return Upstream(cluster["server"], trust)
