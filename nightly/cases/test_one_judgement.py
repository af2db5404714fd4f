"""Whatever a drill came to: status, report, the file for the pipeline, `watch` and the exit code say the same."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from nightly.cases.conftest import Played, each
from nightly.cases.courses import LANES

from kubedrill.cli.exit_codes import OF_VERDICT

ONLY_ASKED = ("fc-b1", "fc-b10")
ENDED = tuple(name for lane in LANES.values() for name in lane if name not in ONLY_ASKED)


@each(*ENDED)
def test_f1_status_report_watch_and_exit_code_agree(name: str, played: Played):
    told = played[name].result()
    if not told.was_touched:
        assert (told.exit_code, told.reported) == (3, "")
        return
    assert told.reported == told.verdict == told.record["verdict"]
    assert told.exit_code == OF_VERDICT[told.verdict]
    assert told.message in told.watched
    objectives = {one["name"]: one["verdict"] for one in told.record["objectives"]}
    assert objectives == told.objectives
    suite = ET.fromstring(told.junit)  # noqa: S314  a file of our own
    failures = {case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None}
    assert {name for name, verdict in objectives.items() if verdict == "Missed"} <= failures
