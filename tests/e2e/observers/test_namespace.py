"""What really happens in a namespace, as the observer tells it: kills, changes, words; with true instants."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import timedelta

from tests.e2e.observers.conftest import kubectl
from tests.observers.builders import drill_plan

from kubedrill.controller.gathering import FactInbox, NamespaceWatches, Scope
from kubedrill.core.evidence import matching
from kubedrill.core.evidence.facts import FactKind, Interval
from kubedrill.kube.client import MERGE_PATCH, Kube
from kubedrill.kube.clock import ServerClock
from kubedrill.kube.informers import Informers

CLOCK = ServerClock(timedelta(milliseconds=100))
DEADLINE = 60
WIDEST = timedelta(seconds=1) + 2 * CLOCK.error
GREEDY = "import time; time.sleep(1.5); x = b'x' * 60_000_000; time.sleep(1e6)"


def worker(limit: str):
    container = {
        "name": "worker",
        "image": "localhost/kubedrill/staging-app:dev",
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-c", GREEDY],
        "resources": {"limits": {"memory": limit}, "requests": {"memory": "16Mi", "cpu": "5m"}},
    }
    return {
        "metadata": {"name": "worker"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "worker"}},
            "template": {
                "metadata": {"labels": {"app": "worker"}},
                "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
            },
        },
    }


class Scene:
    """The observed namespace, and what was told so far."""

    def __init__(self, kube, namespace, inbox):
        self.kube, self.namespace, self._inbox, self._facts = kube, namespace, inbox, []

    async def do(self, method, path, body, *, by=None, **more):
        """One request; gives when it was sent and answered. `by` is somebody else's connection."""
        sent = CLOCK.now()
        answer = await (by or self.kube).call(method, path, body, **more)
        assert answer.ok, answer.message
        return Interval(sent, CLOCK.now())

    async def fact(self, kind, **detail):
        async with asyncio.timeout(DEADLINE):
            while True:
                self._facts.extend(self._inbox.drain())
                for fact in self._facts:
                    if fact.kind is kind and detail.items() <= fact.detail.items():
                        return fact
                await asyncio.sleep(0.02)

    def matched(self):
        return matching.matched(self._facts, drill_plan().players)

    @property
    def deployments(self):
        return f"/apis/apps/v1/namespaces/{self.namespace}/deployments"


@asynccontextmanager
async def speaking_as(user):
    """The connection of somebody who may speak anywhere, under their own name."""
    connection = await Kube.connect(as_user=user, as_group="system:masters")
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def on_stage(kube, namespace):
    inbox = FactInbox()
    observer = NamespaceWatches(Informers(kube, CLOCK), CLOCK, inbox, lambda: None)
    scope = Scope("monday", namespace, CLOCK.now() - timedelta(seconds=2))
    await observer.start(drill_plan(namespace=namespace), scope)
    observer.hear(drill_plan().players)
    try:
        assert observer.problems == ()
        yield Scene(kube, namespace, inbox)
    finally:
        await observer.stop()


def holds(fact, truth):
    """The true instants lie in the fact's interval, which is no wider than stated."""
    assert fact.at.not_before <= truth.not_before
    assert truth.not_after - fact.at.not_after <= CLOCK.error
    assert fact.at.width <= WIDEST


async def test_a_real_kill_is_told_as_the_cluster_itself_tells_it(kube, namespace):
    async with on_stage(kube, namespace) as scene:
        await scene.do("POST", scene.deployments, worker("24Mi"))
        fact = await scene.fact(FactKind.POD_OOM_KILLED)
        assert fact.detail["exitCode"] == 137
        assert fact.at.width <= WIDEST
        pod = json.loads(kubectl("-n", namespace, "get", "pod", fact.detail["pod"], "-o", "json"))
        (status,) = pod["status"]["containerStatuses"]
        ended = [status[place]["terminated"] for place in ("state", "lastState") if "terminated" in status[place]]
        assert "OOMKilled" in {e["reason"] for e in ended}
        await scene.fact(FactKind.WORKLOAD_STATE, killed=1)
        await scene.do("DELETE", scene.deployments + "/worker", None)
        await scene.fact(FactKind.POD_GONE)


async def test_a_players_patch_and_scale_hold_the_true_instants_and_name_who_can_be_named(kube, namespace):
    async with on_stage(kube, namespace) as scene:
        await scene.do("POST", scene.deployments, worker("128Mi") | {"metadata": {"name": "calm"}})
        await scene.fact(FactKind.WORKLOAD_STATE, target="Deployment/calm")
        await asyncio.sleep(1.1)  # a watch that stands only just now states a wider interval
        limit = [{"op": "replace", "path": "/spec/template/spec/containers/0/resources/limits/memory", "value": "96Mi"}]
        patched = await scene.do(
            "PATCH",
            scene.deployments + "/calm",
            limit,
            content_type="application/json-patch+json",
            query=[("fieldManager", "alice")],
        )
        fact = await scene.fact(FactKind.TARGET_CHANGED, after="96Mi")
        holds(fact, patched)
        assert fact.detail["manager"] == "alice"
        for replicas in (2, 0):
            truth = await scene.do(
                "PATCH",
                scene.deployments + "/calm/scale",
                {"spec": {"replicas": replicas}},
                content_type=MERGE_PATCH,
                query=[("fieldManager", "kubectl")],
            )
            fact = await scene.fact(FactKind.SCALED, after=replicas)
            holds(fact, truth)
            # The API server forgets who scaled as soon as two have: the audit log alone would tell.
            assert fact.detail["manager"] in ("kubectl", "")
        strangers = {f.detail["path"] for f in scene.matched() if f.kind is FactKind.INTERFERENCE}
        assert strangers >= {"/spec/replicas"}


async def test_an_autoscaler_is_not_taken_for_a_stranger_even_where_no_manager_is_left(kube, namespace):
    async with on_stage(kube, namespace) as scene:
        name = {"metadata": {"name": "auto"}}
        await scene.do("POST", scene.deployments, worker("128Mi") | name)
        for replicas in (0, 1):
            await scene.do(
                "PATCH", scene.deployments + "/auto/scale", {"spec": {"replicas": replicas}}, content_type=MERGE_PATCH
            )
        reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "auto"}
        bounds = {"minReplicas": 2, "maxReplicas": 3, "scaleTargetRef": reference}
        scalers = f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers"
        await scene.do("POST", scalers, name | {"spec": bounds})
        await scene.fact(FactKind.SCALED, target="Deployment/auto", after=2, autoscaler="auto")
        await scene.fact(FactKind.SCALED, path="/spec/replicas", target="Deployment/auto", after=2, before=1)
        by = {
            f.detail["by"]
            for f in scene.matched()
            if f.kind is FactKind.SCALED and f.detail["target"] == "Deployment/auto" and f.detail["after"] == 2
        }
        assert by == {"Automation"}


async def test_a_players_word_holds_its_true_instants(kube, namespace):
    async with on_stage(kube, namespace) as scene, speaking_as("alice@example.com") as alice:
        path = f"/apis/kubedrill.dev/v1alpha1/namespaces/{namespace}/playeractions"
        for n in range(10):
            truth = await scene.do(
                "POST",
                path,
                {
                    "apiVersion": "kubedrill.dev/v1alpha1",
                    "kind": "PlayerAction",
                    "metadata": {"name": f"word-{n}"},
                    "spec": {"actor": "alice@example.com", "action": "Acknowledge", "message": str(n)},
                },
                by=alice,
            )
            fact = await scene.fact(FactKind.ACKNOWLEDGED, message=str(n))
            holds(fact, truth)
            assert fact.actor == "alice"
