"""An API server in small with one Deployment, and an injection of one fault into it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from tests.undo.builders import NOON, TARGET, PatchFailed, deployment, patched, squeeze

from kubedrill.core.paths import ApiPath
from kubedrill.core.undo.record import DrillIdentity
from kubedrill.kube.client import Answer, Kube
from kubedrill.protocol.inject import inject
from kubedrill.protocol.outcomes import InjectionOutcome

DRILL = DrillIdentity("d1", "storm", "drills", "shop")
SECRETS, SPACE = "/api/v1/namespaces/drills/secrets", "/api/v1/namespaces/shop"
DRILL_PATH = ApiPath("/drill")


class Noon:
    """A clock that stands."""

    error = timedelta(0)

    def now(self) -> Any:
        return NOON


class Server(Kube):
    """One Deployment, its namespace, and Secrets. `steps` are the requests that were under way at the same time."""

    def __init__(self) -> None:
        self.target = deployment()
        self.secrets: dict[str, dict[str, Any]] = {}
        self.steps: list[set[str]] = []
        self._waiting: list[tuple[str, asyncio.Future[None]]] = []

    async def call(self, method: str, path: str, body: Any = None, *, query: Any = (), **_more: Any) -> Answer:
        dry = ("dryRun", "All") in query
        gate = asyncio.get_running_loop().create_future()
        name = {TARGET.path: "target", SPACE: "namespace", SECRETS: "records", DRILL_PATH: "drill"}.get(path, "record")
        self._waiting.append((f"{method} {name}{', dry run' if dry else ''}", gate))
        await gate
        return self._answer(method, path, body, dry=dry)

    async def serving(self, process: asyncio.Task[InjectionOutcome]) -> InjectionOutcome:
        """Answers whatever waits, together, until the process ends."""
        while not process.done():
            for _ in range(20):  # until nobody gets any further without an answer
                await asyncio.sleep(0)
            step, self._waiting = self._waiting, []
            if step:
                self.steps.append({request for request, _ in step})
            for _, gate in step:
                gate.set_result(None)
        return process.result()

    def _answer(self, method: str, path: str, body: Any, *, dry: bool) -> Answer:
        if path == SPACE:
            return Answer(200, {"metadata": {"uid": "n1"}})
        if path == TARGET.path:
            return self._of_target(method, body, dry=dry)
        if method == "POST":
            metadata = body["metadata"] | {"namespace": "drills", "uid": "s1", "resourceVersion": "1"}
            self.secrets[body["metadata"]["name"]] = body | {"metadata": metadata}
            return Answer(201, self.secrets[metadata["name"]])
        if path == SECRETS:
            return Answer(200, {"items": list(self.secrets.values())})
        name = path.rpartition("/")[2]
        if name not in self.secrets:
            return Answer(404, {"reason": "NotFound", "details": {"kind": "secrets", "name": name}})
        if method == "PATCH":
            self.secrets[name]["data"] = body["data"]
        return Answer(200, self.secrets[name])

    def _of_target(self, method: str, body: Any, *, dry: bool) -> Answer:
        if method == "GET":
            return Answer(200, self.target)
        try:
            result = patched(self.target, body)
        except PatchFailed as failed:
            return Answer(409 if "409" in str(failed) else 422, {"reason": "Conflict"})
        if not dry:
            self.target = result
        return Answer(200, result)


async def injected(server: Server, on: Any = None) -> InjectionOutcome:
    async def wanted() -> bool:
        return (await server.get(DRILL_PATH)).status == 404

    async def nothing(_point: str) -> None:
        return None

    deadline = NOON + timedelta(hours=1)
    process = asyncio.ensure_future(
        inject(server, DRILL, {"squeeze": (squeeze(),)}, deadline, Noon(), on=on or nothing, wanted=wanted)
    )
    return await server.serving(process)
