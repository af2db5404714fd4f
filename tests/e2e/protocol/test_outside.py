"""Operations outside the API server go through the same records, and what is done by hand waits for a word."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast

import pytest
from tests.e2e.protocol.lab import Crash, Lab, changes, crash_at, drill, kubectl
from tests.integration.services import redis_server
from tests.reverters.builders import jobs

from kubedrill.core.undo.operations import Announce, Ask, Enqueue, Operation, Refusal, SetFields
from kubedrill.core.undo.record import Again, Done, DrillIdentity, Progress, RecordState
from kubedrill.plugins.operations.base import Reverter, Reverters
from kubedrill.plugins.operations.redis import RedisJobs
from kubedrill.protocol.inject import inject, sustain
from kubedrill.protocol.outcomes import FAULT_PATCHED, Injection, InjectionOutcome, Reversal
from kubedrill.store.undo_records import list_records


class Alerts:
    """A reverter that remembers: what was announced, and how often it was asked to resolve."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.refusal: Refusal | None = None
        self.resolving = 1
        self.reachable = True

    async def prepare(self, _operation: Any) -> Refusal | None:
        return self.refusal

    async def inject(self, _record: Any, _group: Any) -> Progress:
        if not self.reachable:
            return Again(timedelta(seconds=2), "Unreachable", "no route to host")
        self.calls.append("inject")
        return Again(timedelta(seconds=10), "Refreshing")

    async def seen_in(self, _record: Any, _group: Any) -> None:
        return None

    async def revert(self, _record: Any, _group: Any) -> Progress:
        self.calls.append("revert")
        self.resolving -= 1
        return Done("resolved") if self.resolving < 0 else Again(timedelta(seconds=1), "Resolving")


def fire(name: str) -> Announce:
    return Announce("alertmanager", 9093, {"alertname": name}, {})


async def injected(
    lab: Lab, who: DrillIdentity, faults: dict[str, list[Operation]], alerts: Alerts, **options: Any
) -> InjectionOutcome:
    return await inject(
        lab.kube,
        DrillIdentity(who.uid, who.name, lab.control),
        faults,
        lab.clock.now() + timedelta(minutes=5),
        lab.clock,
        reverters={Announce: cast("Reverter", alerts)},
        **options,
    )


async def test_an_alert_is_announced_refreshed_and_resolved(lab: Lab):
    who, alerts = drill(), Alerts()

    outcome = await injected(lab, who, {"call": [fire("Fire")]}, alerts)
    again = await sustain(await lab.record(who), {Announce: cast("Reverter", alerts)})
    first = await lab.revert(outcome, reverters={Announce: alerts})
    second = await lab.revert(outcome, reverters={Announce: alerts})

    assert outcome.state is Injection.INJECTED
    assert again == timedelta(seconds=10)
    assert (first.state, first.reason, first.after) == (Reversal.RETRY, "Resolving", timedelta(seconds=1))
    assert (second.state, [f.outcome for f in second.fields]) == (Reversal.REVERTED, ["Restored"])
    assert alerts.calls == ["inject", "inject", "revert", "revert"]


async def test_a_crash_before_it_is_known_to_be_announced_still_resolves_it(lab: Lab):
    who, alerts = drill(), Alerts()
    alerts.resolving = 0
    with pytest.raises(Crash):
        await injected(lab, who, {"call": [fire("Half")]}, alerts, on=crash_at(FAULT_PATCHED))

    stored = await lab.record(who)
    outcome = await lab.revert(stored.ref, reverters={Announce: alerts})

    assert stored.record.state is RecordState.INTENDED
    assert outcome.state is Reversal.REVERTED
    assert alerts.calls == ["inject", "revert"]


async def test_what_cannot_be_reached_is_not_called_injected(lab: Lab):
    who, alerts = drill(), Alerts()
    alerts.reachable = False

    outcome = await injected(lab, who, {"call": [fire("Far")]}, alerts)

    assert outcome.state is Injection.PENDING
    assert (await lab.record(who)).record.state is RecordState.INTENDED
    alerts.reachable = True
    assert (await injected(lab, who, {"call": [fire("Far")]}, alerts)).state is Injection.INJECTED


@pytest.mark.parametrize(
    ("reason", "state"),
    [("QueueIsOfAnotherKind", Injection.REFUSED), ("AlertmanagerUnreachable", Injection.PENDING)],
    ids=["what is wrong is refused", "what does not answer now is tried again"],
)
async def test_what_a_reverter_refuses_leaves_no_record(lab: Lab, reason: str, state: Injection):
    who, alerts = drill(), Alerts()
    alerts.refusal = Refusal(reason, "not now")

    outcome = await injected(lab, who, {"call": [fire("Refused")]}, alerts)

    assert (outcome.state, outcome.targets[0].reason) == (state, reason)
    assert not await list_records(lab.kube, lab.control, who.uid)


async def test_if_one_target_is_refused_no_other_is_touched(lab: Lab):
    who, alerts = drill(), Alerts()
    faults: dict[str, list[Operation]] = {
        "call": [fire("Both")],
        "squeeze": [SetFields(lab.target("nobody"), changes())],
    }

    outcome = await injected(lab, who, faults, alerts)

    assert [t.state for t in outcome.targets] == [Injection.PENDING, Injection.REFUSED]
    assert alerts.calls == []


@pytest.fixture
def queue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a real Redis."""
    with redis_server(tmp_path_factory.mktemp("redis")) as port:
        yield port


async def test_d10_what_a_namespace_took_with_it_is_gone_and_its_name_can_be_drilled_again(lab: Lab, queue: int):
    """A preview environment with its own Redis is torn down in the middle of a drill, and made anew."""
    space = f"{lab.namespace}-preview"
    reverters: Reverters = {Enqueue: RedisJobs(lab.clock.now, resolve=lambda _host, _port: ("127.0.0.1", queue))}
    deadline = lab.clock.now() + timedelta(minutes=5)

    async def flooded(who: DrillIdentity) -> InjectionOutcome:
        load = jobs(6379, host=f"redis.{space}.svc", namespace=space, prefix=f"drill-{who.uid}-flood-", in_flight=())
        identity = DrillIdentity(who.uid, who.name, lab.control, space)
        return await inject(lab.kube, identity, {"flood": [load]}, deadline, lab.clock, reverters=reverters)

    kubectl("create", "namespace", space)
    before, after = drill(), drill()
    first = await flooded(before)
    kubectl("delete", "namespace", space)
    kubectl("create", "namespace", space)
    second = await flooded(after)
    gone = await lab.revert((await lab.record(before)).ref, reverters=reverters)
    back = await lab.put_back((await lab.record(after)).ref, reverters=reverters)
    kubectl("delete", "namespace", space, "--wait=false")

    assert (first.state, second.state) == (Injection.INJECTED, Injection.INJECTED)
    assert (gone.state, [f.outcome for f in gone.fields]) == (Reversal.REVERTED, ["Gone"])
    assert [f.outcome for f in back.fields] == ["Restored"]


async def test_what_was_done_by_hand_is_put_back_only_by_the_facilitators_word(lab: Lab):
    who = drill()
    outcome = await injected(lab, who, {"plug": [Ask("pull the plug", "restore it")]}, Alerts())

    waiting = await lab.revert(outcome)
    told = await lab.revert(outcome, confirmed_asks=frozenset({"plug"}))

    assert (waiting.state, waiting.reason) == (Reversal.RETRY, "AwaitingConfirmation")
    assert "restore it" in waiting.message
    assert (told.state, [f.outcome for f in told.fields]) == (Reversal.REVERTED, ["Restored"])
