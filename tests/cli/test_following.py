"""`watch` follows a drill to its verdict, in plain lines where there is no terminal."""

from typing import Any

from tests.cli.drills import conditions, drill, finished
from tests.cli.fake_api import GROUP

from kubedrill.cli.facilitators import watch

DRILLS = f"{GROUP}/drills/drills"
ACKNOWLEDGED = {
    "name": "Acknowledged",
    "notBefore": "2026-03-02T12:01:10.000Z",
    "notAfter": "2026-03-02T12:01:10.500Z",
    "source": "PlayerAction",
    "actor": "alice",
    "evidence": "",
}
OBJECTIVE = {"name": "detection", "limit": "25s", "lower": "10s", "upper": "10.5s", "reason": ""}
IN_PLAY: dict[str, Any] = {
    "phase": "InPlay",
    "message": "in play: waiting for the players",
    "clock": "T+2m",
    "startExTime": "2026-03-02T12:00:00Z",
    "clockStartTime": "2026-03-02T12:01:00.000Z",
    "faults": [{"name": "limit", "target": "Deployment/worker", "step": "Injected"}],
}


def when_watched(api, *changes):
    """Do the changes, one after the other, once somebody watches."""
    api.once(lambda: api.is_watched, lambda: [change() for change in changes])


def test_each_news_is_a_line_and_the_verdict_ends_it(api, kubedrill):
    api.put(DRILLS, drill())
    when_watched(
        api,
        lambda: api.put(DRILLS, drill(**IN_PLAY)),
        lambda: api.put(DRILLS, drill(**IN_PLAY, milestones=[ACKNOWLEDGED])),
        lambda: api.put(
            DRILLS,
            drill(
                **finished(
                    "Failed",
                    clockStartTime=IN_PLAY["clockStartTime"],
                    milestones=[ACKNOWLEDGED],
                    score="6 of 7",
                    objectives=[OBJECTIVE | {"verdict": "Met"}],
                )
            ),
        ),
    )
    result = kubedrill("watch", "rush")
    lines = [line.partition(" ")[2] for line in result.output.splitlines()[1:]]
    assert result.output.splitlines()[0] == "rush in staging, 12 times as fast"
    assert lines[:3] == [
        "InPlay: in play: waiting for the players",
        "fault limit (Deployment/worker) ON",
        "T+2:00…+2:06 Acknowledged by alice [PlayerAction]",
    ]
    assert "✓ detection Met: 2m–2m6s of 5m" in lines
    assert "Everything is restored: 0 of 0 fields." in lines
    assert result.output.splitlines()[-2:] == [
        "Failed: as it was (6 of 7)",
        "Its report: kubectl drill report rush -o DIR",
    ]
    assert result.exit_code == 1


def test_a_drill_that_is_over_is_told_at_once(api, kubedrill):
    api.put(DRILLS, drill(**finished("Passed")))
    assert kubedrill("watch", "rush").exit_code == 0


def test_a_drill_that_is_deleted_ends_it(api, kubedrill):
    api.put(DRILLS, drill(**IN_PLAY))
    when_watched(api, lambda: api.remove(DRILLS, "rush"))
    result = kubedrill("watch", "rush")
    assert "The drill was deleted." in result.output
    assert result.exit_code == 4


def test_a_watch_that_breaks_is_taken_up_again(api, kubedrill):
    api.put(DRILLS, drill(**IN_PLAY))
    gone = {"type": "ERROR", "object": {"code": 410, "reason": "Expired"}}
    when_watched(
        api,
        lambda: api._tell(DRILLS, gone),
        lambda: api.put(DRILLS, drill(**finished("Passed"))),
    )
    assert kubedrill("watch", "rush").exit_code == 0


def test_a_drill_that_there_is_not_is_bad_input(api, kubedrill):
    api.collections[DRILLS] = {}
    result = kubedrill("watch", "rush")
    assert result.exit_code == 2
    assert "there is no drill rush in drills" in result.output


def test_a_drill_that_can_not_be_put_back_ends_the_watch_after_a_stated_wait(api, kubedrill, monkeypatch):
    monkeypatch.setattr(watch, "REDRAWN", 0.02)
    api.put(DRILLS, drill(**IN_PLAY, conditions=conditions(Stalled="True")))
    result = kubedrill("watch", "rush", "--restore-wait", "50ms")
    assert result.exit_code == 6
    assert "could not be restored" in result.output
