"""What the protocol asks of a reverter is what each of them is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.reverters.builders import free_port, jobs, record

from kubedrill.core.undo.operations import Announce, Ask, Enqueue
from kubedrill.core.undo.record import UNREACHABLE, Again, OutsideGroup, from_json, to_json
from kubedrill.plugins.operations.alertmanager import AnnouncedAlerts
from kubedrill.plugins.operations.base import Reverter, Reverters
from kubedrill.plugins.operations.redis import RedisJobs

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
ALL: Reverters = {Enqueue: RedisJobs(lambda: NOON), Announce: AnnouncedAlerts(lambda: NOON)}


def operation(kind: type[Enqueue | Announce]) -> Enqueue | Announce:
    """One that nobody listens to."""
    nowhere = free_port()
    return jobs(nowhere) if kind is Enqueue else Announce("127.0.0.1", nowhere, {"alertname": "X"}, {})


@pytest.mark.parametrize("kind", ALL)
async def test_an_outage_is_told_by_the_reason_that_the_protocol_knows(kind: type[Enqueue | Announce]) -> None:
    reverter: Reverter = ALL[kind]
    undo, group = record(operation(kind))
    for progress in (await reverter.inject(undo, group), await reverter.revert(undo, group)):
        assert isinstance(progress, Again)
        assert (progress.reason, progress.after) == (UNREACHABLE, timedelta(seconds=2))
        assert "127.0.0.1" in progress.message


@pytest.mark.parametrize("kind", ALL)
async def test_another_operation_is_a_mistake_in_the_program(kind: type[Enqueue | Announce]) -> None:
    undo, _ = record(operation(kind))
    with pytest.raises(TypeError, match="Ask is not for"):
        await ALL[kind].revert(undo, OutsideGroup("call", Ask("do", "undo")))


@pytest.mark.parametrize("kind", ALL)
async def test_the_undo_needs_nothing_but_the_stored_record(kind: type[Enqueue | Announce]) -> None:
    undo, group = record(operation(kind))
    (stored,) = from_json(to_json(undo)).groups
    assert stored == group
