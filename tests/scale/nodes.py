"""Fake nodes: they say of their pods what a kubelet would say, many at a time, and run nothing."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections.abc import Iterator
from typing import Any, Final, Self

from tests.faultmatrix.kubelet import FAULTED, _status

from kubedrill.core.paths import ApiPath
from kubedrill.kube.client import MERGE_PATCH, Answer, Kube, Unreachable
from kubedrill.kube.paths import PODS

LABEL: Final = "scale"
NODES: Final = 100
AT_ONCE: Final = 16


class FakeNodes:
    """Tells of all pods with the label, in every namespace. `ready` are those that are said to be well."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._untold: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._told: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self.ready: dict[str, set[str]] = {}

    async def __aenter__(self) -> Self:
        for number in range(NODES):
            body = {"metadata": {"name": f"fake-{number}", "labels": {"type": "fake"}}}
            await self._kube.call("POST", ApiPath("/api/v1/nodes"), body)
        self._tasks = [asyncio.create_task(self._look())]
        self._tasks += [asyncio.create_task(self._tell_on()) for _ in range(AT_ONCE)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def count(self) -> int:
        """How many pods are well."""
        return sum(map(len, self.ready.values()))

    async def _look(self) -> None:
        query = [("labelSelector", LABEL)]
        while True:
            with contextlib.suppress(Unreachable):
                found = await self._kube.get(PODS.everywhere, query=query, timeout=120)
                for pod in found.body.get("items", ()):
                    self._seen("ADDED", pod)
                version = (found.body.get("metadata") or {}).get("resourceVersion", "")
                async for event in self._kube.watch(PODS.everywhere, version, query):
                    if event["type"] == "ERROR":
                        break
                    self._seen(event["type"], event["object"])
            await asyncio.sleep(0.1)

    def _seen(self, event: str, pod: dict[str, Any]) -> None:
        meta = pod["metadata"]
        if event == "DELETED":
            self.ready.get(meta["namespace"], set()).discard(meta["name"])
        elif event in ("ADDED", "MODIFIED") and meta["uid"] not in self._told and not meta.get("deletionTimestamp"):
            self._told.add(meta["uid"])
            self._untold.put_nowait(pod)

    async def _tell_on(self) -> None:
        while True:
            pod = await self._untold.get()
            meta = pod["metadata"]
            path = PODS.part(meta["namespace"], meta["name"], "status")
            try:
                answer = await self._kube.call("PATCH", path, {"status": _status(pod)}, content_type=MERGE_PATCH)
            except Unreachable:
                answer = Answer(504, {})
            if answer.status == 404:
                continue
            if not answer.ok:  # a kubelet tells it until it is taken
                self._untold.put_nowait(pod)
                await asyncio.sleep(0.5)
                continue
            if pod["spec"]["containers"][0]["resources"]["limits"]["memory"] != FAULTED:
                self.ready.setdefault(meta["namespace"], set()).add(meta["name"])


def noise(namespace: str, names: list[str], dice: random.Random) -> Iterator[tuple[ApiPath, dict[str, Any]]]:
    """Path and patch of what happens to pods while nothing happens: one in four turns unready and ready again.

    The others are told anew without a difference that means anything, as kubelets do.
    """
    for number in itertools.count():
        name = dice.choice(names)
        path = PODS.part(namespace, name, "status")
        ready = "False" if number % 8 == 0 else "True"
        if number % 4 == 0:
            conditions = [{"type": "Ready", "status": ready}]
            yield path, {"status": {"conditions": conditions, "message": f"seen {number} times"}}
        else:
            yield path, {"status": {"message": f"seen {number} times"}}
