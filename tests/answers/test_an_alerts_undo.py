"""An Alertmanager that makes no sense is an outage for who puts back, in the operator and in the watchdog alike."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.answers.hostile import HOSTILE, saying, sending_to, stranger
from tests.reverters.builders import record

from kubedrill.core.undo.operations import Announce, Refusal
from kubedrill.core.undo.record import UNREACHABLE, Again, Done
from kubedrill.plugins.operations.alertmanager import MOST_BYTES, AnnouncedAlerts

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
LABELS = {"alertname": "CheckoutDown", "event": "11111111-call"}
OURS = {"labels": LABELS, "annotations": {"summary": "x" * 4096}, "status": {"state": "active"}}


def alerts() -> AnnouncedAlerts:
    return AnnouncedAlerts(lambda: NOON)


def announce(port: int) -> Announce:
    return Announce("127.0.0.1", port, LABELS, {})


async def reverted(answer: Any) -> Any:
    async with stranger(answer) as manager, asyncio.timeout(8):
        return await alerts().revert(*record(announce(manager.port)))


LISTED = ("as many values as are read", "an integer of 4,000 digits")
"""It is long, or begins and ends as a list of alerts does."""


@pytest.mark.parametrize("name", [n for n in HOSTILE if n not in LISTED])
async def test_f17_an_answer_that_is_no_list_of_alerts_is_an_outage_and_said_as_such(name):
    progress = await reverted(HOSTILE[name])
    assert isinstance(progress, Again)
    assert progress.reason == UNREACHABLE
    assert progress.message.startswith("Alertmanager at 127.0.0.1:")
    assert "SECRET" not in progress.message


@pytest.mark.parametrize(
    "body",
    [b'["x"]', b"[1]", b"[null]", b"[[]]", b"[", b"]", b"{}", b'[{"a"', b"[]x", b"[] []", b'"[]"'],
)
async def test_f17_the_message_says_that_it_is_no_list_of_alerts(body):
    progress = await reverted(saying(body))
    assert isinstance(progress, Again)
    assert progress.message.endswith("answers with something that is not a list of alerts")


async def test_a_list_of_31_mb_is_not_read_to_its_end():
    progress = await reverted(HOSTILE["many values"])
    assert isinstance(progress, Again)
    assert progress.message.endswith("answers with more than 128 KiB")


@pytest.mark.parametrize("body", [b"[]", b"[]\n", b" [ ] "])
async def test_an_empty_list_is_the_end(body):
    assert await reverted(saying(body)) == Done("CheckoutDown is resolved")


@pytest.mark.parametrize("body", [[OURS], [{**OURS, "labels": {**LABELS, "more": "of somebody else"}}]])
async def test_any_alert_with_all_of_our_labels_counts_as_ours(body):
    progress = await reverted(saying(json.dumps(body, indent=1).encode()))
    assert isinstance(progress, Again)
    assert progress.reason == "StillActive"


def test_the_longest_alert_of_our_own_fits():
    worst = {
        "labels": {f"{n:063}": "<" * 256 for n in range(17)},
        "annotations": {"summary": "<" * 4096},
        "startsAt": NOON.isoformat(),
        "endsAt": NOON.isoformat(),
        "fingerprint": "f" * 16,
        "generatorURL": "",
        "receivers": [{"name": "x" * 100}] * 20,
        "status": {"state": "active", "silencedBy": []},
    }
    assert len(json.dumps([worst]).replace("<", "\\u003c")) < MOST_BYTES


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_f20_neither_the_alert_nor_the_question_goes_where_a_redirect_leads(status):
    async with stranger(saying({"token": "TOP-SECRET"}, 403)) as victim:
        there = sending_to(f"http://127.0.0.1:{victim.port}/internal/admin", status)
        async with stranger(there) as manager:
            operation = announce(manager.port)
            outcomes = [
                await alerts().prepare(operation),
                await alerts().inject(*record(operation)),
                await alerts().revert(*record(operation)),
            ]
        assert victim.asked == []
    told = [o for o in outcomes if isinstance(o, (Refusal, Again))]
    assert len(told) == len(outcomes)
    assert all(f"answers {status}: a redirect, which is not followed" in o.message for o in told)
    assert isinstance(outcomes[0], Refusal)
    assert outcomes[0].reason == "AlertmanagerUnreachable"


async def test_f20_nothing_of_a_refusals_body_is_repeated():
    async with stranger(saying({"token": "TOP-SECRET"}, 403)) as manager:
        progress = await alerts().inject(*record(announce(manager.port)))
    assert isinstance(progress, Again)
    said = f"Alertmanager at 127.0.0.1:{manager.port} answers 403: it lets nobody in without credentials"
    assert progress.message.startswith(said)
