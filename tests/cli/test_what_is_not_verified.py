"""Records that can't be read, were exchanged or are lost: what the commands say, and the last way out."""

import base64
from dataclasses import replace

import pytest
from tests.cli.drills import drill, finished
from tests.cli.undo import DRILLS, SECRETS, broken, limit_of, secret, undo_of
from tests.undo.builders import NOON

from kubedrill.api.drill import ACCEPTS_UNVERIFIED
from kubedrill.api.drill_status import FaultStep
from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.state import FaultState, State, state_to_wire
from kubedrill.core.machine.unverified import lost
from kubedrill.core.undo.genuine import fingerprint
from kubedrill.core.undo.record import FieldGroup
from kubedrill.core.undo.touches import recorded_touches
from kubedrill.store.undo_records import DRILL_UID

WEB = undo_of("web")
VALUES = "Deployment/web in shop /spec/template/spec/containers/0/resources/limits/memory: 128Mi → 32Mi"
FORBIDDEN = (403, {"kind": "Status", "reason": "Forbidden", "message": "you may not"})


@pytest.fixture(autouse=True)
def nothing_else(api):
    api.collections |= {DRILLS: {}, SECRETS: {}}


def the_drill(api, record, *, gone=False, phase=Phase.RECOVERING):
    """The Drill, with what it has noted of its record."""
    fault = FaultState(
        "storm",
        FaultStep.INJECTED,
        1,
        "Deployment/web",
        WEB,
        fingerprint=fingerprint(record),
        touches=recorded_touches(record)["storm"],
    )
    state = State(phase, NOON, (lost(fault) if gone else fault,))
    status = {"machine": state_to_wire(state), "phase": phase.value}
    api.put(DRILLS, {"metadata": {"name": "storm", "namespace": "drills", "uid": "d1"}, "spec": {}, "status": status})


def unreadable(api):
    """A record that says nothing, by its label one of drill `storm`."""
    record = broken(api)
    the_drill(api, record)
    thing = api.collections[SECRETS][WEB]
    thing["metadata"]["labels"] = {DRILL_UID: "d1"}
    thing["data"] = {"record": base64.b64encode(b"{}").decode()}


def exchanged(api):
    """A record that would put back something else than the Drill has noted."""
    record = broken(api)
    the_drill(api, record)
    (group,) = record.groups
    assert isinstance(group, FieldGroup)
    fields = (replace(group.fields[0], before="9Gi"), *group.fields[1:])
    api.put(SECRETS, secret(replace(record, groups=(replace(group, fields=fields),))))


def vanished(api):
    """A record that somebody has deleted, as the operator tells of it."""
    the_drill(api, broken(api), gone=True)
    api.remove(SECRETS, WEB)


DOUBTS = pytest.mark.parametrize(
    ("doubt", "said"),
    [
        (unreadable, f"undo record {WEB} of storm can't be read"),
        (exchanged, "something else than when it was stored"),
        (vanished, "is gone, and not by us"),
    ],
    ids=["unreadable", "exchanged", "vanished"],
)


def accepted(api):
    """Who has accepted that the drill ends unverified, as the Drill has it."""
    return (api.collections[DRILLS]["storm"]["metadata"].get("annotations") or {}).get(ACCEPTS_UNVERIFIED)


def writes(api):
    return [(method, path) for method, path, _ in api.requests if method in ("PATCH", "DELETE")]


@DOUBTS
@pytest.mark.parametrize("whose", [[], ["storm"], ["d1"], ["--all"]], ids=["listed", "by name", "by uid", "all"])
def test_it_is_said_with_what_to_do_and_left_alone(api, kubedrill, doubt, said, whose):
    doubt(api)
    result = kubedrill("restore", *whose)
    assert result.exit_code == 6
    assert said in result.output
    assert "docs/how-to/break-glass.md" in result.output
    assert "--accept-unverified" in result.output
    assert limit_of(api) == "32Mi"
    assert not writes(api)


@DOUBTS
def test_the_doctor_says_the_same(api, kubedrill, doubt, said):
    doubt(api)
    result = kubedrill("doctor")
    assert result.exit_code == 3
    assert "✗ undo-records" in result.output
    assert said in result.output


@pytest.mark.parametrize("doubt", [unreadable, exchanged], ids=["unreadable", "exchanged"])
def test_the_values_that_the_drill_has_noted_are_shown(api, kubedrill, doubt):
    doubt(api)
    assert VALUES in kubedrill("restore").output


@DOUBTS
def test_who_may_lets_the_drill_end_and_is_told_what_is_lost(api, kubedrill, doubt, said):
    doubt(api)
    result = kubedrill("restore", "storm", "--accept-unverified")
    assert result.exit_code == 6, "it is not restored for that"
    assert said in result.output
    assert accepted(api) == "alice@example.com"
    assert not api.collections[SECRETS]
    assert limit_of(api) == "32Mi"


@pytest.mark.parametrize("doubt", [unreadable, exchanged], ids=["unreadable", "exchanged"])
def test_the_drill_is_told_before_a_record_goes(api, kubedrill, doubt):
    doubt(api)
    kubedrill("restore", "storm", "--accept-unverified")
    assert writes(api) == [("PATCH", f"{DRILLS}/storm"), ("DELETE", f"{SECRETS}/{WEB}")]


def test_who_may_not_tell_the_drill_deletes_nothing(api, kubedrill):
    unreadable(api)
    api.answers["PATCH", f"{DRILLS}/storm"] = FORBIDDEN
    result = kubedrill("restore", "storm", "--accept-unverified")
    assert result.exit_code == 3
    assert WEB in api.collections[SECRETS]


def test_with_nothing_in_doubt_nothing_is_given_up(api, kubedrill):
    the_drill(api, broken(api))
    result = kubedrill("restore", "storm", "--accept-unverified")
    assert result.exit_code == 0
    assert "nothing is given up" in result.output
    assert accepted(api) is None
    assert limit_of(api) == "128Mi"


def test_a_record_of_a_drill_that_is_gone_is_given_up_by_its_own_name(api, kubedrill):
    unreadable(api)
    api.remove(DRILLS, "storm")
    kubedrill("restore", WEB, "--accept-unverified")
    assert not api.collections[SECRETS]


def test_one_that_can_not_be_read_holds_up_no_other(api, kubedrill):
    unreadable(api)
    broken(api, "api")
    result = kubedrill("restore", "--all")
    assert result.exit_code == 6
    assert limit_of(api, "api") == "128Mi"


def test_a_record_that_is_closed_before_its_outcome_is_told_is_missed_by_nobody(api, kubedrill):
    the_drill(api, broken(api))
    kubedrill("restore", "storm", "--close")
    assert writes(api)[-2:] == [("PATCH", f"{DRILLS}/storm"), ("DELETE", f"{SECRETS}/{WEB}")]
    assert accepted(api) == "alice@example.com"


def test_what_was_given_up_and_has_ended_is_said_no_more(api, kubedrill):
    the_drill(api, broken(api), gone=True, phase=Phase.ABORTED)
    api.remove(SECRETS, WEB)
    assert kubedrill("restore").exit_code == 0


def test_f30_a_secret_that_only_bears_a_records_name_is_told_with_the_command_that_removes_it(api, kubedrill):
    api.put(SECRETS, {"metadata": {"name": WEB, "namespace": "drills", "uid": "x"}, "type": "Opaque"})
    api.put(SECRETS, {"metadata": {"name": "undo-button", "namespace": "drills", "uid": "y"}, "type": "Opaque"})
    result = kubedrill("restore")
    assert result.exit_code == 6
    assert f"kubectl delete secret {WEB} -n drills" in result.output
    assert "undo-button" not in result.output


def test_the_doctor_tells_of_what_is_overdue(api, kubedrill):
    broken(api)
    result = kubedrill("doctor")
    assert "storm: Deployment/web should be back since 13:00:00Z: kubectl drill restore storm" in result.output


@pytest.mark.parametrize(("stalled", "sign"), [("True", "✗"), ("False", "✓")])
def test_to_whom_secrets_are_closed_the_doctor_tells_by_the_drills_own_word(api, kubedrill, stalled, sign):
    the_drill(api, broken(api))
    conditions = [{"type": "Stalled", "status": stalled}]
    api.collections[DRILLS]["storm"]["status"]["conditions"] = conditions
    api.answers["GET", SECRETS] = FORBIDDEN
    assert f"{sign} undo-records" in kubedrill("doctor").output


def test_a_stop_whose_drill_ends_unverified_ends_with_six_at_once(api, kubedrill):
    api.put(DRILLS, drill(**finished("Error", restored=False, phase="Aborted")))
    result = kubedrill("stop", "rush", "--wait", "60s")
    assert result.exit_code == 6
    assert "not everything is verified to be back" in result.output
