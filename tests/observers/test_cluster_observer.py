import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

from tests.observers.builders import ALICE, drill_plan
from tests.observers.wire import standing, until
from tests.signals.builders import death, deployment, pod, wrote_limit

from kubedrill.controller.gathering import FactInbox, NamespaceWatches, Scope
from kubedrill.core.evidence.facts import Fact, FactKind
from kubedrill.kube.clock import ServerClock
from kubedrill.kube.informers import Informers
from kubedrill.plugins.sources.base import OwnWrites

CLOCK = ServerClock(timedelta(0))
PODS = "/api/v1/namespaces/shop/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"
SAID = "/apis/kubedrill.dev/v1alpha1/namespaces/shop/playeractions"
SAID_IN_CONTROL = "/apis/kubedrill.dev/v1alpha1/namespaces/drills/playeractions"
NOTHING = OwnWrites()
SCOPE = Scope("monday", "drills", CLOCK.now() - timedelta(minutes=5))


class Stage:
    """The observer, its wire, and the facts that came so far."""

    def __init__(self, wire, observer, inbox, wakes):
        self.wire, self.observer, self.wakes = wire, observer, wakes
        self._inbox, self._facts = inbox, []

    def facts(self, *kinds: FactKind):
        self._facts.extend(self._inbox.drain())
        return [f for f in self._facts if f.kind in kinds]

    async def fact(self, kind: FactKind, number: int = 1):
        return (await until(lambda: len(self.facts(kind)) >= number and self.facts(kind)))[number - 1]


@asynccontextmanager
async def observed(own=NOTHING, prepare=lambda _: None, **start):
    async with standing() as (wire, kube):
        prepare(wire)
        inbox, wakes = FactInbox(), []
        observer = NamespaceWatches(Informers(kube, CLOCK), CLOCK, inbox, lambda: wakes.append(1))
        observer.own = own
        await observer.start(drill_plan(), SCOPE, **start)
        observer.hear((ALICE,))
        try:
            yield Stage(wire, observer, inbox, wakes)
        finally:
            await observer.stop()


def with_worker(wire):
    wire.put(DEPLOYMENTS, 5, deployment("64Mi", replicas=2))
    wire.put(PODS, 5, pod("a", ready=True), pod("b", ready=True))


def word(actor="alice@example.com", action="Acknowledge", name="w1"):
    created = CLOCK.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "metadata": {"name": name, "uid": name, "creationTimestamp": created},
        "spec": {"actor": actor, "action": action, "message": "memory"},
    }


async def test_an_oom_kill_becomes_a_fact_and_wakes_the_drill():
    async with observed(prepare=with_worker) as stage:
        before = len(stage.wakes)
        await stage.wire.tell(PODS, "MODIFIED", pod("a", state=death(0)))
        assert (await stage.fact(FactKind.POD_OOM_KILLED)).detail["pod"] == "a"
        assert len(stage.wakes) > before


async def test_the_state_of_the_pods_is_told_once_everything_was_listed_and_when_it_changes():
    async with observed(prepare=with_worker) as stage:
        assert (await stage.fact(FactKind.WORKLOAD_STATE)).detail["ready"] == 2
        await stage.wire.tell(PODS, "MODIFIED", pod("a", ready=False))
        assert (await stage.fact(FactKind.WORKLOAD_STATE, 2)).detail["ready"] == 1
        await stage.wire.tell(PODS, "MODIFIED", pod("a", ready=False, restarts=1))
        await stage.wire.tell(PODS, "DELETED", pod("b", ready=True))
        assert (await stage.fact(FactKind.WORKLOAD_STATE, 3)).detail["ready"] == 0


async def test_many_pods_hold_up_no_start_and_what_happens_while_they_are_listed_is_told():
    def with_pages_of_pods(wire):
        with_worker(wire)
        wire.page, wire.turning[PODS] = 1, asyncio.Event()

    async with observed(prepare=with_pages_of_pods) as stage:
        await until(lambda: stage.wire.lists.count(PODS) == 2)
        assert stage.observer.workload("Deployment/worker")
        assert (stage.wire.watched(PODS), stage.facts(FactKind.WORKLOAD_STATE)) == ([], [])
        assert stage.observer.heard is None
        stage.wire.turning[PODS].set()
        # what has happened since the first page is told by the watch, for it begins where all pages are of
        await stage.wire.tell(PODS, "MODIFIED", pod("a", state=death(0)))
        await stage.wire.tell(PODS, "DELETED", pod("b", ready=True))
        assert (await stage.fact(FactKind.POD_GONE)).detail["pod"] == "b"
        assert [f.detail["pod"] for f in stage.facts(FactKind.POD_OOM_KILLED)] == ["a"]
        assert stage.facts(FactKind.WORKLOAD_STATE)[0].detail["ready"] == 2
        assert (stage.wire.lists.count(PODS), stage.wire.watched(PODS)) == (2, ["5"])


async def test_what_is_remembered_for_a_restart_is_listed_whole_by_the_start():
    async with standing() as (wire, kube):
        wire.put(DEPLOYMENTS, 5, deployment("64Mi"), deployment("64Mi") | {"metadata": {"name": "web", "uid": "w"}})
        wire.page, wire.turning[DEPLOYMENTS] = 1, asyncio.Event()
        observer = NamespaceWatches(Informers(kube, CLOCK), CLOCK, FactInbox(), lambda: None)
        start = asyncio.create_task(observer.start(drill_plan(), SCOPE))
        await until(lambda: wire.lists.count(DEPLOYMENTS) == 2)
        assert not start.done()
        wire.turning[DEPLOYMENTS].set()
        await start
        assert {item["metadata"]["name"] for item in observer.remembered} == {"worker", "web"}
        await observer.stop()


async def test_a_workload_is_known_as_it_was_told_last_by_the_time_its_fact_wakes_the_drill():
    async with observed(prepare=with_worker) as stage:
        assert stage.observer.workload("Deployment/nobody") is None
        await stage.wire.tell(DEPLOYMENTS, "MODIFIED", deployment("128Mi", replicas=2, generation=2))
        await stage.fact(FactKind.TARGET_CHANGED)
        told = stage.observer.workload("Deployment/worker")
        assert told["metadata"]["generation"] == 2


async def test_a_players_fix_is_told_with_who_wrote_it():
    async with observed(prepare=with_worker) as stage:
        fixed = deployment("128Mi", replicas=2, generation=2, managers=(wrote_limit("tom", 0),))
        await stage.wire.tell(DEPLOYMENTS, "MODIFIED", fixed)
        fact = await stage.fact(FactKind.TARGET_CHANGED)
        assert (fact.detail["after"], fact.detail["manager"]) == ("128Mi", "tom")


async def test_the_drills_own_injection_is_not_told():
    own = OwnWrites(frozenset({"m-1"}))
    async with observed(own, with_worker) as stage:
        faulted = deployment("32Mi", replicas=2, generation=2, managers=(wrote_limit("m-1", 0),))
        scaled = deployment("32Mi", replicas=4, generation=3, managers=(wrote_limit("m-1", 0),))
        await stage.wire.tell(DEPLOYMENTS, "MODIFIED", faulted)
        await stage.wire.tell(DEPLOYMENTS, "MODIFIED", scaled)
        await stage.fact(FactKind.SCALED)
        assert stage.facts(FactKind.TARGET_CHANGED) == []


async def test_a_fix_while_nobody_watched_is_found_from_what_was_remembered():
    since = CLOCK.now() - timedelta(seconds=30)
    async with observed(prepare=with_worker) as stage:
        remembered = stage.observer.remembered

    def fixed_meanwhile(wire):
        entry = (wrote_limit("tom", 0),)
        wire.put(DEPLOYMENTS, 9, deployment("128Mi", replicas=2, generation=2, managers=entry))

    async with observed(prepare=fixed_meanwhile, remembered=remembered, since=since) as stage:
        fact = await stage.fact(FactKind.TARGET_CHANGED)
        assert fact.at.not_before >= since - timedelta(seconds=1)
        assert (await stage.fact(FactKind.GAP)).at.not_before == since


async def test_a_players_word_is_heard_in_the_target_namespace():
    async with observed() as stage:
        await stage.wire.tell(SAID, "ADDED", word())
        assert (await stage.fact(FactKind.ACKNOWLEDGED)).actor == "alice"


async def test_a_word_is_read_when_it_is_known_who_plays_and_waits_until_then():
    async with standing() as (wire, kube):
        wire.put(SAID, 5, word(name="w1"))
        inbox = FactInbox()
        observer = NamespaceWatches(Informers(kube, CLOCK), CLOCK, inbox, lambda: None)
        await observer.start(drill_plan(), SCOPE)
        assert inbox.drain() == ()
        observer.hear((ALICE,))
        assert [(f.kind, f.actor) for f in inbox.drain()] == [(FactKind.ACKNOWLEDGED, "alice")]
        await observer.stop()


async def test_the_facilitators_word_counts_in_the_control_namespace_alone():
    async with observed() as stage:
        await stage.wire.tell(SAID, "ADDED", word("alice@example.com", "Hint", "w1"))
        await stage.wire.tell(SAID_IN_CONTROL, "ADDED", word("lead", "Hint", "w2"))
        assert (await stage.fact(FactKind.HINT_GIVEN)).id == "action/w2"
        assert len(stage.facts(FactKind.HINT_GIVEN)) == 1


async def test_how_pods_were_before_the_drill_began_is_no_fact_of_it_and_counts_all_the_same():
    began = CLOCK.now() + timedelta(seconds=5)
    scope = Scope("monday", "drills", CLOCK.now(), began)
    async with standing() as (wire, kube):
        with_worker(wire)
        inbox = FactInbox()
        observer = NamespaceWatches(Informers(kube, CLOCK), CLOCK, inbox, lambda: None)
        await observer.start(drill_plan(), scope)
        assert inbox.drain() == ()
        observer._begun = CLOCK.now() - timedelta(seconds=5)
        await wire.tell(PODS, "MODIFIED", pod("b", state=death(0)))
        facts: list[Fact] = []

        def heard() -> list[Fact]:
            facts.extend(inbox.drain())
            return facts

        (state,) = await until(heard)
        assert (state.kind, state.detail["killed"], state.detail["ready"]) == (FactKind.WORKLOAD_STATE, 1, 1)
        await observer.stop()


async def test_a_poison_object_holds_up_no_other():
    async with observed(prepare=with_worker) as stage:
        poison = pod("p", state={"terminated": {"reason": "OOMKilled", "finishedAt": "never"}})
        await stage.wire.tell(PODS, "ADDED", poison)
        await stage.wire.tell(PODS, "MODIFIED", pod("a", state=death(0)))
        assert (await stage.fact(FactKind.POD_OOM_KILLED)).detail["pod"] == "a"


async def test_what_cant_be_watched_is_a_problem_and_holds_up_nothing_else(monkeypatch):
    monkeypatch.setattr("kubedrill.controller.gathering.namespace.SYNC_WITHIN", 0.0)

    def without_definition(wire):
        with_worker(wire)
        wire.refuse[SAID] = 404

    async with observed(prepare=without_definition) as stage:
        await until(lambda: any(SAID in p and "404" in p for p in stage.observer.problems))
        assert stage.observer.heard is None
        await stage.fact(FactKind.WORKLOAD_STATE)


async def test_what_is_listed_after_nobody_waits_for_it_any_more_is_told_then(monkeypatch):
    monkeypatch.setattr("kubedrill.controller.gathering.namespace.SYNC_WITHIN", 0.0)

    async with observed(prepare=with_worker) as stage:
        assert stage.facts(FactKind.WORKLOAD_STATE) == []
        await stage.fact(FactKind.WORKLOAD_STATE)


async def test_a_standing_observer_has_no_problems_and_was_heard():
    async with observed() as stage:
        await until(lambda: stage.observer.heard)
        assert stage.observer.problems == ()
