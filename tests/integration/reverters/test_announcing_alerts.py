"""An announced alert fires at a real Alertmanager, lasts while it is refreshed, and the undo resolves it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.request import Request, urlopen

import pytest
from tests.integration.services import alertmanager, until
from tests.reverters.builders import free_port, now, record

from kubedrill.core.undo.operations import Announce, Refusal
from kubedrill.core.undo.record import UNREACHABLE, Again, Done
from kubedrill.plugins.operations.alertmanager import AnnouncedAlerts

LABELS = {"alertname": "CheckoutDown", "severity": "page", "event": "11111111-call"}
Pages = list[dict[str, Any]]


@pytest.fixture(scope="module")
def pages() -> Iterator[tuple[str, Pages]]:
    """A sink for what Alertmanager sends: its URL, and the alerts that came."""
    came: Pages = []

    class Sink(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.extend(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["alerts"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Sink) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", came
        server.shutdown()


@pytest.fixture(scope="module")
def manager(pages: tuple[str, Pages], tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with alertmanager(tmp_path_factory.mktemp("alertmanager"), pages[0]) as port:
        yield port


@pytest.fixture
def announce(manager: int, request: pytest.FixtureRequest) -> Announce:
    """An alert of the test's own."""
    return Announce("127.0.0.1", manager, {**LABELS, "event": request.node.name}, {"summary": "It is down"})


def listed(operation: Announce) -> list[dict[str, Any]]:
    with urlopen(f"http://{operation.host}:{operation.port}/api/v2/alerts", timeout=5) as answer:
        return [a for a in json.load(answer) if a["labels"] == dict(operation.labels)]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def post(operation: Announce, labels: dict[str, str]) -> None:
    """Fire an alert as somebody else."""
    request = Request(
        f"http://{operation.host}:{operation.port}/api/v2/alerts", json.dumps([{"labels": labels}]).encode(),
        {"Content-Type": "application/json"},
    )  # fmt: skip
    with urlopen(request, timeout=5):  # noqa: S310  loopback
        pass


def paged(pages: Pages, operation: Announce, status: str) -> bool:
    return any(p["labels"] == dict(operation.labels) and p["status"] == status for p in pages)


async def test_it_fires_and_people_are_paged(announce, pages):
    progress = await AnnouncedAlerts(now).inject(*record(announce))
    assert progress == Again(timedelta(seconds=10), "Refreshing", "CheckoutDown is announced")
    (alert,) = listed(announce)
    assert alert["status"]["state"] in ("active", "unprocessed")
    assert alert["annotations"] == {"summary": "It is down"}
    until(lambda: paged(pages[1], announce, "firing"), 10, "the page arrives")


async def test_it_ends_by_itself_when_nobody_refreshes_it(announce):
    before = now()
    await AnnouncedAlerts(now).inject(*record(announce))
    (alert,) = listed(announce)
    assert before + timedelta(seconds=29) < instant(alert["endsAt"]) < now() + timedelta(seconds=31)
    assert before - timedelta(milliseconds=1) <= instant(alert["startsAt"]) <= now()


async def test_refreshing_moves_the_end_and_keeps_the_start(announce):
    await AnnouncedAlerts(now).inject(*record(announce))
    (first,) = listed(announce)
    await AnnouncedAlerts(lambda: now() + timedelta(seconds=10)).inject(*record(announce))
    (second,) = listed(announce)
    assert second["startsAt"] == first["startsAt"]
    assert instant(second["endsAt"]) - instant(first["endsAt"]) >= timedelta(seconds=10)


async def test_it_never_lasts_beyond_the_deadline(announce):
    undo, group = record(announce, ends_in=8)
    await AnnouncedAlerts(now).inject(undo, group)
    (alert,) = listed(announce)
    assert abs(instant(alert["endsAt"]) - undo.deadline) < timedelta(milliseconds=2)


async def test_after_the_deadline_it_is_not_fired_any_more(announce):
    progress = await AnnouncedAlerts(now).inject(*record(announce, ends_in=-1))
    assert isinstance(progress, Done)
    assert listed(announce) == []


async def test_the_undo_resolves_it_and_reads_that_back(announce, pages):
    await AnnouncedAlerts(now).inject(*record(announce))
    until(lambda: paged(pages[1], announce, "firing"), 10, "the page arrives")
    progress = await AnnouncedAlerts(now).revert(*record(announce))
    if isinstance(progress, Again):  # Alertmanager's clock had not passed the end yet
        assert progress.reason == "StillActive"
        until(lambda: not listed(announce), 5, "it is not listed any more")
        progress = await AnnouncedAlerts(now).revert(*record(announce))
    assert progress == Done("CheckoutDown is resolved")
    assert listed(announce) == []
    until(lambda: paged(pages[1], announce, "resolved"), 10, "the all-clear arrives")


async def test_it_is_not_called_undone_while_it_is_listed(announce):
    await AnnouncedAlerts(now).inject(*record(announce))
    slow = AnnouncedAlerts(lambda: now() + timedelta(seconds=5))
    progress = await slow.revert(*record(announce))
    assert isinstance(progress, Again)
    assert (progress.reason, len(listed(announce))) == ("StillActive", 1)


async def test_a_real_alert_with_other_labels_goes_on(announce):
    real = {name: value for name, value in announce.labels.items() if name != "event"}
    post(announce, real)
    await AnnouncedAlerts(now).inject(*record(announce))
    await AnnouncedAlerts(now).revert(*record(announce))
    until(lambda: not listed(announce), 5, "ours is resolved")
    assert len(listed(Announce(announce.host, announce.port, real, {}))) == 1


async def test_undoing_what_never_fired_is_done(announce):
    assert await AnnouncedAlerts(now).revert(*record(announce)) == Done("CheckoutDown is resolved")
    assert listed(announce) == []


async def test_labels_are_matched_with_all_their_signs(manager):
    odd = Announce("127.0.0.1", manager, {**LABELS, "note": 'a "quoted" \\ back\nslash, {brace}=~ü'}, {})
    await AnnouncedAlerts(now).inject(*record(odd))
    assert len(listed(odd)) == 1
    await AnnouncedAlerts(now).revert(*record(odd))
    until(lambda: not listed(odd), 5, "it is resolved")


async def test_an_outage_is_a_reason_to_try_again():
    dead = Announce("127.0.0.1", free_port(), LABELS, {})
    reverter = AnnouncedAlerts(now)
    answers = [await reverter.inject(*record(dead)), await reverter.revert(*record(dead))]
    assert [a.reason for a in answers if isinstance(a, Again)] == [UNREACHABLE] * 2


async def test_an_alertmanager_that_does_not_answer_is_refused_before_anything_is_touched(announce):
    refusal = await AnnouncedAlerts(now).prepare(Announce("127.0.0.1", free_port(), LABELS, {}))
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "AlertmanagerUnreachable"
    assert await AnnouncedAlerts(now).prepare(announce) is None
    assert listed(announce) == []


async def test_a_service_may_be_reached_elsewhere(announce):
    away = Announce("alertmanager.monitoring.svc", 9093, announce.labels, {})
    reverter = AnnouncedAlerts(now, address_of=lambda *_: f"{announce.host}:{announce.port}")
    await reverter.inject(*record(away))
    assert len(listed(announce)) == 1
