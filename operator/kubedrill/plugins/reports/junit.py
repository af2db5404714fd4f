"""JUnit XML for CI: one test case per objective, named as in the scenario.

Missed is a failure. Indeterminate is an error, never skipped: data that is missing is not a pass. An
objective whose clock never started is skipped, because what kept it from starting fails on its own. A drill
that did not pass always has a failure or an error, if need be in a test case of its own (`verdict`,
`restoration`). Times are real seconds.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from xml.etree import ElementTree as ET

from kubedrill.core.measure.results import DrillRecord, ObjectiveResult, ObjectiveVerdict, Verdict
from kubedrill.plugins.reports.putback import put_back
from kubedrill.plugins.reports.wording import headline, met_of, objective_sentence, printable, verdict_word

FORMAT: Final = "junit"
SUFFIX: Final = ".xml"


def render(record: DrillRecord) -> str:
    """The drill as one test suite."""
    cases = [_objective(record, o) for o in record.objectives]
    back = put_back(record)
    if not back.complete:
        cases.append(_broken(record, "restoration", "NotRestored", back.sentence))
    if record.verdict is not Verdict.PASSED and not _any_red(cases):
        cases.append(_broken(record, "verdict", verdict_word(record.verdict), headline(record)))
    suite = ET.Element("testsuite", _counts(record, cases))
    suite.append(_properties(record))
    suite.extend(cases)
    suites = ET.Element("testsuites", {"name": "kubedrill"} | _sums(cases))
    suites.append(suite)
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=False).join(
        ('<?xml version="1.0" encoding="UTF-8"?>\n', "\n")
    )


def _objective(record: DrillRecord, o: ObjectiveResult) -> ET.Element:
    took = o.upper if o.upper is not None else o.lower
    case = _case(record, o.name, took or timedelta(0))
    sentence = objective_sentence(o, record.pace)
    match o.verdict:
        case ObjectiveVerdict.MISSED:
            ET.SubElement(case, "failure", {"type": "Missed", "message": sentence}).text = sentence
        case ObjectiveVerdict.INDETERMINATE | ObjectiveVerdict.PENDING:
            ET.SubElement(case, "error", {"type": str(o.verdict), "message": sentence}).text = sentence
        case ObjectiveVerdict.NOT_STARTED:
            ET.SubElement(case, "skipped", {"message": sentence})
        case ObjectiveVerdict.MET:
            ET.SubElement(case, "system-out").text = sentence
    return case


def _broken(record: DrillRecord, name: str, kind: str, sentence: str) -> ET.Element:
    case = _case(record, name, timedelta(0))
    ET.SubElement(case, "error", {"type": kind, "message": sentence}).text = sentence
    return case


def _case(record: DrillRecord, name: str, took: timedelta) -> ET.Element:
    seconds = max(took.total_seconds(), 0.0)
    classname = printable(f"{record.namespace}.{record.name}")
    return ET.Element("testcase", {"classname": classname, "name": printable(name), "time": f"{seconds:.3f}"})


def _any_red(cases: list[ET.Element]) -> bool:
    return any(case.find("failure") is not None or case.find("error") is not None for case in cases)


def _sums(cases: list[ET.Element]) -> dict[str, str]:
    def having(tag: str) -> str:
        return str(sum(case.find(tag) is not None for case in cases))

    return {
        "tests": str(len(cases)),
        "failures": having("failure"),
        "errors": having("error"),
        "skipped": having("skipped"),
    }


def _counts(record: DrillRecord, cases: list[ET.Element]) -> dict[str, str]:
    suite = {"name": printable(f"{record.namespace}.{record.name}")} | _sums(cases)
    if record.started:
        suite["timestamp"] = record.started.replace(microsecond=0).isoformat()
        if record.ended:
            suite["time"] = f"{(record.ended - record.started).total_seconds():.3f}"
    return suite


def _properties(record: DrillRecord) -> ET.Element:
    met, of = met_of(record)
    properties = ET.Element("properties")
    for name, value in {
        "verdict": verdict_word(record.verdict),
        "verdict.reason": record.verdict_reason,
        "headline": headline(record),
        "met": f"{met} of {of}",
        "score": record.score,
        "pace": f"{record.pace:g}",
        "title": record.title,
        "restored": str(put_back(record).complete).lower(),
    }.items():
        ET.SubElement(properties, "property", {"name": name, "value": printable(value)})
    return properties
