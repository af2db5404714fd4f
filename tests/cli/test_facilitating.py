"""What the facilitator does: start, stop, and enter what no machine saw."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.cli.drills import drill, finished
from tests.cli.fake_api import GROUP

from kubedrill.cli.connection import CliError
from kubedrill.cli.facilitators.facilitate import moment

DRILLS = f"{GROUP}/drills/drills"
ACTIONS = f"{GROUP}/drills/playeractions"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def word(desired: str, because: str = "") -> dict[str, object]:
    """What is written at the Drill: nothing of its spec, which Argo CD and Flux would take back."""
    said = {"kubedrill.dev/desired": desired} | ({"kubedrill.dev/stop-because": because} if because else {})
    return {"metadata": {"annotations": said}}


def test_start_lets_a_held_drill_run(api, kubedrill):
    api.put(DRILLS, drill())
    assert kubedrill("start", "rush").exit_code == 0
    assert api.bodies("PATCH", f"{DRILLS}/rush") == [word("Run")]


@pytest.mark.parametrize("spec", [True, False], ids=["in its spec", "by the facilitator"])
def test_a_stopped_drill_is_not_started_again(api, kubedrill, spec):
    stopped = drill()
    if spec:
        stopped["spec"]["desired"] = "Stop"
    else:
        stopped["metadata"]["annotations"] = {"kubedrill.dev/desired": "Stop"}
    api.put(DRILLS, stopped)
    result = kubedrill("start", "rush")
    assert (result.exit_code, api.bodies("PATCH", f"{DRILLS}/rush")) == (2, [])
    assert "a stopped drill can't go on: make another drill" in result.output


def test_stop_says_why_and_waits_until_everything_is_put_back(api, kubedrill):
    fields = [
        {"target": "Deployment/worker", "path": "/limit", "outcome": "Restored"},
        {"target": "Deployment/worker", "path": "/request", "outcome": "Superseded", "now": "1Gi"},
    ]
    api.put(DRILLS, drill(**finished("Stopped", phase="Stopped", restore={"complete": True, "fields": fields})))
    result = kubedrill("stop", "rush", "--because", "real incident")
    assert api.bodies("PATCH", f"{DRILLS}/rush") == [word("Stop", "real incident")]
    assert result.output.splitlines() == [
        "rush is stopped and restored (1 of 2 fields).",
        "  Superseded: Deployment/worker /request is 1Gi",
    ]
    assert result.exit_code == 0


def test_a_stop_says_in_one_line_what_is_restored_and_which_pods_are_still_awaited(api, kubedrill):
    restore = {
        "complete": True,
        "fields": [{"target": "Deployment/worker", "path": "/limit", "outcome": "Restored"}],
        "notes": ["worker-59d still has pods of the fault"],
        "workloads": [
            {"target": "Deployment/web", "wanted": 2, "ready": 2, "message": ""},
            {"target": "Deployment/worker", "wanted": 3, "ready": 1, "message": "exceeded quota: pods=1"},
        ],
    }
    api.put(DRILLS, drill(**finished("Stopped", phase="Stopped", restore=restore)))
    result = kubedrill("stop", "rush")
    assert result.output.splitlines() == [
        "rush is stopped and restored (1 of 1 fields). Still awaited: Deployment/worker: 1 of 3 pods ready.",
        "  Deployment/worker: exceeded quota: pods=1",
        "  note: worker-59d still has pods of the fault",
    ]
    assert result.exit_code == 0


def test_a_stop_whose_clean_up_is_still_awaited_is_no_failure(api, kubedrill):
    back = {"type": "Restored", "status": "True"}
    api.put(
        DRILLS,
        drill(
            phase="Recovering",
            startExTime="2026-03-02T12:00:00Z",
            message="worker-59d can't be removed",
            conditions=[back],
        ),
    )
    result = kubedrill("stop", "rush", "--wait", "100ms")
    assert result.output == "rush is restored. Still awaited: worker-59d can't be removed.\n"
    assert result.exit_code == 0


def test_a_stop_before_anything_was_touched_says_so(api, kubedrill):
    api.put(DRILLS, drill(**finished("Stopped", started=False, phase="Stopped")))
    assert "Nothing had been touched." in kubedrill("stop", "rush").output


def test_a_stop_that_does_not_put_back_in_time_is_said_loudly(api, kubedrill):
    api.put(DRILLS, drill(phase="Recovering", startExTime="2026-03-02T12:00:00Z", message="the API says no"))
    result = kubedrill("stop", "rush", "--wait", "100ms")
    assert result.exit_code == 6
    assert "the API says no" in result.output


def test_a_drill_that_there_is_not_cannot_be_started(api, kubedrill):
    api.collections[DRILLS] = {}
    assert kubedrill("start", "rush").exit_code == 2


ENTERED = {
    "an observation": (
        [
            "observe",
            "ClientNotified",
            "--at",
            "2026-03-02T12:00:00Z±30s",
            "--by",
            "emma",
            "--evidence",
            "phone",
        ],
        {
            "action": "Observe",
            "message": "phone",
            "observation": {
                "milestone": "ClientNotified",
                "time": "2026-03-02T12:00:00+00:00",
                "within": "30s",
                "player": "emma",
            },
        },
    ),
    "a confirmation": (
        ["confirm", "cable", "undo"],
        {"action": "Confirm", "confirmation": {"fault": "cable", "step": "Undo"}},
    ),
    "an attribution": (
        ["attribute", "change-1", "--to", "tom", "--evidence", "merged PR 12"],
        {
            "action": "Attribute",
            "message": "merged PR 12",
            "attribution": {"change": "change-1", "player": "tom"},
        },
    ),
    "a hint": (["hint", "look", "at", "memory"], {"action": "Hint", "message": "look at memory"}),
}


@pytest.mark.parametrize(("typed", "spec"), ENTERED.values(), ids=ENTERED)
def test_what_was_seen_is_entered_for_the_drill_that_is_on(api, kubedrill, typed, spec):
    api.put(DRILLS, drill(phase="InPlay"))
    api.put(DRILLS, drill("older", **finished("Passed")))
    assert kubedrill(*typed).exit_code == 0
    (made,) = api.bodies("POST", ACTIONS)
    assert made["spec"] == {"actor": "alice@example.com", "drill": "rush", **spec}


@pytest.mark.parametrize("on", [[], ["one", "two"]])
def test_which_drill_must_be_said_unless_exactly_one_is_on(api, kubedrill, on):
    api.collections[DRILLS] = {}
    for name in on:
        api.put(DRILLS, drill(name, phase="InPlay"))
    result = kubedrill("hint", "look")
    assert result.exit_code == 2
    assert "say which drill with --drill" in result.output


@pytest.mark.parametrize(
    ("text", "at", "within"),
    [
        ("2026-03-02T11:07:30Z", NOON.replace(hour=11, minute=7, second=30), "1m"),
        ("2026-03-02T11:07:30Z±10s", NOON.replace(hour=11, minute=7, second=30), "10s"),
        ("2026-03-02T12:07:30+01:00", NOON.replace(hour=11, minute=7, second=30), "1m"),
    ],
)
def test_a_full_time_may_say_how_far_off_it_may_be(text, at, within):
    assert moment(text, NOON) == (at, within)


def test_a_time_of_day_is_the_last_one_that_has_been():
    here = NOON.astimezone()
    past, future = here - timedelta(minutes=5), here + timedelta(minutes=5)
    assert moment(f"{past:%H:%M}±2m", NOON) == (past, "2m")
    assert moment(f"{future:%H:%M:%S}", NOON) == (future - timedelta(days=1), "1m")


@pytest.mark.parametrize("text", ["", "noon", "25:00", "14:07±x"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(CliError):
        moment(text, NOON)
