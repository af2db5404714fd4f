"""The drills' Alertmanager: each alert has its own receiver; some come late or to nobody, as their shape says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import yaml
from tests.shapes.catalogue import Play, plays
from tests.shapes.paging import alertmanager, inhibiting, receiver

from kubedrill.plugins.sources.alert_routes import AlertRoutes

PLAYS = list(plays())
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
CONFIGURATION = yaml.safe_dump(alertmanager(PLAYS))


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.name)
def test_an_alert_goes_over_its_own_receiver_as_the_operator_reads_it(play: Play):
    (to,) = AlertRoutes(CONFIGURATION).deliveries({"alertname": play.alert}, NOW)
    assert to.receiver == receiver(play)
    assert to.waits.total_seconds() == (play.shape.group_wait or 1)
    assert to.muted == ("always" if play.shape.withheld == "mute" else "")


def test_an_alert_is_inhibited_by_one_of_its_own_that_is_nobodys_play():
    rules = alertmanager(PLAYS)["inhibit_rules"]
    inhibited = [play for play in PLAYS if play.shape.withheld == "inhibition"]
    assert [rule["source_matchers"] for rule in rules] == [[f"alertname={inhibiting(play)}"] for play in inhibited]
    assert rules
    assert not {inhibiting(play) for play in inhibited} & {play.alert for play in PLAYS}
