"""Scripted players act as people would: they wait for the page, speak under their names, and use kubectl."""

import json
import os
import stat
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from tests.cli.fake_api import GROUP

from kubedrill.cli.players.play import fired

ACTIONS = f"{GROUP}/staging/playeractions"
PROXY = "/api/v1/namespaces/staging/services"
PAGES = f"{PROXY}/page-sink:8080/proxy/pages"
QUERY = f"{PROXY}/prometheus:9090/proxy/api/v1/query"


def page(at, alert="HighQueueDepth", status="firing"):
    alerts = [{"status": status, "labels": {"alertname": alert}, "startsAt": at.isoformat()}]
    return {"receivedAt": at.isoformat(), "body": {"alerts": alerts}}


@pytest.fixture
def paged(api):
    """The page of an alert that fires within a moment from now."""
    zero = datetime.now(UTC) + timedelta(minutes=1)  # noqa: TID251  the page's own clock
    api.answers["GET", PAGES] = (200, [page(zero)])
    return zero


@pytest.fixture
def script(tmp_path):
    def write(*steps, pace=60, within="30s"):
        file = tmp_path / "script.yaml"
        file.write_text(
            yaml.safe_dump(
                {
                    "namespace": "staging",
                    "pace": pace,
                    "page": {"alert": "HighQueueDepth", "within": within},
                    "players": {"alice": {"as": "alice@example.com"}},
                    "steps": list(steps),
                }
            )
        )
        return str(file)

    return write


@pytest.fixture
def kubectl(tmp_path, monkeypatch):
    """A kubectl that writes down how it was called."""
    folder = tmp_path / "bin"
    folder.mkdir()
    calls = folder / "calls"
    program = folder / "kubectl"
    program.write_text(f'#!/bin/sh\necho "called $@" >> {calls}\n[ "$3" != fail ] && [ "$5" != fail ]\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return calls


@pytest.fixture
def at_once(monkeypatch):
    """T+0 is long past, so that no step is waited for."""
    monkeypatch.setattr("kubedrill.cli.players.play.Stage.due", lambda stage, _step: stage.zero - timedelta(hours=1))


def vector(*series):
    return {"status": "success", "data": {"resultType": "vector", "result": list(series)}}


def truth_of(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.mark.usefixtures("paged", "at_once")
def test_a_word_is_said_under_the_players_name_and_written_down(api, kubedrill, script, tmp_path):
    truth = tmp_path / "truth" / "log.jsonl"
    result = kubedrill("play", script({"as": "alice", "do": "severity P1"}), "--truth", str(truth))
    assert result.exit_code == 0, result.output
    (said,) = api.bodies("POST", ACTIONS)
    assert said["spec"] == {"actor": "alice@example.com", "action": "AssessSeverity", "severity": "P1"}
    first, second = truth_of(truth)
    assert first["event"] == "paged"
    assert second["ok"]
    assert second["planned"] < second["sent"] < second["answered"]
    asked = [h for h, r in zip(api.headers, api.requests, strict=True) if r[1] == ACTIONS]
    assert asked[0]["Impersonate-User"] == "alice@example.com"


@pytest.mark.usefixtures("paged", "at_once")
def test_kubectl_runs_as_the_player_in_the_target_namespace(kubedrill, script, kubectl):
    assert kubedrill("play", script({"as": "alice", "kubectl": ["get", "pods"]})).exit_code == 0
    assert kubectl.read_text() == "called -n staging --as alice@example.com get pods\n"


@pytest.mark.usefixtures("paged", "at_once")
def test_the_pod_that_crashed_is_found_by_looking(api, kubedrill, script, kubectl):
    killed = {"lastState": {"terminated": {"reason": "OOMKilled"}}, "state": {"running": {}}}
    api.put("/api/v1/namespaces/staging/pods", {"metadata": {"name": "worker-fine"}, "status": {}})
    api.put(
        "/api/v1/namespaces/staging/pods",
        {"metadata": {"name": "worker-x"}, "status": {"containerStatuses": [killed]}},
    )
    kubedrill("play", script({"as": "alice", "kubectl": ["logs", "{crashed}", "--previous"]}))
    assert kubectl.read_text().split()[-3:] == ["logs", "worker-x", "--previous"]


@pytest.mark.usefixtures("paged", "at_once", "kubectl")
def test_a_step_that_fails_does_not_stop_the_play_and_fails_it_in_the_end(api, kubedrill, script):
    result = kubedrill("play", script({"as": "alice", "kubectl": ["fail"]}, {"as": "alice", "do": "ack"}))
    assert result.exit_code == 5
    assert "1 of 2 steps failed" in result.output
    assert len(api.bodies("POST", ACTIONS)) == 1


@pytest.mark.usefixtures("paged", "at_once")
def test_a_condition_is_waited_for(api, kubedrill, script):
    api.answers["GET", QUERY] = (200, vector({"metric": {}, "value": [0, "1"]}))
    waiting = {"as": "alice", "do": "resolve", "when": {"promql": "queue_depth < 20"}}
    assert kubedrill("play", script(waiting)).exit_code == 0
    assert len(api.bodies("POST", ACTIONS)) == 1


@pytest.mark.usefixtures("paged", "at_once")
def test_a_condition_that_never_holds_is_given_up(api, kubedrill, script):
    api.answers["GET", QUERY] = (200, vector())
    waiting = {"as": "alice", "do": "resolve", "when": {"promql": "queue_depth < 20", "within": "50ms"}}
    result = kubedrill("play", script(waiting))
    assert "timed out waiting for queue_depth < 20" in result.output
    assert not api.bodies("POST", ACTIONS)


def test_without_a_page_nobody_acts(api, kubedrill, script):
    api.answers["GET", PAGES] = (200, [])
    result = kubedrill("play", script({"as": "alice", "do": "ack"}, within="50ms"))
    assert result.exit_code == 5
    assert "no page of HighQueueDepth within 50ms" in result.output
    assert not api.bodies("POST", ACTIONS)


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SOON = NOON + timedelta(seconds=5)


@pytest.mark.parametrize(
    ("pages", "found"),
    [
        ([page(SOON)], SOON),
        ([page(SOON + timedelta(seconds=9)), page(SOON)], SOON),
        ([page(NOON - timedelta(seconds=1))], None),
        ([page(SOON, alert="Other")], None),
        ([page(SOON, status="resolved")], None),
        ([], None),
    ],
)
def test_play_starts_with_the_first_page_about_the_alert_since_the_players_are_there(pages, found):
    assert fired(pages, "HighQueueDepth", NOON) == found
