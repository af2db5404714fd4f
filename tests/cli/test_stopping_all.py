"""`stop --all` ends when nothing is broken any more, and says so when something stays broken."""

import pytest
from tests.cli.drills import drill, finished
from tests.cli.undo import DRILLS, SECRETS, broken, reverted, secret

from kubedrill.api.drill import DESIRED, STOP_BECAUSE


@pytest.fixture(autouse=True)
def collections(api):
    api.collections |= {DRILLS: {}, SECRETS: {}}


def ends_when_told(api, name, uid):
    """An operator that ends the drill when it is told to stop."""

    def told(method, path, _body):
        if (method, path) == ("PATCH", f"{DRILLS}/{name}"):
            api.put(DRILLS, drill(name, **finished("Stopped", phase="Stopped")))
            api.collections[SECRETS].pop(uid, None)

    api.refuses = told


def test_every_drill_that_has_not_ended_is_stopped_and_the_reason_is_told(api, kubedrill):
    api.put(DRILLS, drill("over", **finished("Passed")))
    api.put(DRILLS, drill("going", phase="InPlay", startExTime="2026-03-02T12:00:00Z"))
    ends_when_told(api, "going", "")
    result = kubedrill("stop", "--all", "--because", "the release is uninstalled")
    assert result.exit_code == 0, result.output
    assert api.bodies("PATCH", f"{DRILLS}/going") == [
        {"metadata": {"annotations": {DESIRED: "Stop", STOP_BECAUSE: "the release is uninstalled"}}}
    ]
    assert not api.bodies("PATCH", f"{DRILLS}/over")
    assert result.output.splitlines() == ["stopping going", "1 stopped; everything of drills is restored."]


def test_where_there_is_none_it_is_done_at_once(kubedrill):
    assert kubedrill("stop", "--all").output == "0 stopped; everything of drills is restored.\n"


def test_where_no_kind_of_ours_is_served_there_is_nothing_to_stop(api, kubedrill):
    del api.collections[DRILLS]
    assert kubedrill("stop", "--all").exit_code == 0


def test_what_is_not_restored_in_time_is_named(api, kubedrill):
    broken(api)
    result = kubedrill("stop", "--all", "--wait", "1ms")
    assert result.exit_code == 6
    assert "storm: Deployment/web: not restored after" in result.output


def test_a_record_that_says_nothing_is_not_taken_for_restored(api, kubedrill):
    metadata = {"name": "undo-odd", "namespace": "drills", "uid": "x"}
    api.put(SECRETS, {"metadata": metadata, "type": "kubedrill.dev/undo", "data": {}})
    result = kubedrill("stop", "--all", "--wait", "1ms")
    assert result.exit_code == 6
    assert "undo-odd, which can't be read" in result.output


def test_records_that_can_not_be_listed_are_not_taken_for_none(api, kubedrill):
    api.answers["GET", SECRETS] = (403, {"reason": "Forbidden", "message": "no"})
    result = kubedrill("stop", "--all")
    assert result.exit_code == 6
    assert "whether everything is restored can't be told" in result.output


def test_without_an_operator_it_is_enough_that_the_watchdog_has_restored_it(api, kubedrill):
    api.put(SECRETS, secret(reverted(broken(api))))
    api.put(DRILLS, drill("storm", phase="InPlay", startExTime="2026-03-02T12:00:00Z"))
    result = kubedrill("stop", "--all", "--wait", "1ms")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[-1] == (
        "everything of drills is restored. Not ended, for want of an operator: storm."
    )


@pytest.mark.parametrize("arguments", [(), ("rush", "--all")])
def test_it_takes_a_name_or_all(api, kubedrill, arguments):
    result = kubedrill("stop", *arguments)
    assert (result.exit_code, api.requests) == (2, [])
    assert "say which drill is to be stopped, or --all" in result.output
