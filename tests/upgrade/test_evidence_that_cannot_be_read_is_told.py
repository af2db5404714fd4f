"""Evidence of a later version is told of in an Event, once, and the drill goes on."""

from __future__ import annotations

import pytest
from tests.giving_up.lab import standing
from tests.upgrade.test_what_an_earlier_version_stored import SEGMENT, stored

MAPS = "/api/v1/namespaces/drills/configmaps"


async def test_it_is_one_event_and_the_drill_goes_on(monkeypatch: pytest.MonkeyPatch):
    async with standing(monkeypatch) as lab:
        later = stored("segment")
        later["data"]["version"] = "3"
        lab.cluster.put(f"{MAPS}/{SEGMENT}", later)
        lab.in_play()
        await lab.goes_on(10)
        told = [event["note"] for event in lab.cluster.events if event["reason"] == "EvidenceUnread"]
        assert len(told) == 1
        assert SEGMENT in told[0]
        assert lab.state.phase == "InPlay"
        assert SEGMENT in lab.cluster.status["message"]
        assert lab.cluster.objects[f"{MAPS}/{SEGMENT}"]["data"] == later["data"]
