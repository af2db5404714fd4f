"""Before the start: what is there already that would keep people from being told of an expected alert."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.signals.test_alert_routes import CONFIG
from tests.signals.test_what_alertmanager_holds_back import EXPECTED, Alertmanagers, alert, alerts, nothing_kept

from kubedrill.core.plan.trouble import AlertRule, Trouble
from kubedrill.plugins.sources.alertmanager import PagingPoll
from kubedrill.plugins.sources.polled import PollScope
from kubedrill.plugins.sources.prometheus import LoadedRule

SATURDAY = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
MONDAY = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
PAGES = {"severity": "page"}
INHIBITS = (
    CONFIG
    + """
inhibit_rules:
- {source_matchers: ['alertname="NodeDown"'], target_match_re: {severity: page|critical}, equal: [namespace]}
"""
)


def foreseen(
    *servers: dict[str, Any], labels: dict[str, str] = PAGES, at: datetime = MONDAY, before_start: bool = True
) -> tuple[str, ...]:
    """What one look says whose expected alert has a rule with these labels."""
    rules = {"High": LoadedRule(AlertRule("High", each=(Trouble(labels=labels),)))}
    scope = PollScope(EXPECTED, at, at, at, timedelta(0), rules, before_start=before_start)
    poll, asked = PagingPoll(nothing_kept), Alertmanagers(*servers)
    conversations = [(one, answers) for answers in asked.answers for one in poll.ask(scope)]
    return poll.told(scope, [asked.held(one, answers, 0) for one, answers in conversations]).withheld


def silences(*matchers: dict[str, Any], state: str = "active") -> dict[str, Any]:
    words = {"createdBy": "bob", "comment": "maintenance", "endsAt": "2026-12-01T06:00:00.000Z"}
    return {"/api/v2/silences": [{"id": "6bb7", "status": {"state": state}, "matchers": list(matchers), **words}]}


def asks(name: str, value: str, **how: bool) -> dict[str, Any]:
    return {"name": name, "value": value, "isRegex": False, **how}


def test_nothing_is_said_where_people_would_be_told():
    assert foreseen(alerts(config=CONFIG, also=silences())) == ()


@pytest.mark.parametrize(
    "matchers",
    [
        [asks("alertname", "High")],
        [asks("alertname", "Hi.*", isRegex=True)],
        [asks("namespace", EXPECTED.target_namespace)],
        [asks("severity", "page"), asks("team", "pay", isEqual=False)],
    ],
)
def test_a_silence_that_is_there_already_is_told_with_whose_it_is_and_until_when(matchers):
    (said,) = foreseen(alerts(also=silences(*matchers)))

    assert said.startswith('High would be held back by silence 6bb7 (of bob, "maintenance") until 2026-12-01 06:00Z')


@pytest.mark.parametrize(
    "matchers",
    [
        [asks("alertname", "Low")],
        [asks("alertname", "High"), asks("severity", "info")],
        [asks("alertname", "High"), asks("severity", "page", isEqual=False)],
        [asks("namespace", "another")],
        [asks("instance", "10.0.0.1")],  # of which nothing is known: it may be about anything
    ],
)
def test_a_silence_of_something_else_is_not(matchers):
    assert foreseen(alerts(also=silences(*matchers))) == ()


@pytest.mark.parametrize("state", ["expired", "pending"])
def test_nor_is_one_that_does_not_hold_now(state):
    assert foreseen(alerts(also=silences(asks("alertname", "High"), state=state))) == ()


def test_what_asks_for_a_label_that_the_rule_does_not_give_is_said_to_be_uncertain():
    (said,) = foreseen(alerts(also=silences(asks("alertname", "High"), asks("pod", "web-1"))))

    assert said.endswith("06:00Z, if its pod is so")


def test_a_label_that_is_made_when_the_alert_fires_is_not_known():
    (said,) = foreseen(
        alerts(also=silences(asks("alertname", "High"), asks("team", "x"))), labels={"team": "{{ $labels.team }}"}
    )

    assert said.endswith(", if its team is so")


def test_a_time_interval_that_mutes_its_only_route_now_is_told():
    (said,) = foreseen(alerts(config=CONFIG), at=SATURDAY)

    assert said.startswith("High would reach nobody: muted by time interval weekend (pager)")


def test_a_route_that_ends_at_nobody_is_told_with_what_it_depends_on():
    (said,) = foreseen(alerts(config=CONFIG), labels={"severity": "info"})

    assert said == "High would reach nobody: its route ends at none, which has no address, if its team is so"


def test_an_alert_that_would_inhibit_it_is_told():
    down = alert(labels={"alertname": "NodeDown", "namespace": EXPECTED.target_namespace})

    (said,) = foreseen(alerts(down, config=INHIBITS))

    assert said == "High would be inhibited by NodeDown, which fires"


def test_an_alert_about_another_namespace_inhibits_nothing_where_that_must_be_equal():
    assert foreseen(alerts(alert(labels={"alertname": "NodeDown", "namespace": "another"}), config=INHIBITS)) == ()


def test_nothing_inhibits_what_is_no_target():
    down = alert(labels={"alertname": "NodeDown", "namespace": EXPECTED.target_namespace})

    assert "inhibited" not in str(foreseen(alerts(down, config=INHIBITS), labels={"severity": "info", "team": "shop"}))


@pytest.mark.parametrize("broken", [{}, {"/api/v2/silences": {}}, {"/api/v2/silences": [{"id": 7}]}])
def test_what_can_not_be_read_says_nothing_and_hides_nothing_else(broken):
    (said,) = foreseen(alerts(config=CONFIG, also=broken), at=SATURDAY)

    assert "weekend" in said


def test_an_inhibition_that_is_not_understood_hides_no_route():
    config = CONFIG + "\ninhibit_rules: [{target_matchers: ['what?']}]\n"
    (said,) = foreseen(alerts(config=config), at=SATURDAY)

    assert "weekend" in said


def test_of_a_pair_of_alertmanagers_the_same_is_said_once():
    one = alerts(also=silences(asks("alertname", "High")))

    assert len(foreseen(one, one)) == 1


def test_once_the_drill_is_on_the_alert_itself_tells():
    assert foreseen(alerts(also=silences(asks("alertname", "High"))), before_start=False) == ()


def test_an_alert_without_a_rule_is_known_by_its_name():
    """One that the drill announces itself."""
    scope = PollScope(EXPECTED, MONDAY, MONDAY, MONDAY, timedelta(0), {}, before_start=True)
    server, poll = Alertmanagers(alerts(also=silences(asks("alertname", "High")))), PagingPoll(nothing_kept)
    heard = [server.held(one, server.answers[0], 0) for one in poll.ask(scope)]

    assert "silence 6bb7" in poll.told(replace(scope), heard).withheld[0]
