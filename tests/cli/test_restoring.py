"""The break-glass command: the cluster is put back from undo records alone, and what became of each is said."""

import base64
import json
from datetime import timedelta

import pytest
from click.testing import CliRunner
from tests.cli.undo import (
    CABLE,
    DEPLOYMENTS,
    DRILLS,
    PAGE,
    SECRETS,
    broken,
    limit_of,
    outside,
    reverted,
    secret,
    undo_of,
    undo_outside,
)

from kubedrill.cli.main import cli
from kubedrill.cli.safety import restore_job
from kubedrill.core.undo.record import from_json

WEB, PAGED = undo_of("web"), undo_outside(PAGE, "page")
JOBS = "/apis/batch/v1/namespaces/drills/jobs"
PODS = "/api/v1/namespaces/drills/pods"
OPERATOR = "/apis/apps/v1/namespaces/drills/deployments"
FORBIDDEN = (
    403,
    {
        "kind": "Status",
        "reason": "Forbidden",
        "message": 'User "you" cannot patch resource "deployments"',
    },
)
UNSERVED = (404, {"kind": "Status", "message": "404 page not found"})
DRILL_IS_THERE = (200, {"metadata": {"name": "storm", "uid": "d1"}, "spec": {}})


@pytest.fixture(autouse=True)
def no_drill(api):
    """The API server knows of drills, and has none."""
    api.collections[DRILLS] = {}
    api.collections[SECRETS] = {}


def state_of(api, name=WEB):
    return from_json(base64.b64decode(api.collections[SECRETS][name]["data"]["record"]))


def test_without_a_name_the_records_are_shown_and_nothing_is_touched(api, kubedrill):
    broken(api)
    result = kubedrill("restore")
    assert result.exit_code == 0
    assert result.output.splitlines()[:2] == [
        "storm: Deployment/web in shop is Injected, to be back by 2026-03-01T13:00:00Z, which is past",
        "    /spec/template/spec/containers/0/resources/limits/memory: 128Mi → 32Mi",
    ]
    assert limit_of(api) == "32Mi"
    assert not [r for r in api.requests if r[0] in ("PATCH", "DELETE")]


@pytest.mark.parametrize("whose", [["storm"], ["d1"], ["--all"]], ids=["by name", "by uid", "of all"])
def test_what_a_drill_changed_is_put_back_and_told_field_by_field(api, kubedrill, whose):
    broken(api)
    result = kubedrill("restore", *whose)
    assert result.exit_code == 0, result.output
    assert limit_of(api) == "128Mi"
    assert "✓ storm: Deployment/web is restored" in result.output
    assert "Restored: /spec/template/spec/containers/0/resources/limits/memory is 128Mi" in result.output


def test_the_drills_of_others_are_left_alone(api, kubedrill):
    broken(api)
    result = kubedrill("restore", "rush")
    assert "no undo record of rush" in result.output
    assert limit_of(api) == "32Mi"


def test_who_did_it_stands_in_the_record(api, kubedrill):
    api.answers["GET", f"{DRILLS}/storm"] = DRILL_IS_THERE
    broken(api)
    kubedrill("restore", "storm")
    assert state_of(api).outcome.by == "alice@example.com"


def test_it_may_be_done_again(api, kubedrill):
    broken(api)
    assert kubedrill("restore", "--all").exit_code == 0
    assert kubedrill("restore", "--all").exit_code == 0
    assert limit_of(api) == "128Mi"


def test_a_record_is_closed_when_its_drill_is_gone(api, kubedrill):
    broken(api)
    kubedrill("restore", "--all")
    assert not api.collections[SECRETS]


def test_a_record_is_closed_when_nobody_knows_of_drills_any_more(api, kubedrill):
    api.answers["GET", f"{DRILLS}/storm"] = UNSERVED
    api.answers["GET", "/apis"] = (200, {"groups": [{"name": "apps"}]})
    broken(api)
    kubedrill("restore", "--all")
    assert not api.collections[SECRETS]


LEFT = {
    "the drill is there": (DRILL_IS_THERE, (200, {"groups": [{"name": "kubedrill.dev"}]})),
    "nobody may say": (FORBIDDEN, (200, {"groups": [{"name": "apps"}]})),
    "drills are unserved for a moment": (UNSERVED, (200, {"groups": [{"name": "kubedrill.dev"}]})),
    "the API server does not know its groups": (UNSERVED, (503, {})),
}


@pytest.mark.parametrize(("drill", "groups"), LEFT.values(), ids=LEFT)
def test_a_record_stays_for_the_operator_unless_its_drill_is_gone_for_certain(api, kubedrill, drill, groups):
    api.answers["GET", f"{DRILLS}/storm"] = drill
    api.answers["GET", "/apis"] = groups
    broken(api)
    result = kubedrill("restore", "--all")
    assert result.exit_code == 0
    assert state_of(api).state == "Reverted"
    assert f"{WEB} stays until the operator has taken its outcome over" in result.output


def test_a_record_that_a_drill_waits_for_is_closed_by_force_with_a_warning(api, kubedrill):
    api.answers["GET", f"{DRILLS}/storm"] = DRILL_IS_THERE
    broken(api)
    result = kubedrill("restore", "storm", "--close")
    assert not api.collections[SECRETS]
    assert "the report will lack it" in result.output


def changed_by_a_player(api):
    resources = api.collections[DEPLOYMENTS]["web"]["spec"]["template"]["spec"]["containers"][0]["resources"]
    resources["limits"]["memory"] = "1Gi"


def test_what_a_player_changed_is_kept_and_said(api, kubedrill):
    broken(api)
    changed_by_a_player(api)
    result = kubedrill("restore", "--all")
    assert result.exit_code == 0
    assert limit_of(api) == "1Gi"
    assert "Superseded: /spec/template/spec/containers/0/resources/limits/memory is 1Gi" in result.output


def test_what_a_player_changed_is_overwritten_when_the_facilitator_says_so(api, kubedrill):
    broken(api)
    changed_by_a_player(api)
    assert kubedrill("restore", "--all", "--overwrite").exit_code == 0
    assert limit_of(api) == "128Mi"


def test_a_change_that_was_kept_can_be_overwritten_as_long_as_the_record_is_there(api, kubedrill):
    api.answers["GET", f"{DRILLS}/storm"] = DRILL_IS_THERE
    broken(api)
    changed_by_a_player(api)
    kubedrill("restore", "storm")
    assert limit_of(api) == "1Gi"
    kubedrill("restore", "storm", "--overwrite")
    assert limit_of(api) == "128Mi"
    assert state_of(api).state == "Reverted"


def test_one_that_is_stuck_holds_up_no_other(api, kubedrill):
    broken(api, "web")
    broken(api, "worker")
    api.answers["GET", f"{DEPLOYMENTS}/web"] = (500, {"message": "out of order"})
    result = kubedrill("restore", "--all", "--wait", "1ms")
    assert result.exit_code == 6
    assert limit_of(api, "worker") == "128Mi"
    assert "✗ storm: Deployment/web is not restored, ServerBusy" in result.output
    assert WEB in api.collections[SECRETS]


def test_a_target_that_was_made_anew_with_the_fault_in_it_is_still_broken(api, kubedrill):
    broken(api)
    api.collections[DEPLOYMENTS]["web"]["metadata"]["uid"] = "another"
    result = kubedrill("restore", "--all")
    assert result.exit_code == 6
    assert "✗ storm: Deployment/web is still broken" in result.output
    assert "CarriedOver" in result.output


def test_who_may_not_list_the_records_is_told_of_the_group(api, kubedrill):
    api.answers["GET", SECRETS] = FORBIDDEN
    result = kubedrill("restore", "--all")
    assert result.exit_code == 3
    assert "kubedrill:break-glass" in result.output
    assert "kubectl auth can-i list secrets -n drills" in result.output


def test_who_may_not_change_the_target_is_told_which_right_to_ask_for(api, kubedrill):
    broken(api)
    api.answers["PATCH", f"{DEPLOYMENTS}/web"] = FORBIDDEN
    result = kubedrill("restore", "--all")
    assert result.exit_code == 3
    assert "kubectl auth can-i patch deployments.apps -n shop" in result.output


def test_records_that_cannot_be_listed_are_not_taken_for_none(api, kubedrill):
    api.answers["GET", SECRETS] = (500, {"message": "out of order"})
    result = kubedrill("restore", "--all")
    assert result.exit_code == 5
    assert "whether anything is open is unknown" in result.output


def test_a_record_that_says_nothing_is_not_taken_for_none(api, kubedrill):
    metadata = {"name": "undo-odd", "namespace": "drills", "uid": "x"}
    api.put(SECRETS, {"metadata": metadata, "type": "kubedrill.dev/undo", "data": {"record": "e30="}})
    result = kubedrill("restore", "--all")
    assert result.exit_code == 6
    assert "undo-odd of drill (unknown) can't be read" in result.output


def test_one_speaks_as_the_group_when_one_may(api, kubedrill):
    kubedrill("restore", "--as", "alice@example.com", "--as-group", "kubedrill:break-glass")
    said = [(h.get("Impersonate-User"), h.get("Impersonate-Group")) for h in api.headers]
    assert set(said) == {("alice@example.com", "kubedrill:break-glass")}


def test_a_group_alone_is_nobody(api, kubedrill):
    assert kubedrill("restore", "--as-group", "kubedrill:break-glass").exit_code == 2
    assert not api.requests


def test_what_was_done_by_hand_waits_for_a_person_and_says_what_to_do(api, kubedrill):
    outside(api, CABLE, "cable")
    result = kubedrill("restore", "--all")
    assert result.exit_code == 6
    assert "plug the cable in" in result.output
    assert "kubectl drill restore storm --confirm cable" in result.output


def test_what_was_undone_by_hand_is_confirmed_on_the_command_line(api, kubedrill):
    outside(api, CABLE, "cable")
    assert kubedrill("restore", "storm", "--confirm", "cable").exit_code == 0
    assert not api.collections[SECRETS]


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("n\n", 6)])
def test_what_was_done_by_hand_is_asked_for_on_a_terminal(api, kubedrill, monkeypatch, typed, code):
    assert kubedrill("restore").exit_code == 0
    monkeypatch.setattr("kubedrill.cli.safety.restore.is_terminal", lambda: True)
    outside(api, CABLE, "cable")
    result = CliRunner().invoke(cli, ["restore", "--all"], input=typed)
    assert result.exit_code == code, result.output
    assert "cable: plug the cable in. Is it done?" in result.output


def in_a_job(api, printed, *, ends="Complete"):
    """The cluster can run the Job, which prints something and ends."""
    template = {"spec": {"containers": [{"image": "registry.example.com/kubedrill:1"}]}}
    api.put(OPERATOR, {"metadata": {"name": "kubedrill"}, "spec": {"template": template}})
    api.put("/api/v1/namespaces/drills/serviceaccounts", {"metadata": {"name": "kubedrill-watchdog"}})
    api.answers["POST", JOBS] = (201, {"metadata": {"name": "restore-1"}})
    api.answers["GET", f"{JOBS}/restore-1"] = (200, {"status": {"conditions": [{"type": ends, "status": "True"}]}})
    api.put(PODS, {"metadata": {"name": "restore-1-x", "labels": {"job-name": "restore-1"}}})
    api.answers["GET", f"{PODS}/restore-1-x/log"] = (200, printed)


def test_what_only_answers_inside_the_cluster_is_put_back_by_a_job_there(api, kubedrill):
    record = outside(api, PAGE, "page")
    in_a_job(api, {PAGED: {"state": "Reverted", "reason": "", "message": ""}})
    api.answers["GET", f"{SECRETS}/{PAGED}"] = (200, secret(reverted(record)))
    result = kubedrill("restore", "--all")
    assert result.exit_code == 0, result.output
    assert "✓ storm: page is restored" in result.output
    (made,) = api.bodies("POST", JOBS)
    pod = made["spec"]["template"]["spec"]
    command = pod["containers"][0]["command"]
    assert pod["containers"][0]["image"] == "registry.example.com/kubedrill:1"
    assert f"--in-cluster={PAGED}" in command
    assert command[command.index("--by") + 1] == "alice@example.com"
    assert ("DELETE", f"{JOBS}/restore-1") in [request[:2] for request in api.requests]


def test_the_job_fits_a_namespace_of_restricted_pods(api, kubedrill):
    outside(api, PAGE, "page")
    in_a_job(api, {})
    kubedrill("restore", "--all")
    pod = api.bodies("POST", JOBS)[0]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = pod["containers"]
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        ({PAGED: {"state": "Retry", "reason": "Unreachable", "message": "no answer"}}, "Unreachable: no answer"),
        ({"message": "Traceback"}, "JobFailed: Traceback"),
    ],
)
def test_the_record_is_believed_and_the_job_tells_what_resists(api, kubedrill, printed, said):
    outside(api, PAGE, "page")
    in_a_job(api, printed, ends="Failed")
    result = kubedrill("restore", "--all")
    assert result.exit_code == 6
    assert f"✗ storm: page is not restored, {said}" in result.output


def test_an_api_server_that_answers_badly_while_the_job_runs_ends_no_restore(api, kubedrill, monkeypatch):
    monkeypatch.setattr(restore_job, "STARTING", timedelta(milliseconds=50))
    outside(api, PAGE, "page")
    in_a_job(api, {})
    api.answers["GET", f"{JOBS}/restore-1"] = (500, {"kind": "Status", "status": "Failure", "message": "etcd is away"})
    result = kubedrill("restore", "--all", "--wait", "100ms")
    assert result.exit_code == 6
    assert "✗ storm: page is not restored, JobFailed: Job restore-1 has not ended" in result.output


def test_a_job_that_nobody_could_run_is_not_made_and_it_is_said_how_to_get_there(api, kubedrill):
    broken(api)
    outside(api, PAGE, "page")
    result = kubedrill("restore", "--all")
    assert result.exit_code == 6
    assert "kubectl create serviceaccount kubedrill-watchdog -n drills" in result.output
    assert not api.bodies("POST", JOBS)
    assert limit_of(api) == "128Mi"


def test_in_the_job_the_named_records_alone_are_put_back_under_the_callers_name(api, kubedrill):
    api.answers["GET", f"{DRILLS}/storm"] = DRILL_IS_THERE
    broken(api, "web")
    broken(api, "worker")
    result = kubedrill("restore", "-n", "drills", "--by", "bob@example.com", f"--in-cluster={WEB}")
    assert json.loads(result.output)[WEB]["state"] == "Reverted"
    assert state_of(api).outcome.by == "bob@example.com"
    assert limit_of(api, "worker") == "32Mi"
