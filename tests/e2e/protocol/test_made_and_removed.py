"""An object that is made, and pods that are removed, on a real API server: once, found after a crash, never late."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from tests.e2e.protocol.lab import Crash, Lab, WallClock, crash_at, drill, kubectl, until, workload

from kubedrill.core.paths import ApiPath
from kubedrill.core.undo.operations import Create, Operation, Remove, Target
from kubedrill.core.undo.record import DrillIdentity, RecordState
from kubedrill.plugins.operations.catalogue import all_reverters
from kubedrill.protocol.inject import inject
from kubedrill.protocol.outcomes import (
    FAULT_PATCHED,
    RECORD_WRITTEN,
    At,
    Injection,
    InjectionOutcome,
    Reversal,
    RevertOutcome,
    nothing,
)
from kubedrill.protocol.revert import revert
from kubedrill.store.undo_records import list_records

LATEST = timedelta(seconds=131)


class Making:
    """A drill that makes a quota which limits nothing, in the lab's namespace."""

    def __init__(self, lab: Lab, name: str) -> None:
        self.lab, self.who = lab, drill()
        self.target = Target("", "v1", "ResourceQuota", "resourcequotas", lab.namespace, name)
        spec = {"hard": {"services": "100"}}
        manifest = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": name}, "spec": spec}
        self.operation: Operation = Create(self.target, manifest)

    async def inject(self, on: At = nothing) -> InjectionOutcome:
        lab = self.lab
        # All tests are in one namespace; to the lock on namespaces each is in one of its own.
        identity = DrillIdentity(self.who.uid, self.who.name, lab.control, f"{lab.namespace}-{self.target.name}")
        until_when = lab.clock.now() + timedelta(minutes=5)
        reverters = all_reverters(lab.kube, lab.clock.now)
        faults = {"made": [self.operation]}
        return await inject(lab.kube, identity, faults, until_when, lab.clock, reverters=reverters, on=on)

    async def dies_at(self, point: str) -> None:
        with pytest.raises(Crash):
            await self.inject(crash_at(point))

    async def revert(self, ahead: timedelta = timedelta(0)) -> RevertOutcome:
        """One try, by somebody whose clock is so far ahead."""
        clock, lab = WallClock(ahead), self.lab
        (stored,) = (await list_records(lab.kube, lab.control, self.who.uid)).readable
        return await revert(lab.kube, stored, "Watchdog", clock, reverters=all_reverters(lab.kube, clock.now))

    async def put_back(self) -> RevertOutcome:
        async def reverted() -> RevertOutcome | None:
            outcome = await self.revert()
            return outcome if outcome.state is Reversal.REVERTED else None

        return await until(reverted, within=20)

    async def there(self) -> dict[str, Any] | None:
        answer = await self.lab.kube.get(self.target.path)
        return answer.body if answer.ok else None


async def test_it_is_made_once_and_removed_again(lab: Lab):
    making = Making(lab, "made-once")
    assert (await making.inject()).state is Injection.INJECTED
    made = await making.there()
    stored = await lab.record(making.who)
    assert made is not None
    assert (stored.record.state, stored.record.made) == (RecordState.INJECTED, made["metadata"]["uid"])
    # what the quota controller writes is its status alone
    assert [e["manager"] for e in made["metadata"]["managedFields"] if "subresource" not in e] == [
        stored.record.manager
    ]
    outcome = await making.put_back()
    assert [field.outcome for field in outcome.fields] == ["Restored"]
    assert await making.there() is None


async def test_what_has_the_name_is_refused_before_anything_is_stored(lab: Lab):
    making = Making(lab, "made-by-others")
    lab.applied({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "made-by-others"}, "spec": {}})
    outcome = await making.inject()
    assert (outcome.state, outcome.targets[0].reason) == (Injection.REFUSED, "AlreadyThere")
    assert (await list_records(lab.kube, lab.control, making.who.uid)).readable == ()
    kubectl("delete", "-n", lab.namespace, "resourcequota/made-by-others")


async def test_after_a_death_when_it_was_made_it_is_found(lab: Lab):
    making = Making(lab, "made-and-found")
    await making.dies_at(FAULT_PATCHED)
    before = await making.there()
    assert before is not None
    assert (await making.inject()).state is Injection.INJECTED
    stored = await lab.record(making.who)
    assert (stored.record.made, stored.record.loose) == (before["metadata"]["uid"], 0)
    await making.put_back()


async def test_after_a_death_before_it_was_made_the_history_shows_that_it_never_was(lab: Lab):
    making = Making(lab, "made-later")
    await making.dies_at(RECORD_WRITTEN)
    assert (await making.inject()).state is Injection.INJECTED
    assert await making.there() is not None
    tried = await making.revert()
    assert (tried.state, tried.reason, tried.restored) == (Reversal.RETRY, "Draining", True)
    assert await making.there() is None
    assert (await making.revert(LATEST)).state is Reversal.REVERTED


async def test_what_a_player_has_removed_meanwhile_is_not_made_again(lab: Lab):
    making = Making(lab, "made-and-removed")
    await making.dies_at(FAULT_PATCHED)
    kubectl("delete", "-n", lab.namespace, "resourcequota/made-and-removed")
    outcome = await making.inject()
    assert (outcome.state, outcome.targets[0].reason) == (Injection.UNDONE, "ChangedMeanwhile")
    assert await making.there() is None
    assert (await making.revert(LATEST)).state is Reversal.REVERTED


async def test_what_comes_late_is_removed_while_it_is_waited_for(lab: Lab):
    making = Making(lab, "made-late")
    await making.dies_at(RECORD_WRITTEN)
    assert (await making.revert()).reason == "Draining"
    stored = await lab.record(making.who)
    assert isinstance(making.operation, Create)
    path = ApiPath(making.target.path.rpartition("/")[0])
    query = [("fieldManager", stored.record.manager)]
    assert (await lab.kube.call("POST", path, dict(making.operation.manifest), query=query)).ok
    outcome = await making.put_back()
    assert [field.outcome for field in outcome.fields] == ["Restored"]
    assert await making.there() is None


async def test_of_two_that_make_it_at_once_one_object_comes(lab: Lab):
    making = Making(lab, "made-by-two")
    outcomes = await asyncio.gather(making.inject(), making.inject())
    assert Injection.INJECTED in {outcome.state for outcome in outcomes}
    made = await making.there()
    assert made is not None
    assert (await lab.record(making.who)).record.made == made["metadata"]["uid"]
    assert (await making.revert(LATEST)).state is Reversal.REVERTED
    assert await making.there() is None


async def test_pods_are_removed_by_their_uids_and_the_undo_waits_for_nothing(lab: Lab):
    target = await lab.made(workload("Deployment", "removed", replicas=2), quiet=False)

    async def pods() -> list[dict[str, Any]] | None:
        query = [("labelSelector", "app=removed")]
        answer = await lab.kube.get(ApiPath(f"/api/v1/namespaces/{lab.namespace}/pods"), query=query)
        found = [p for p in answer.body["items"] if "deletionTimestamp" not in p["metadata"]]
        return found if len(found) == 2 else None

    before = {pod["metadata"]["uid"] for pod in await until(pods, within=30)}
    removing = Making(lab, "removed")
    removing.operation = Remove(target, 1, 0)
    assert (await removing.inject()).state is Injection.INJECTED
    now = {pod["metadata"]["uid"] for pod in await until(pods, within=30)}
    assert len(before - now) == 1
    assert (await removing.revert()).state is Reversal.REVERTED
    kubectl("delete", "-n", lab.namespace, "deployment/removed")
