"""The operator asks a Prometheus and an Alertmanager that want it down: it goes on, and says what was wrong."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.answers.hostile import HOSTILE, saying, sending_to, stranger
from tests.clock.settable import Settable
from tests.observers.builders import drill_plan
from tests.undo.builders import NOON

from kubedrill.controller import http_client
from kubedrill.controller.gathering import MonitoringProbe
from kubedrill.controller.http_client import MOST_OF_PROMETHEUS, Room, Turn, WebClient
from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.plan.drill_plan import Endpoint, PlannedStop, SteadyCheck
from kubedrill.kube.answers import NoAnswer, TooMuch
from kubedrill.kube.client import Unreachable

PROMETHEUS = Endpoint("shop", "prometheus", 9090)
ERRORS = PlannedStop("errors", promql="errors > 5")
DRILL = replace(drill_plan(steady=(SteadyCheck("up", "up", above=0),)), stop_when=(ERRORS,))
FINE = saying({"status": "success", "data": {"resultType": "matrix", "result": [], "groups": []}})
FIRING = [
    {
        "labels": {"alertname": "High", "namespace": "shop"},
        "startsAt": NOON.isoformat(),
        "fingerprint": "f",
        "status": {"state": "active"},
    }
]


@pytest.fixture(autouse=True)
def _is_soon_over(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What drips takes too long however long it is listened to."""
    if "[dripping" in request.node.name:
        monkeypatch.setattr(http_client, "LARGE_WITHIN", 0.1)


@asynccontextmanager
async def asking(timeout: float = 3.0, **answers: Any):
    """A client for which each named Service answers in its way."""
    other = answers.get("alertmanager", saying([]))
    async with stranger(answers["prometheus"]) as prometheus, stranger(other) as pager:
        ports = {"prometheus": prometheus.port, "alertmanager": pager.port}
        client = WebClient(lambda e: f"http://127.0.0.1:{ports[e.name]}", timeout, Room())
        try:
            yield client, prometheus, pager
        finally:
            await client.close()


async def asked(client: WebClient, turn: Turn | None = None) -> Any:
    return await client.fetch(PROMETHEUS, "/api/v1/query", [("query", "up")], lambda answer: answer, turn or Turn())


def unanswered(name: str) -> bool:
    """Whether it is known from the answer alone, without a reader, that nothing was said."""
    return name not in (
        "as many samples as are read",
        "as many values as are read",
        "as many bytes as are read",
        "null",
        "an integer of 4,000 digits",
        "a list of strings",
        "data is a list",
        "null as result",
    )


@pytest.mark.parametrize("name", HOSTILE)
async def test_what_a_stranger_answers_is_read_or_said_to_be_no_answer_in_time(name):
    async with asking(prometheus=HOSTILE[name]) as (client, _, _), asyncio.timeout(4):
        if not unanswered(name):
            await asked(client)
            return
        with pytest.raises(NoAnswer, match=r"^prometheus.shop:9090 (answers|takes)"):
            await asked(client)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_f20_a_redirect_is_followed_nowhere(status):
    async with stranger(saying({"token": "TOP-SECRET"})) as victim:
        there = sending_to(f"http://127.0.0.1:{victim.port}/internal", status)
        async with asking(prometheus=there) as (client, _, _):
            with pytest.raises(NoAnswer, match=f"answers {status}: a redirect, which is not followed"):
                await asked(client)
        assert victim.asked == []


@pytest.mark.parametrize("name", ["a secret", "a secret as message", "a redirect", "HTML"])
async def test_f19_what_a_stranger_says_in_an_error_is_not_repeated(name):
    drill = replace(DRILL, stop_when=(ERRORS,))
    async with asking(prometheus=HOSTILE[name], alertmanager=HOSTILE[name]) as (client, _, _):
        probe = await MonitoringProbe(client.fetch, Settable(NOON)).probe(drill, NOON)
    said = f"{probe.error} {probe.alertmanager_error} {[r.said for r in probe.stops]}"
    assert "prometheus.shop:9090" in said
    assert "SECRET" not in said


GOOD = "as many samples as are read"


@pytest.mark.parametrize("name", [n for n in HOSTILE if n != GOOD])
async def test_f15_a_stop_condition_that_gets_no_answer_is_unchecked_since_it_was_known_last(name):
    """What is unchecked for a minute stops the drill (core.machine.guards)."""
    clock = Settable(NOON)
    async with asking(timeout=1.5, prometheus=HOSTILE[name], alertmanager=saying(FIRING)) as (client, _, _):
        monitoring = MonitoringProbe(client.fetch, clock)
        for seconds in (0, 61):
            clock.at = NOON + timedelta(seconds=seconds)
            probe = await monitoring.probe(DRILL, NOON)
            assert probe.unchecked == {"errors": NOON}
            assert not probe.reachable
            assert probe.error
            assert probe.stops[0].said
    assert [f.kind for f in probe.facts] == [FactKind.ALERT_FIRING], "what Alertmanager says is heard all the same"


@pytest.mark.parametrize("name", HOSTILE)
async def test_f17_an_alertmanager_that_makes_no_sense_hides_nothing_of_prometheus(name):
    async with asking(timeout=1.5, prometheus=FINE, alertmanager=HOSTILE[name]) as (client, _, _):
        probe = await MonitoringProbe(client.fetch, Settable(NOON)).probe(drill_plan(), NOON)
    assert probe.reachable, probe.error
    assert probe.alertmanager_error.startswith("alertmanager.shop:9093 ")
    assert probe.facts == ()


@pytest.mark.parametrize("year", ["9999-12-31T23:59:59.99Z", "0001-01-01T00:00:00.001Z"])
async def test_f16_an_alert_of_the_year_9999_or_1_is_active_since_nobody_knows_when(year):
    absurd = [{**FIRING[0], "startsAt": year}]
    async with asking(prometheus=FINE, alertmanager=saying(absurd)) as (client, _, _):
        probe = await MonitoringProbe(client.fetch, Settable(NOON)).probe(drill_plan(), NOON - timedelta(minutes=1))
    (fact,) = probe.facts
    assert (fact.at.not_before, fact.at.not_after) == (NOON - timedelta(minutes=1), NOON)


async def test_all_answers_of_a_turn_have_one_budget():
    size = MOST_OF_PROMETHEUS - 100
    async with asking(prometheus=saying(b'"' + b"a" * size + b'"')) as (client, _, _):
        turn = Turn()
        for _ in range(2):
            await asked(client, turn)
        with pytest.raises(NoAnswer, match="more than is read in one turn"):
            await asked(client, turn)
        await asked(client, Turn())


async def test_all_values_of_a_turn_have_one_budget():
    async with asking(prometheus=saying([0] * 200_000)) as (client, _, _):
        turn = Turn()
        await asked(client, turn)
        with pytest.raises(NoAnswer, match="more values than are read in one turn"):
            await asked(client, turn)


async def test_a_large_answer_waits_for_room_and_a_small_one_does_not():
    room = Room(at_once=1)
    large, small = saying(b'"' + b"a" * (1 << 20) + b'"'), saying([])
    async with stranger(large) as one, stranger(small) as other, room:
        busy = WebClient(lambda _: f"http://127.0.0.1:{one.port}", 0.3, room)
        free = WebClient(lambda _: f"http://127.0.0.1:{other.port}", 3.0, room)
        with pytest.raises(Unreachable, match="does not answer in time"):
            await asked(busy)
        assert await asked(free) == []
        await busy.close()
        await free.close()


async def test_what_is_too_much_is_asked_for_in_coarser_steps_until_it_is_not():
    steps: list[str] = []

    async def fetch(endpoint: Any, path: str, query: Any, read: Any, turn: Any) -> Any:
        del endpoint, turn
        asked_for = dict(query).get("query", "")
        if path == "/api/v1/query" and "rate(" in asked_for:
            steps.append(asked_for.rsplit(":", 1)[-1])
            if steps[-1] != "4s]":
                raise TooMuch("answers with more than 4 MiB")
        return read(
            [] if "v2" in path else {"status": "success", "data": {"resultType": "matrix", "result": [], "groups": []}}
        )

    monitoring = MonitoringProbe(fetch, Settable(NOON))
    drill = drill_plan(steady=(SteadyCheck("rate", "rate(jobs[1m])", above=0),))
    reached = [(await monitoring.probe(drill, NOON - timedelta(hours=1))).reachable for _ in range(3)]
    assert (reached, steps) == ([False, False, True], ["1s]", "2s]", "4s]"])
