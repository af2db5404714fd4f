"""Every statement that stands in two places is the same in both: status, watch, exit code, and each report format."""

from __future__ import annotations

import functools
import html
import json
import re
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from tests.judgement.courses import COURSES
from tests.judgement.played import DRILL, Played

from kubedrill.api.durations import parse_duration
from kubedrill.cli.exit_codes import ExitCode, exit_code
from kubedrill.cli.facilitators.status_view import milestone_line, news, objective_line
from kubedrill.controller.reporting import report_of
from kubedrill.core.measure.results import DrillRecord, Severity
from kubedrill.plugins.reports import render
from kubedrill.plugins.reports.html import WORDS
from kubedrill.plugins.reports.json_format import record_from_json
from kubedrill.plugins.reports.markdown import escape
from kubedrill.plugins.reports.sections import nothing_to_fix
from kubedrill.plugins.reports.wording import milestone_words, sentence_case, zero

JUNIT = {
    "Met": "system-out",
    "Missed": "failure",
    "Indeterminate": "error",
    "Pending": "error",
    "NotStarted": "skipped",
}


class Told:
    """All that is told of one drill once it is over."""

    def __init__(self, drill: Played) -> None:
        self.played, self.drill, self.status = drill, drill.drill, drill.status
        (self.record,) = drill.records
        self.json = json.loads(render(self.record, "json"))
        self.junit = ET.fromstring(render(self.record, "junit"))  # noqa: S314 - made a line above
        self.html, self.markdown = render(self.record, "html"), render(self.record, "markdown")
        body = self.html.partition("</style>")[2]
        self.page = html.unescape(" ".join(re.sub(r"<[^>]+>", " ", body).split()))
        self.report: dict[str, Any] = report_of(DRILL, self.record, self.played.world.now)["spec"]
        self.properties = {p.attrib["name"]: p.attrib["value"] for p in self.junit.iter("property")}


@functools.cache
def told(course: str) -> Told:
    return Told(COURSES[course]())


@pytest.fixture(params=COURSES)
def all_told(request: pytest.FixtureRequest) -> Told:
    return told(request.param)


def test_one_verdict(all_told):
    verdicts = {
        "status": all_told.status["verdict"],
        "record": str(all_told.record.verdict),
        "DrillReport": all_told.report["verdict"],
        "json": all_told.json["summary"]["verdict"],
        "junit": all_told.properties["verdict"],
        "html": re.findall(r"verdict: (\w+)", all_told.page)[0],
        "markdown": re.findall(r"Verdict: (\w+)", all_told.markdown)[0],
        "watch": all_told.status["message"].partition(":")[0],
    }
    assert len(set(verdicts.values())) == 1, verdicts


def test_one_reason(all_told):
    finished = next(c for c in all_told.status["conditions"] if c["type"] == "Finished")
    assert (finished["reason"], finished["message"]) == (
        all_told.record.verdict_reason,
        all_told.record.verdict_message,
    )
    assert all_told.record.verdict_message in all_told.status["message"]
    assert all_told.properties["verdict.reason"] == all_told.record.verdict_reason


def test_one_exit_code_and_a_red_case_in_junit_exactly_where_it_is_not_zero(all_told):
    code = exit_code(all_told.drill)
    red = [case for case in all_told.junit.iter("testcase") if {e.tag for e in case} & {"failure", "error"}]
    assert bool(red) is (code is not ExitCode.PASSED)
    if code is ExitCode.MISSED:
        assert any(case.find("failure") is not None for case in red)


def test_one_verdict_of_each_objective(all_told):
    status = {o["name"]: o["verdict"] for o in all_told.status["objectives"]}
    record = {o.name: str(o.verdict) for o in all_told.record.objectives}
    assert status == record
    assert {o["name"]: o["verdict"] for o in all_told.json["summary"]["objectives"]} == record
    cases = {case.attrib["name"]: case for case in all_told.junit.iter("testcase")}
    for objective in all_told.record.objectives:
        assert [e.tag for e in cases[objective.name]] == [JUNIT[objective.verdict]]
        row = next(
            line for line in all_told.markdown.splitlines() if line.startswith(f"| {sentence_case(objective.name)} |")
        )
        assert WORDS[objective.verdict] in row
        cells = all_told.html.partition(f'<th scope="row">{sentence_case(objective.name)}<small>')[2].partition(
            "</tr>"
        )[0]
        assert f'class="verdict {objective.verdict}"' in cells
    lines = {o["name"]: objective_line(o, all_told.drill) for o in all_told.status["objectives"]}
    assert all(f"{name} {verdict}" in lines[name] for name, verdict in record.items())


def test_one_time_of_each_objective(all_told):
    def seconds(text: str) -> float | None:
        sign = -1 if text.startswith("-") else 1
        return sign * parse_duration(text.lstrip("-")).total_seconds() if text else None

    status = {
        o["name"]: tuple(seconds(o.get(k, "")) for k in ("limit", "lower", "upper"))
        for o in all_told.status["objectives"]
    }
    summary = {
        o["name"]: (o["limitSeconds"], o["lowerSeconds"], o["upperSeconds"])
        for o in all_told.json["summary"]["objectives"]
    }
    assert status == summary
    assert {o["name"]: o.get("reason", "") for o in all_told.status["objectives"]} == {
        o.name: o.reason for o in all_told.record.objectives
    }


def test_one_list_of_milestones(all_told):
    def stamp(at: Any) -> str:
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    status = [
        (m["name"], m["notBefore"], m["notAfter"], m["source"], m["actor"]) for m in all_told.status["milestones"]
    ]
    assert status == [
        (m.key, stamp(m.at.not_before), stamp(m.at.not_after), str(m.source), m.actor)
        for m in all_told.record.milestones
    ]


def test_one_clock(all_told):
    """Watch and report count from the same T+0, and round alike."""
    start = all_told.status.get("clockStartTime")
    if start is None:
        return  # watch shows the wall clock until there is a T+0
    assert datetime.fromisoformat(start) == zero(all_told.record)
    rows = [line for line in all_told.markdown.splitlines() if line.startswith("| T")]
    for shown in all_told.status["milestones"]:
        watched = re.findall(r"[+−]?\d+:\d+", milestone_line(shown, all_told.drill).partition(" ")[0])
        key = next(m for m in all_told.record.milestones if m.key == shown["name"])
        row = next(line for line in rows if line.split(" | ")[1] == escape(milestone_words(key.key)))
        reported = re.findall(r"[+−]?\d+:\d+", row.split(" | ")[0])
        assert [time.lstrip("+") for time in watched] == [time.lstrip("+") for time in reported], shown["name"]


def test_one_score_and_one_count_of_what_was_met(all_told):
    assert all_told.status["score"] == all_told.record.score == all_told.properties["score"]
    assert all_told.record.score in all_told.page
    counted = re.findall(r"(\d+) of (\d+) met", all_told.record.score)
    assert re.findall(r"(\d+) of (\d+) met", all_told.report["headline"]) in (counted, [])
    if counted:
        assert counted == [(str(all_told.json["summary"]["met"]), str(all_told.json["summary"]["of"]))]
        assert all_told.properties["met"] == " of ".join(counted[0])


def test_one_word_on_whether_it_is_restored(all_told):
    complete = all_told.status["restore"]["complete"]
    assert all_told.record.restoration.complete is complete
    assert all_told.properties["restored"] == str(complete).lower()
    assert ("Everything was restored" in all_told.page) is complete
    assert ("Everything was restored" in all_told.markdown) is complete
    said = [line for line in news({}, all_told.drill) if "is restored" in line]
    assert bool(said) is complete


def test_one_set_of_findings_and_none_is_said_only_where_there_is_none(all_told):
    record: DrillRecord = record_from_json(render(all_told.record, "json"))
    assert record.findings == all_told.record.findings
    for finding in record.findings:
        assert finding.title in all_told.page
        assert finding.title in all_told.markdown
    to_fix = [f for f in record.findings if f.severity is not Severity.STRENGTH]
    instead = nothing_to_fix(record)
    assert (instead in all_told.page) is not bool(to_fix)
    assert (escape(instead) in all_told.markdown) is not bool(to_fix)
    if record.verdict == "Error":
        assert "nothing to improve" not in all_told.page


def test_what_was_told_at_the_end_stays(all_told):
    ends = [s for s in all_told.played.statuses if s.get("verdict")]
    told_of = ("verdict", "message", "score", "objectives", "milestones")
    assert all({key: s.get(key) for key in told_of} == {key: ends[0].get(key) for key in told_of} for s in ends)


def test_no_turn_says_missed_of_what_is_not_missed_in_the_end(all_told):
    missed = {o.name for o in all_told.record.objectives if o.verdict == "Missed"}
    unread = {o.name for o in all_told.record.objectives if "evidence can't be read" in o.reason}
    for status in all_told.played.statuses:
        said = {o["name"] for o in status.get("objectives", ()) if o["verdict"] == "Missed"}
        assert said <= missed | unread
