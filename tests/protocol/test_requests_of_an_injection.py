"""What an injection asks of the API server, and in how many steps; that fewer reads weaken no precondition."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from tests.undo.builders import LIMIT, NOON, TARGET, PatchFailed, deployment, patched, squeeze

from kubedrill.core.pointers import put, read
from kubedrill.core.undo_record import DrillIdentity
from kubedrill.kube.client import Answer, Kube
from kubedrill.protocol.inject import inject
from kubedrill.protocol.outcomes import RECORD_WRITTEN, Injection, InjectionOutcome

DRILL = DrillIdentity("d1", "storm", "drills", "shop")
SECRETS, SPACE, DRILL_PATH = "/api/v1/namespaces/drills/secrets", "/api/v1/namespaces/shop", "/drill"


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


def changed_when_the_record_stands(server: Server, **fields: Any) -> Any:
    """A hook at which somebody else writes the target."""

    async def on(point: str) -> None:
        if point == RECORD_WRITTEN:
            metadata = server.target["metadata"]
            metadata["resourceVersion"] = str(int(metadata["resourceVersion"]) + 1)
            for path, value in fields.items():
                put(server.target, path, value)
                metadata["generation"] += 1

    return on


async def test_nothing_is_asked_one_after_the_other_that_can_be_asked_at_once():
    server = Server()
    assert (await injected(server)).state is Injection.INJECTED
    assert server.steps == [
        {"GET target", "GET namespace"},
        {"GET record", "PATCH target, dry run"},
        {"POST records"},
        {"GET drill", "GET records"},
        {"PATCH target"},
        {"PATCH record"},
    ]


async def test_a_target_that_was_written_since_it_was_planned_is_read_again_and_hit_once():
    server = Server()
    outcome = await injected(server, changed_when_the_record_stands(server))
    assert outcome.state is Injection.INJECTED
    assert server.steps[4:] == [
        {"PATCH target"}, {"GET target"}, {"PATCH record"}, {"PATCH target"}, {"PATCH record"},
    ]
    assert server.target["metadata"]["generation"] == 2
    assert read(server.target, LIMIT) == "32Mi"


async def test_a_field_that_somebody_changed_since_it_was_planned_is_left_alone():
    server = Server()
    outcome = await injected(server, changed_when_the_record_stands(server, **{LIMIT: "256Mi"}))
    assert outcome.state is Injection.UNDONE
    assert read(server.target, LIMIT) == "256Mi"


async def test_a_record_that_is_there_wins_over_what_a_new_plan_comes_to():
    server = Server()
    assert (await injected(server)).state is Injection.INJECTED
    again = await injected(server)
    assert again.state is Injection.INJECTED, "a second plan finds nothing to change; the record tells that it is in"
    assert server.target["metadata"]["generation"] == 2


async def test_the_dry_run_touches_nothing():
    server = Server()

    async def dies(point: str) -> None:
        raise ConnectionAbortedError(point)

    process = asyncio.ensure_future(
        inject(server, DRILL, {"squeeze": (squeeze(),)}, NOON + timedelta(hours=1), Noon(), on=dies)
    )
    while not process.done():
        try:
            await server.serving(process)
        except ConnectionAbortedError:
            break
    assert server.target == deployment()
