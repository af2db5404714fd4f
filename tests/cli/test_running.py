"""`run` is for CI: a drill from its file to an exit code, with reports, put back whatever happens."""

import json
import os
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest
import yaml
from tests.cli.drills import drill, finished
from tests.cli.fake_api import GROUP

from kubedrill.api.drill import Desired
from kubedrill.core.machine.desired import desired_of, stop_because

DRILLS = f"{GROUP}/drills/drills"
SCENARIOS = f"{GROUP}/drills/drillscenarios"
REPORTS = f"{GROUP}/drills/drillreports"
CONFIG_MAPS = "/api/v1/namespaces/drills/configmaps"


@pytest.fixture
def file(tmp_path):
    def write(*things):
        path = tmp_path / "drill.yaml"
        path.write_text(yaml.safe_dump_all(things or [drill()]))
        return str(path)

    return write


def when_there(api, work):
    """Do something as the operator would, once the drill is there."""
    api.once(lambda: "rush" in api.collections.get(DRILLS, {}), lambda: work(api.collections[DRILLS]["rush"]))


def ends(api, **status):
    when_there(api, lambda there: api.put(DRILLS, there | {"status": status}))


def stopped_when_asked(api, **status):
    """What the operator does once the drill is to be stopped."""

    def asked():
        there = api.collections.get(DRILLS, {}).get("rush")
        return there and desired_of(there) is Desired.STOP

    stopped = {"status": finished("Stopped", phase="Stopped", **status)}
    api.once(asked, lambda: api.put(DRILLS, api.collections[DRILLS]["rush"] | stopped))


@pytest.mark.parametrize(("verdict", "code"), [("Passed", 0), ("Failed", 1), ("Inconclusive", 7)])
def test_the_exit_code_is_the_verdict(api, kubedrill, file, verdict, code):
    api.collections[REPORTS] = {}
    ends(api, **finished(verdict, started=False))
    assert kubedrill("run", "-f", file()).exit_code == code


def test_a_drill_that_never_started_leaves_a_junit_file_that_fails(api, kubedrill, file, tmp_path):
    ends(api, **finished("Error", started=False, message="namespace staging has not opted in"))
    result = kubedrill("run", "-f", file(), "--junit", str(tmp_path / "out" / "junit.xml"))
    assert result.exit_code == 3
    root = ET.parse(tmp_path / "out" / "junit.xml").getroot()  # noqa: S314  our own file
    assert "has not opted in" in ET.tostring(root, encoding="unicode")


def test_a_drill_that_never_started_has_a_report_although_its_players_are_mere_names(api, kubedrill, file, tmp_path):
    named = drill()
    named["spec"]["players"] = [{"name": "alice"}]
    ends(api, **finished("Error", started=False, message="no role is given for alice"))
    assert kubedrill("run", "-f", file(named), "--report", str(tmp_path / "out")).exit_code == 3
    assert "alice, role not known (human)" in next((tmp_path / "out").glob("*.md")).read_text(encoding="utf-8")


def test_a_held_drill_is_started_because_nobody_else_would(api, kubedrill, file):
    held = drill()
    held["spec"]["desired"] = "Hold"
    ends(api, **finished("Passed", started=False))
    kubedrill("run", "-f", file(held))
    (made,) = api.bodies("POST", DRILLS)
    assert made["spec"]["desired"] == "Run"
    assert made["metadata"]["namespace"] == "drills"


def test_a_scenario_in_the_file_is_applied_before_the_drill(api, kubedrill, file):
    design = drill()["spec"]["scenario"]
    scenario = {
        "apiVersion": "kubedrill.dev/v1alpha1",
        "kind": "DrillScenario",
        "spec": design,
        "metadata": {"name": "rush"},
    }
    named = drill()
    named["spec"] = {"targetNamespace": "staging", "scenarioRef": "rush"}
    ends(api, **finished("Passed", started=False))
    assert kubedrill("run", "-f", file(named, scenario)).exit_code == 0
    writes = [(m, p) for m, p, _ in api.requests if m in ("PATCH", "POST")]
    assert writes == [("PATCH", f"{SCENARIOS}/rush"), ("POST", DRILLS)]


def test_a_drill_is_run_once(api, kubedrill, file):
    api.put(DRILLS, drill(**finished("Passed")))
    result = kubedrill("run", "-f", file())
    assert result.exit_code == 2
    assert "there is a drill rush in drills already" in result.output


def test_it_may_be_replaced_when_that_is_said(api, kubedrill, file):
    api.put(DRILLS, drill(**finished("Failed")))
    api.once(lambda: api.bodies("POST", DRILLS), lambda: ends(api, **finished("Passed", started=False)))
    assert kubedrill("run", "-f", file(), "--replace").exit_code == 0


def test_a_drill_that_takes_too_long_is_stopped_and_put_back(api, kubedrill, file):
    stopped_when_asked(api)
    result = kubedrill("run", "-f", file(), "--timeout", "50ms")
    assert result.exit_code == 5
    assert "the drill was stopped and everything restored" in result.output
    assert stop_because(api.collections[DRILLS]["rush"]) == "kubedrill run was ended"


def test_a_drill_that_was_cut_short_has_results_all_the_same_and_they_fail(api, kubedrill, file, tmp_path):
    stopped_when_asked(api, started=False)
    kubedrill("run", "-f", file(), "--timeout", "50ms", "--junit", str(tmp_path / "junit.xml"))
    root = ET.parse(tmp_path / "junit.xml").getroot()  # noqa: S314  our own file
    assert root.attrib["errors"] == "1"
    assert "Stopped" in ET.tostring(root, encoding="unicode")


def test_where_there_is_no_report_of_what_was_cut_short_that_is_said(api, kubedrill, file, tmp_path):
    api.collections[REPORTS] = {}
    stopped_when_asked(api)
    result = kubedrill("run", "-f", file(), "--timeout", "50ms", "--junit", str(tmp_path / "junit.xml"))
    assert result.exit_code == 5
    assert "no report could be written: there is no report of rush" in result.output


def test_a_refused_drills_suite_has_the_name_that_all_its_runs_have(api, kubedrill, file, tmp_path):
    ends(api, **finished("Error", started=False))
    kubedrill("run", "-f", file(), "--junit", str(tmp_path / "junit.xml"))
    suite = ET.parse(tmp_path / "junit.xml").getroot().find("testsuite")  # noqa: S314  our own file
    assert suite is not None
    assert suite.attrib["name"] == "drills.rush"


def test_a_pipeline_that_is_cancelled_stops_its_drill(api, file, tmp_path):
    stopped_when_asked(api)
    command = [sys.executable, "-u", "-m", "kubedrill.cli.main", "run", "-f", file()]
    path = os.pathsep.join(sys.path)  # this checkout, whatever else is installed
    env = os.environ | {"KUBECONFIG": str(api.kubeconfig(tmp_path)), "PYTHONPATH": path}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pipeline:
        assert pipeline.stdout is not None
        followed = pipeline.stdout.readline()
        pipeline.terminate()
        printed = pipeline.communicate(timeout=20)[0]
    assert "rush" in followed
    assert pipeline.returncode == 4, printed
    assert "the drill was stopped and everything restored" in printed


def test_reports_come_from_the_record_that_the_operator_stored(api, kubedrill, file, tmp_path):
    from kubedrill.cli.reports.stored_report import bare_record  # noqa: PLC0415  beside its use
    from kubedrill.plugins.reports import render  # noqa: PLC0415  same

    def operator(there):
        there["metadata"]["uid"] = "u-1"
        text = render(bare_record(drill(**finished("Passed"))), "json")
        for number, part in enumerate((text[:200], text[200:])):
            api.put(CONFIG_MAPS, {"metadata": {"name": f"r-{number}"}, "data": {"record": part}})
        for uid, record in (("u-0", ["gone"]), ("u-1", ["r-0", "r-1"])):
            api.put(
                REPORTS,
                {
                    "metadata": {"name": uid},
                    "spec": {"drill": "rush", "drillUid": uid, "completed": uid, "record": record},
                },
            )
        api.put(DRILLS, there | {"status": finished("Passed")})

    when_there(api, operator)
    result = kubedrill("run", "-f", file(), "--report", str(tmp_path / "report"))
    assert result.exit_code == 0, result.output
    assert {f.name for f in (tmp_path / "report").iterdir()} == {
        "report.html",
        "report.md",
        "report.json",
        "report.xml",
    }
    assert json.loads((tmp_path / "report" / "report.json").read_text())["summary"]["verdict"] == "Passed"


def test_a_file_that_is_no_drill_is_refused_before_the_cluster_sees_it(api, kubedrill, file):
    wrong = drill()
    wrong["spec"]["scenario"]["faults"][0]["memoryLimit"]["limit"] = "128m"
    result = kubedrill("run", "-f", file(wrong))
    assert result.exit_code == 2
    assert "spec.scenario.faults[0].memoryLimit.limit" in result.output
    assert not api.requests


def test_a_drill_that_touched_nothing_has_nothing_left_to_put_back(api, kubedrill, file, tmp_path):
    ends(api, **finished("Error", started=False, message="Error: refused"))
    kubedrill("run", "-f", file(), "--junit", str(tmp_path / "junit.xml"))
    assert 'name="restored" value="true"' in (tmp_path / "junit.xml").read_text()
