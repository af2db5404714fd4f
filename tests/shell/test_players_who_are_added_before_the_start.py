"""Until a drill has started its players may be edited, and whoever is one at the start is heard from the start on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from tests.giving_up.lab import DRILL, Lab, StrictCluster
from tests.observers.builders import ERRORS, measured
from tests.observers.wire import Wire, until
from tests.shell.test_a_held_drill_holds_no_watch import EVERYTHING, REVIEWS, SCENARIO, SPACE
from tests.watchdog.wire import CONTROL, SECRETS
from tests.wire import connected_to

from kubedrill.controller.gathering import MonitoringProbe, Probe
from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.machine.phases import Phase

SAID = "/apis/kubedrill.dev/v1alpha1/namespaces/shop/playeractions"
ALICE = {"name": "alice", "role": "L1", "identities": {"kubernetes": "alice@example.com"}}
BOB = {"name": "bob", "role": "L2", "identities": {"kubernetes": "bob@example.com"}}


class RecordKeeper(StrictCluster):
    """Gives each undo record its namespace and UID, as the real server does: without them no turn can read it."""

    def _stored(self, method: str, path: str, body: Any) -> web.Response:
        if method == "POST" and path == SECRETS:
            body["metadata"] |= {"namespace": CONTROL, "uid": f"uid-{body['metadata']['name']}"}
        return super()._stored(method, path, body)


class Stage:
    """A drill of alice's, which may be edited, on a server whose watches tell what people say."""

    def __init__(self, lab: Lab, wire: Wire) -> None:
        self.lab, self.wire = lab, wire
        self.is_steady = True

    def edited(self, **spec: Any) -> None:
        """The Drill's spec was edited: a new generation of it."""
        drill = self.lab.cluster.drill_now
        meta = {**drill["metadata"], "generation": drill["metadata"]["generation"] + 1}
        self.lab.cluster.put(DRILL, {**drill, "metadata": meta, "spec": {**drill["spec"], **spec}})

    def word(self, name: str, actor: str = "bob@example.com") -> dict[str, Any]:
        made = self.lab.cluster.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        meta = {"name": name, "namespace": "shop", "uid": name, "creationTimestamp": made}
        return {"metadata": meta, "spec": {"actor": actor, "action": "Acknowledge"}}

    async def says(self, name: str, actor: str = "bob@example.com") -> None:
        """Somebody acknowledges, while the words in the target namespace are watched."""
        word = self.word(name, actor)
        self.lab.cluster.put(f"{SAID}/{name}", word)
        await self.wire.tell(SAID, "ADDED", word)
        running = self.lab.informers._running
        await until(lambda: word in [known for one in running.values() for known in one.watch.objects])

    async def starts(self) -> None:
        self.edited(desired="Run")
        await self.lab.goes_on(3)
        assert self.lab.state.phase is Phase.ARMED, self.lab.cluster.status["message"]

    async def heard(self, name: str) -> tuple[str, str]:
        """What became of a word in the stored evidence: the kind of its fact, and who is its actor."""
        await self.lab.goes_on(2)
        for path, thing in self.lab.cluster.objects.items():
            for line in thing.get("data", {}).get("facts", "").splitlines() if "/configmaps/" in path else ():
                fact = json.loads(line)
                if fact["id"] == f"action/{name}":
                    return fact["kind"], fact.get("actor", "")
        return "not heard", ""


HEARD = (FactKind.ACKNOWLEDGED, "bob")


@pytest.fixture
async def stage(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    cluster, wire = RecordKeeper(), Wire()

    async def answer(request: web.Request) -> web.StreamResponse:
        return await (wire if request.query.get("watch") == "true" else cluster).answer(request)

    def answering(request: web.Request) -> web.Response | None:
        if request.path == REVIEWS:
            return web.json_response(EVERYTHING, status=201)
        if request.method == "GET" and request.path.endswith(("/deployments", "/statefulsets", "autoscalers")):
            return web.json_response({"items": [], "metadata": {"resourceVersion": "1"}})
        return None

    async with connected_to(answer) as kube:
        lab = Lab(cluster, kube, desired="Hold", scenario=SCENARIO, players=[ALICE])
        stage = Stage(lab, wire)

        async def probed(self: MonitoringProbe, *_: object, **__: object) -> Probe:
            now, rules = self._clock.now(), {"Errors": ERRORS}
            return Probe(now, reachable=stage.is_steady, error="not yet", rules=rules, impact=measured(0, now))

        monkeypatch.setattr(MonitoringProbe, "probe", probed)
        cluster.answering = answering
        cluster.put(
            SPACE, {"metadata": {"name": "shop", "uid": "n1", "labels": {"kubedrill.dev/control-namespace": "drills"}}}
        )
        yield stage
        await lab.task.stop()


async def held(stage: Stage) -> None:
    await stage.lab.goes_on(5)
    assert stage.lab.state.phase is Phase.HELD, stage.lab.cluster.status["message"]


async def test_a_player_who_is_added_while_it_is_held_is_heard_after_the_start(stage: Stage):
    await held(stage)
    stage.edited(players=[ALICE, BOB])
    await stage.lab.goes_on(12)
    await stage.starts()
    await stage.says("ack")
    assert await stage.heard("ack") == HEARD


async def test_a_player_who_is_added_by_the_edit_that_starts_it_is_heard(stage: Stage):
    await held(stage)
    stage.edited(players=[ALICE, BOB], desired="Run")
    await stage.starts()
    await stage.says("ack")
    assert await stage.heard("ack") == HEARD


async def test_a_player_who_is_added_while_the_checks_still_run_is_heard(stage: Stage):
    stage.is_steady = False
    stage.edited(desired="Run")
    await stage.lab.goes_on(5)
    assert stage.lab.state.phase is Phase.PREFLIGHT
    stage.edited(players=[ALICE, BOB])
    await stage.lab.goes_on(5)
    stage.is_steady = True
    await stage.starts()
    await stage.says("ack")
    assert await stage.heard("ack") == HEARD


async def test_what_is_said_before_the_start_is_read_by_the_list_as_it_stands_at_the_start(stage: Stage):
    stage.is_steady = False
    stage.edited(desired="Run")
    await stage.lab.goes_on(5)
    await stage.says("early")
    await stage.says("left", "alice@example.com")
    stage.edited(players=[BOB], desired="Hold")
    await stage.lab.goes_on(5)
    stage.is_steady = True
    await stage.starts()
    assert await stage.heard("early") == HEARD
    assert await stage.heard("left") == (FactKind.NOTED, "")


async def test_who_is_on_no_list_is_noted(stage: Stage):
    await held(stage)
    await stage.starts()
    await stage.says("ack")
    assert await stage.heard("ack") == (FactKind.NOTED, "")
