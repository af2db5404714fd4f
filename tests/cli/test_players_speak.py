"""What a player says becomes one PlayerAction under their own name."""

import pytest
from tests.cli.conftest import SELF_REVIEW
from tests.cli.fake_api import GROUP

pytestmark = pytest.mark.usefixtures("player")

STAGING = f"{GROUP}/staging/playeractions"
WORDS = {
    "ack": ({"action": "Acknowledge"}, ["ack"]),
    "severity": ({"action": "AssessSeverity", "severity": "P1"}, ["severity", "p1"]),
    "escalate": ({"action": "Escalate", "level": "L2"}, ["escalate", "L2"]),
    "engage": ({"action": "Engage"}, ["engage"]),
    "engage as a level": ({"action": "Engage", "level": "L2"}, ["engage", "--level", "L2"]),
    "command": ({"action": "AssumeCommand"}, ["command"]),
    "notify": ({"action": "NotifyClient", "message": "we are at it"}, ["notify", "we", "are", "at", "it"]),
    "diagnose": (
        {"action": "Diagnose", "diagnosis": {"component": "worker", "faultClass": "MemoryLimit"}},
        ["diagnose", "--component", "worker", "--fault-class", "MemoryLimit"],
    ),
    "contain": ({"action": "Contain", "message": "scaled up"}, ["contain", "scaled up"]),
    "fix": ({"action": "Fix"}, ["fix"]),
    "mitigated": ({"action": "DeclareMitigated"}, ["mitigated"]),
    "resolve": ({"action": "DeclareResolved"}, ["resolve"]),
    "all-clear": ({"action": "SendAllClear"}, ["all-clear"]),
    "lead": ({"action": "TakeLead"}, ["lead"]),
    "postmortem": ({"action": "AssignPostmortem", "message": "emma"}, ["postmortem", "emma"]),
    "note": ({"action": "Note", "message": "odd"}, ["note", "odd"]),
}


@pytest.mark.parametrize(("spec", "typed"), WORDS.values(), ids=WORDS)
def test_each_verb_makes_one_action(api, kubedrill, spec, typed):
    assert kubedrill(*typed).exit_code == 0
    (made,) = api.bodies("POST", STAGING)
    assert made["spec"] == {"actor": "alice@example.com", **spec}
    assert made["metadata"]["generateName"]


def test_the_servers_time_and_the_speakers_name_are_shown(kubedrill):
    said = kubedrill("ack").output
    assert said.startswith("2026-03-02T12:00:00Z  alice@example.com: Acknowledge  (staging/acknowledge-")


def test_whoever_may_impersonate_speaks_as_that_user(api, kubedrill):
    assert kubedrill("ack", "--as", "emma@example.com").exit_code == 0
    asked = [h for h, r in zip(api.headers, api.requests, strict=True) if r[1] in (STAGING, SELF_REVIEW)]
    assert [h["Impersonate-User"] for h in asked] == ["emma@example.com"] * 2


def test_a_severity_that_is_none_is_bad_input_before_anything_is_sent(api, kubedrill):
    result = kubedrill("severity", "P9")
    assert result.exit_code == 2
    assert not api.requests


@pytest.mark.parametrize("typed", [["diagnose"], ["diagnose", "--drill", "rush"]])
def test_a_diagnosis_that_names_nothing_is_none(api, kubedrill, typed):
    result = kubedrill(*typed)
    assert (result.exit_code, api.bodies("POST", STAGING)) == (2, [])
    assert "say what the cause is: a MESSAGE, --component or --fault-class" in result.output


def test_a_refusal_of_the_server_is_told_in_its_words(api, kubedrill):
    api.answers["POST", STAGING] = (
        403,
        {"kind": "Status", "reason": "Forbidden", "message": "alice may not"},
    )
    result = kubedrill("ack")
    assert result.exit_code == 3
    assert "Acknowledge was not recorded: alice may not" in result.output


def test_a_cluster_without_kubedrill_is_told_as_such(api, kubedrill):
    api.answers["POST", STAGING] = (404, {"message": "404 page not found"})
    result = kubedrill("ack")
    assert result.exit_code == 5
    assert "is KubeDrill installed?" in result.output


def test_no_cluster_is_told_as_such(kubedrill, monkeypatch, tmp_path):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nothing"))
    result = kubedrill("ack")
    assert result.exit_code == 5
    assert "no cluster to talk to" in result.output
