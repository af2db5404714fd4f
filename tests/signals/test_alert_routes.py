"""Where Alertmanager's configuration sends an alert, as Alertmanager itself decides it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kubedrill.kube.answers import NoAnswer
from kubedrill.plugins.sources.alert_routes import AlertRoutes, RoutedTo
from kubedrill.plugins.sources.plain_yaml import MOST_SIGNS, plain

SATURDAY = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
CONFIG = """
global: {resolve_timeout: 5m}
route:
  receiver: none
  group_wait: 1s
  routes:
  - {matchers: ['severity="slow"'], receiver: slow, group_wait: 1m30s}
  - {match: {team: shop}, receiver: shop, continue: true}
  - {match_re: {severity: 'page|critical'}, receiver: pager, mute_time_intervals: [weekend]}
  - matchers: ['team=~"pay.*"']
    receiver: payments
    routes:
    - {matchers: ['severity!="page"'], receiver: tickets}
  - {matchers: ['team="night"'], receiver: night, active_time_intervals: [office hours]}
time_intervals:
- name: weekend
  time_intervals: [{weekdays: ['saturday', 'sunday']}]
- name: office hours
  time_intervals: [{times: [{start_time: '09:00', end_time: '17:00'}], weekdays: ['monday:friday']}]
receivers:
- name: none
- name: slow
  webhook_configs: [{url: 'http://kubedrill.drills.svc:8080/alertmanager/shop'}]
- name: all
  webhook_configs: [{url: 'http://kubedrill.drills.svc:8080/alertmanager/_all'}]
- name: shop
  webhook_configs: [{url: 'http://kubedrill.drills.svc:8080/alertmanager/shop'}, {url: 'http://pages'}]
- name: pager
  pagerduty_configs: [{service_key: <secret>}]
"""
ROUTES = AlertRoutes(CONFIG)


def sent(**labels: str) -> tuple[RoutedTo, ...]:
    return ROUTES.deliveries({"alertname": "High", **labels}, SATURDAY)


def receivers(**labels: str) -> list[str]:
    return [one.receiver for one in sent(**labels)]


def test_what_nothing_matches_goes_to_the_root():
    assert sent() == (RoutedTo("none", timedelta(seconds=1)),)


def test_b14_a_route_may_hold_back_longer_than_its_parent():
    assert sent(severity="slow") == (RoutedTo("slow", timedelta(seconds=90)),)


def test_a_route_that_continues_is_not_the_last():
    assert receivers(team="shop", severity="critical") == ["shop", "pager"]
    assert receivers(severity="page", team="payments") == ["pager"]


def test_a_child_that_matches_comes_before_its_parent():
    assert receivers(team="payments") == ["tickets"]


def test_b13c_a_route_is_muted_while_its_time_interval_holds():
    assert [one.muted for one in sent(severity="page")] == ["weekend"]
    (on_monday,) = ROUTES.deliveries({"severity": "page"}, SATURDAY + timedelta(days=2))
    assert on_monday.muted == ""


def test_a_route_is_muted_outside_of_its_active_times():
    assert [one.muted for one in sent(team="night")] == ["outside of office hours"]


def test_who_has_another_address_than_the_operators_reaches_people():
    own = ("/alertmanager/shop", "/alertmanager/_all")
    assert [ROUTES.reaches_people(one, own) for one in ("none", "slow", "all", "shop", "pager")] == [
        False,
        False,
        False,
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("matcher", "labels", "matches"),
    [
        ('team=~"a|b"', {"team": "b"}, True),
        ('team=~"a|b"', {"team": "ab"}, False),
        ('team=~"^(?:a|b)$"', {"team": "a"}, True),
        ('team=~".*shop"', {"team": "my-shop"}, True),
        ('team=~".+shop"', {"team": "shop"}, False),
        ('team=~"shop.*"', {"team": "shopping"}, True),
        ('team=~".*"', {}, True),
        ('team=~".+"', {}, False),
        ('team!~"a|b"', {"team": "c"}, True),
        ("team=shop", {"team": "shop"}, True),
        ('"team"="shop"', {"team": "shop"}, True),
        ('team="a \\"quoted\\" word"', {"team": 'a "quoted" word'}, True),
    ],
)
def test_a_matcher_matches_as_in_alertmanager(matcher, labels, matches):
    found = AlertRoutes(f"route: {{receiver: none, routes: [{{matchers: ['{matcher}'], receiver: hit}}]}}")
    assert [one.receiver for one in found.deliveries(labels, SATURDAY)] == ["hit" if matches else "none"]


@pytest.mark.parametrize("matcher", ['team=~"(a+)+$"', 'team=~"a.b"', "team", 'team=~"[ab]"'])
def test_a_matcher_that_is_not_understood_makes_the_whole_unknown(matcher):
    found = AlertRoutes(f"route: {{receiver: none, routes: [{{matchers: ['{matcher}'], receiver: hit}}]}}")
    with pytest.raises(NoAnswer, match="not understood"):
        found.deliveries({"team": "a"}, SATURDAY)


def test_a_configuration_of_aliases_is_none():
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nroute: {receiver: *b}"
    with pytest.raises(NoAnswer, match="aliases"):
        AlertRoutes(bomb)


@pytest.mark.parametrize("text", ["", "[", "a: [}", "route: 7", "? {a: b}\n: c", "[" * 100 + "]" * 100, "!!python/x y"])
def test_what_is_no_configuration_is_no_answer(text):
    with pytest.raises(NoAnswer):
        AlertRoutes(text)


def test_a_configuration_that_is_too_long_is_not_read():
    with pytest.raises(NoAnswer, match="256 KiB"):
        plain("a" * (MOST_SIGNS + 1))
