"""The audit log's lines that belong to a drill become evidence beside it, and no others."""

import json
import os
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.cli.drills import drill, finished
from tests.cli.fake_api import GROUP

from kubedrill.cli.facilitators.import_audit import CHUNK_BYTES, Span, belonging, chunks, rotated, span_of

DRILLS = f"{GROUP}/drills/drills"
REPORTS = f"{GROUP}/drills/drillreports"
CONFIG_MAPS = "/api/v1/namespaces/drills/configmaps"


def event(**changes):
    told = {
        "auditID": "a-1",
        "stage": "ResponseComplete",
        "verb": "list",
        "user": {"username": "alice@example.com"},
        "requestURI": "/api/v1/namespaces/staging/pods",
        "responseStatus": {"code": 200},
        "objectRef": {"resource": "pods", "namespace": "staging"},
        "requestReceivedTimestamp": "2026-03-02T12:01:00.000001Z",
        "stageTimestamp": "2026-03-02T12:01:00.01Z",
        "responseObject": {"secret": "of others"},
    }
    return json.dumps(told | changes)


def over():
    thing = drill(**finished("Passed", endExTime="2026-03-02T12:05:00Z"))
    thing["metadata"] |= {"uid": "12345678-x", "creationTimestamp": "2026-03-02T11:59:00Z"}
    return thing


AFTERWARDS = datetime(2026, 3, 3, tzinfo=UTC)


@pytest.fixture
def span() -> Span:
    return span_of(over(), "drills", AFTERWARDS)


def test_a_players_read_belongs_to_the_drill_without_what_was_answered(span):
    (line,) = belonging([event()], span)
    assert json.loads(line)["user"] == {"username": "alice@example.com"}
    assert "responseObject" not in json.loads(line)


STRANGE: dict[str, dict[str, Any]] = {
    "another namespace": {"objectRef": {"resource": "pods", "namespace": "staging-2"}},
    "before the drill": {"requestReceivedTimestamp": "2026-03-02T11:58:00Z"},
    "after the drill": {"requestReceivedTimestamp": "2026-03-02T12:07:00Z"},
    "the operator": {"user": {"username": "system:serviceaccount:drills:kubedrill"}},
    "the cluster's machinery": {"user": {"username": "system:kube-controller-manager"}},
    "a request that is only received": {"stage": "RequestReceived"},
    "a pager that asks": {"objectRef": {"resource": "services", "subresource": "proxy", "namespace": "staging"}},
}


@pytest.mark.parametrize("changes", STRANGE.values(), ids=STRANGE)
def test_what_is_not_the_drills_is_left_out(span, changes):
    assert not list(belonging([event(**changes)], span))


def test_whoever_is_impersonated_is_who_acts(span):
    as_operator = {"impersonatedUser": {"username": "system:serviceaccount:drills:kubedrill"}}
    assert not list(belonging([event(**as_operator)], span))


def test_a_log_that_is_cut_anywhere_is_read_all_the_same(span):
    assert len(list(belonging(["staging {", "", '"staging"', event()], span))) == 1


def test_a_drill_that_is_on_has_no_end_yet():
    on = drill(startExTime="2026-03-02T12:00:00Z")
    from_now = span_of(on | {"status": {"startExTime": "2026-03-02T12:00:00Z"}}, "drills", _at("12:30"))
    assert from_now.end == _at("12:31")


def _at(time):
    from datetime import datetime  # noqa: PLC0415  for this one

    return datetime.fromisoformat(f"2026-03-02T{time}:00+00:00")


def test_a_log_that_was_rotated_during_the_drill_is_read_with_its_older_files(tmp_path):
    names = ("audit.log", "audit-2026-03-02T12-03.log", "audit-2026-03-02T11-00.log")
    log, older, oldest = (tmp_path / name for name in names)
    for file in (log, older, oldest):
        file.write_text(event())
    os.utime(oldest, (0, _at("11:00").timestamp()))
    os.utime(older, (0, _at("12:03").timestamp()))
    assert rotated(log, _at("12:00")) == [older]


def test_each_part_fits_a_config_map_and_no_line_is_cut():
    lines = [str(n) * 1000 for n in range(1000)]
    parts = list(chunks(lines))
    assert all(len(p.encode()) <= CHUNK_BYTES for p in parts)
    assert "\n".join(parts).splitlines() == lines


def test_the_lines_are_stored_beside_the_drill_and_the_operator_is_told(api, kubedrill, tmp_path):
    log = tmp_path / "audit.log"
    log.write_text(event() + "\n")
    api.put(DRILLS, over())
    api.collections[REPORTS] = {}
    result = kubedrill("import-audit", "rush", "--log", str(log), "--wait", "0s")
    assert result.exit_code == 0, result.output
    stored = api.collections[CONFIG_MAPS]["rush-12345678-audit-0"]
    assert stored["metadata"]["labels"] == {"kubedrill.dev/drill": "rush", "kubedrill.dev/evidence": "audit"}
    assert stored["metadata"]["ownerReferences"][0]["uid"] == "12345678-x"
    assert json.loads(stored["data"]["audit"])["auditID"] == "a-1"
    assert api.collections[DRILLS]["rush"]["metadata"]["annotations"]["kubedrill.dev/evidence-imported"]
    assert "the operator has not read them yet" in result.output


def test_it_waits_until_the_report_knows_the_evidence(api, kubedrill, tmp_path):
    log = tmp_path / "audit.log"
    log.write_text(event() + "\n")
    api.put(DRILLS, over())
    api.collections[REPORTS] = {}
    kubedrill("import-audit", "rush", "--log", str(log), "--wait", "0s")
    notes = api.collections[DRILLS]["rush"]["metadata"]["annotations"]
    api.put(REPORTS, {"metadata": {"name": "r", "annotations": notes}, "spec": {"drillUid": "12345678-x"}})
    assert "the report is written anew" in kubedrill("import-audit", "rush", "--log", str(log)).output


def test_a_log_with_nothing_of_the_drill_changes_nothing(api, kubedrill, tmp_path):
    log = tmp_path / "audit.log"
    log.write_text(event(**STRANGE["another namespace"]))
    api.put(DRILLS, over())
    assert "the log has nothing of rush" in kubedrill("import-audit", "rush", "--log", str(log)).output
    assert not [m for m, _, _ in api.requests if m == "PATCH"]


def test_a_log_that_cannot_be_read_is_bad_input(api, kubedrill, tmp_path):
    api.put(DRILLS, over())
    assert kubedrill("import-audit", "rush", "--log", str(tmp_path / "none")).exit_code == 2
