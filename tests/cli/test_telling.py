"""What people read while they follow a drill."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.cli.drills import drill

from kubedrill.cli.facilitators.status_view import news, objective_line, offsets, tree

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ZERO: dict[str, Any] = {"clockStartTime": "2026-03-02T12:01:00.000Z"}


def milestone(name, at, *, actor=""):
    return {"name": name, "notBefore": at, "notAfter": at, "source": "PodWatch", "actor": actor}


def objective(verdict, lower="", upper="", limit="25s"):
    return {
        "name": "detection",
        "verdict": verdict,
        "limit": limit,
        "lower": lower,
        "upper": upper,
        "reason": "",
    }


def texts(thing, now=NOON):
    return [(b.text, b.leaves) for b in tree(thing, now)]


def test_safety_comes_first_with_the_time_until_everything_is_put_back():
    injected = [{"name": "limit", "target": "Deployment/worker", "step": "Injected"}]
    shown = texts(drill(faults=injected, machine={"deadline": "2026-03-02T12:13:25+00:00"}))
    assert shown[0] == (
        "Fault active: limit; restored automatically in 13:25 (or: kubectl drill stop rush)",
        ("fault limit (Deployment/worker) ON",),
    )


def test_a_drill_without_a_status_breaks_nothing():
    assert texts(drill()) == [("No fault is active.", ()), ("Pending", ())]


def test_the_clock_and_what_is_due_next_stand_together():
    shown = texts(
        drill(phase="InPlay", clock="T+7m", next="mitigation in 13m", message="in play: waiting for the players")
    )
    assert ("InPlay · T+7m · mitigation in 13m", ("in play: waiting for the players",)) in shown


def test_only_the_last_five_milestones_are_shown_while_a_drill_is_on():
    seven = [milestone(f"M{n}", f"2026-03-02T12:02:0{n}.000Z") for n in range(7)]
    heading, leaves = texts(drill(**ZERO, milestones=seven))[-1]
    assert heading == "Milestones, the last 5 of 7"
    assert [leaf.split()[1] for leaf in leaves] == ["M2", "M3", "M4", "M5", "M6"]
    assert len(texts(drill(**ZERO, milestones=seven, verdict="Passed"))[-1][1]) == 7


@pytest.mark.parametrize(
    ("not_before", "not_after", "shown"),
    [
        ("2026-03-02T12:01:10.000Z", "2026-03-02T12:01:10.000Z", "T+2:00"),
        ("2026-03-02T12:01:10.000Z", "2026-03-02T12:01:11.000Z", "T+2:00…+2:12"),
        ("2026-03-02T12:00:00.000Z", "2026-03-02T12:00:00.000Z", "T−12:00"),
    ],
)
def test_a_milestone_is_told_in_scenario_time_with_its_bounds(not_before, not_after, shown):
    assert offsets(not_before, not_after, drill(pace=12, **ZERO)) == shown


def test_before_the_alert_there_is_no_clock_but_the_walls():
    assert offsets("2026-03-02T12:00:00Z", "2026-03-02T12:00:01Z", drill()) == "12:00:01"


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (objective("Met", "10s", "10.5s"), "✓ detection Met: 2m–2m6s of 5m"),
        (objective("Missed", "30s"), "✗ detection Missed: > 6m of 5m"),
        (objective("Pending"), "… detection Pending: limit 5m"),
        (objective("Met", "5.29s", "5.79s"), "✓ detection Met: 1m3s–1m10s of 5m"),  # outwards, as in reports
        (objective("Met", "-2s", "-1s"), "✓ detection Met: -24s–-12s of 5m"),
    ],
)
def test_an_objective_is_told_with_what_it_took_and_its_limit(told, line):
    assert objective_line(told, drill(pace=12)) == line


def test_the_monitorings_own_limit_goes_at_no_pace():
    told = {
        "name": "alert-Fired",
        "verdict": "Met",
        "limit": "10m",
        "upper": "30s",
        "lower": "30s",
        "ofMonitoring": True,
    }
    assert objective_line(told, drill(pace=12)).endswith("alert-Fired Met: 30s of 10m")


def test_a_clock_that_goes_on_is_no_news():
    before, after = (drill(phase="InPlay", message="at it", clock=clock) for clock in ("T+1m", "T+2m"))
    assert not list(news(before, after))


def test_a_milestone_that_moved_by_less_than_is_shown_is_no_news():
    first = milestone("Mitigated", "2026-03-02T12:01:10.469Z")
    before, after = (drill(**ZERO, milestones=[first | {"notAfter": f"2026-03-02T12:01:18.{n}Z"}]) for n in (290, 288))
    assert not list(news(before, after))


def test_a_milestone_that_got_narrower_is_news():
    first = drill(**ZERO, milestones=[milestone("Paged", "2026-03-02T12:01:10.000Z")])
    better = drill(**ZERO, milestones=[milestone("Paged", "2026-03-02T12:01:05.000Z")])
    assert list(news(first, better)) == ["T+1:00 Paged [PodWatch]"]


def test_what_somebody_else_wants_otherwise_is_told_field_by_field():
    field = {
        "target": "Deployment/worker",
        "path": "/limit",
        "now": "256Mi",
        "outcome": "Superseded",
        "who": "tom",
    }
    back = {"target": "Deployment/worker", "path": "/request", "outcome": "Restored"}
    heading, leaves = texts(drill(restore={"complete": True, "fields": [field, back]}))[-1]
    assert heading == "Everything is restored: 1 of 2 fields, 1 left as somebody else wants them."
    assert leaves == ("Superseded by tom: Deployment/worker /limit is 256Mi",)


CHANGE = {
    "id": "interference/Deployment/worker@7",
    "who": "somebody with kubectl-set",
    "by": "Unknown",
    "notBefore": "2026-03-02T12:01:10.000Z",
    "notAfter": "2026-03-02T12:01:10.000Z",
    "what": "unattributed change by somebody with kubectl-set to Deployment/worker: limit: 24Mi → 128Mi",
    "attribute": "kubectl drill attribute interference/Deployment/worker@7 --drill rush --to PLAYER --evidence 'how you"
    " know'",
}
TOLD = f"? T+2:00 {CHANGE['what']}; whose was it? {CHANGE['attribute']}"


def test_an_unattributed_change_is_told_at_once_with_its_id_and_the_command_that_attributes_it():
    before, after = drill(**ZERO, phase="InPlay"), drill(**ZERO, phase="InPlay", interference=[CHANGE])
    assert list(news(before, after)) == [TOLD]
    assert list(news(after, after)) == []
    assert ("Unattributed changes", (TOLD,)) in texts(after)


def test_a_change_that_was_attributed_is_news_too():
    before, after = drill(**ZERO, interference=[CHANGE]), drill(**ZERO, interference=[])
    assert list(news(before, after)) == ["attributed: interference/Deployment/worker@7"]


def test_what_an_older_operator_tells_of_a_change_is_enough():
    shown = texts(drill(interference=[{"id": "interference/Deployment/worker@7", "what": "an unattributed change"}]))
    assert ("Unattributed changes", (f"? an unattributed change; whose was it? {CHANGE['attribute']}",)) in shown


def test_what_somebody_wrote_into_a_field_obeys_nobodys_terminal():
    ((_, (leaf,)),) = [one for one in texts(drill(interference=[CHANGE | {"what": "a\x1b[2Jb\nc"}])) if one[1]][:1]
    assert "\x1b" not in leaf
    assert "\n" not in leaf


@pytest.mark.parametrize(
    ("by", "told"),
    [
        ("Automation", "T+2:00 Mitigated by automation [PodWatch]"),
        ("Nobody", "T+2:00 Mitigated by itself [PodWatch]"),
        ("Unknown", "T+2:00 Mitigated after an unattributed change [PodWatch]"),
        ("Player", "T+2:00 Mitigated [PodWatch]"),
    ],
)
def test_whose_doing_it_was_that_it_got_better_is_told(by, told):
    got_better = milestone("Mitigated", "2026-03-02T12:01:10.000Z") | {"by": by}
    assert list(news(drill(**ZERO), drill(**ZERO, milestones=[got_better]))) == [told]
