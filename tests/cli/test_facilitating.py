"""The facilitator starts and stops drills, and is told where there is nothing to start or to stop."""

import pytest
from tests.cli.drills import drill, finished
from tests.cli.fake_api import GROUP

DRILLS = f"{GROUP}/drills/drills"


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


@pytest.mark.parametrize("verdict", ["Error", "Passed"])
def test_a_drill_that_has_ended_is_not_started(api, kubedrill, verdict):
    started = verdict != "Error"
    api.put(DRILLS, drill(**finished(verdict, started=started, phase="Aborted", message="no rule is loaded")))
    result = kubedrill("start", "rush")
    assert (result.exit_code, api.bodies("PATCH", f"{DRILLS}/rush")) == (2, [])
    assert "rush has ended (no rule is loaded) and can't be started: make another drill" in result.output


@pytest.mark.parametrize("phase", ["Armed", "InPlay", "Recovering", "HotWash"])
def test_a_drill_that_is_on_is_not_said_to_start(api, kubedrill, phase):
    api.put(DRILLS, drill(phase=phase, startExTime="2026-03-02T12:00:00Z"))
    result = kubedrill("start", "rush")
    assert (result.exit_code, api.bodies("PATCH", f"{DRILLS}/rush")) == (0, [])
    assert result.output.startswith("rush has started already.")


def test_what_has_ended_by_itself_is_stopped_by_nobody(api, kubedrill):
    api.put(DRILLS, drill(**finished("Passed")))
    result = kubedrill("stop", "rush")
    assert (result.exit_code, api.bodies("PATCH", f"{DRILLS}/rush")) == (2, [])
    assert "rush has ended (Passed: as it was): there is nothing to stop" in result.output


def test_what_has_ended_and_is_not_known_to_be_restored_is_told_as_such_by_a_stop(api, kubedrill):
    api.put(DRILLS, drill(**finished("Error", restored=False, message="the record is lost")))
    result = kubedrill("stop", "rush")
    assert result.exit_code == 6
    assert "not everything is verified to be back: the record is lost" in result.output
