"""`plan` and `doctor` ask the operator where there is one, by a Drill that is only to be planned; else they look."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from tests.cli.drills import drill, finished
from tests.cli.fake_api import GROUP
from tests.cli.undo import SECRETS
from tests.measure.builders import drill_plan

from kubedrill.api.drill import Drill
from kubedrill.cli.setup import asking
from kubedrill.core.plan.codec import digest_of, plan_to_json
from kubedrill.core.undo.record import DrillIdentity
from kubedrill.store.plans import plan_name

DRILLS = f"{GROUP}/drills/drills"
CONFIG_MAPS = "/api/v1/namespaces/drills/configmaps"
CHECKS = [{"name": "opted-in", "passed": True}, {"name": "dry-run", "passed": True}]
FAULTS = [{"name": "limit", "does": ["Deployment/worker limits/memory: 128Mi → 64Mi; restored to 128Mi"]}]


def stored(api: Any, name: str, uid: str = "d1-of-its-own") -> dict[str, str]:
    """A plan in the cluster; what the status says of it."""
    text = plan_to_json(drill_plan())
    where = plan_name(DrillIdentity(uid, name, "drills"), digest_of(text))
    api.put(CONFIG_MAPS, {"metadata": {"name": where}, "data": {"plan": text}})
    return {"name": where, "hash": digest_of(text)}


@pytest.fixture
def installed(api):
    """A control namespace with an operator in it."""
    ready = {"metadata": {"name": "kubedrill"}, "status": {"readyReplicas": 1}}
    api.put("/apis/apps/v1/namespaces/drills/deployments", ready)
    api.collections |= {DRILLS: {}, SECRETS: {}, CONFIG_MAPS: {}}
    kinds = ("drills", "drillscenarios", "playeractions", "drillreports", "drillenvironments", "drillrosters")
    api.answers["GET", "/apis/kubedrill.dev/v1alpha1"] = (200, {"resources": [{"name": k} for k in kinds]})
    return api


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "drill.yaml"
    path.write_text(yaml.safe_dump(drill()))
    return str(path)


def answers(api, checks=CHECKS, faults=FAULTS, channels=None, **status):
    """The operator, once it is asked: the first look still finds no answer."""

    def looked():
        return [path for method, path, _ in api.requests if (method, path.rpartition("/")[0]) == ("GET", DRILLS)]

    def answer():
        (thing,) = api.collections[DRILLS].values()
        thing = thing | {"metadata": thing["metadata"] | {"uid": "d1-of-its-own"}}
        rehearsal = {"checks": checks, "faults": faults} | ({} if channels is None else {"channels": channels})
        said = {"phase": "Held", "plan": stored(api, thing["metadata"]["name"]), "rehearsal": rehearsal} | status
        api.put(DRILLS, thing | {"status": said})

    api.once(looked, answer)


def questions(api) -> list[Drill]:
    return [Drill.model_validate(body) for body in api.bodies("POST", DRILLS)]


def test_what_the_operator_has_stored_is_the_plan(installed, kubedrill, file):
    answers(installed)
    result = kubedrill("plan", "-f", file)
    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"rush: {drill_plan().title} (in {drill_plan().target_namespace})\n")
    assert "    Deployment/worker limits/memory: 128Mi → 64Mi; restored to 128Mi\n" in result.output
    assert result.output.endswith("All checks pass now.\n")


def test_it_is_asked_by_a_drill_that_is_never_started_and_is_gone_again(installed, kubedrill, file):
    answers(installed)
    kubedrill("plan", "-f", file)
    (question,) = questions(installed)
    assert question.spec.desired == "Plan"
    assert question.metadata.name.startswith("rush-plan-")
    assert question.spec.target_namespace == "staging"
    assert installed.collections[DRILLS] == {}


def test_a_scenario_beside_it_goes_with_the_question(installed, kubedrill, tmp_path):
    named = drill()
    scenario = named["spec"].pop("scenario")
    named["spec"]["scenarioRef"] = "storms"
    kind = {"apiVersion": named["apiVersion"], "kind": "DrillScenario", "metadata": {"name": "storms"}}
    path = tmp_path / "both.yaml"
    path.write_text(yaml.safe_dump_all([named, kind | {"spec": scenario}]))
    answers(installed)
    assert kubedrill("plan", "-f", str(path)).exit_code == 0
    (question,) = questions(installed)
    assert question.spec.scenario is not None
    assert question.spec.scenario_ref is None


def test_what_fails_is_told_and_a_fault_that_is_impossible_is_refused(installed, kubedrill, file):
    failing = {"name": "faults-possible", "passed": False, "reason": "TargetNotFound", "message": "there is no worker"}
    answers(installed, checks=[*CHECKS, failing], faults=[])
    result = kubedrill("plan", "-f", file)
    assert result.exit_code == 3
    assert "It would not start now:\n  TargetNotFound: there is no worker\n" in result.output


def test_the_doctor_tells_each_check_of_the_operators(installed, kubedrill, file):
    unknown = {"name": "monitoring", "reason": "PrometheusUnreachable", "message": "nobody answers"}
    answers(installed, checks=[*CHECKS, unknown])
    lines = kubedrill("doctor", "-f", file).output.splitlines()
    assert "✓ asked: the operator, which has tried it with a dry run" in lines
    assert "✓ dry-run" in lines
    assert "? monitoring: nobody answers" in lines


NOT_LET_IN = {"name": "alertmanager", "reason": "AlertmanagerUnreachable", "message": "Alertmanager: answers 401"}


def test_what_its_channels_say_is_the_operators_word_and_nobody_else_is_asked(installed, kubedrill, file):
    answers(installed, channels=[NOT_LET_IN])
    lines = kubedrill("doctor", "-f", file).output.splitlines()
    assert "? alertmanager: Alertmanager: answers 401" in lines
    assert not [path for _, path, _ in installed.requests if "/proxy/" in path]


def test_in_a_plan_it_is_a_note_and_all_checks_pass(installed, kubedrill, file):
    answers(installed, channels=[NOT_LET_IN, {"name": "pager", "passed": True}])
    result = kubedrill("plan", "-f", file)
    assert result.exit_code == 0
    assert "  Note: Alertmanager: answers 401\n" in result.output
    assert result.output.endswith("All checks pass now.\n")


def test_where_an_older_operator_says_nothing_of_them_the_doctor_asks_itself(installed, kubedrill, file):
    answers(installed)
    kubedrill("doctor", "-f", file)
    assert [path for _, path, _ in installed.requests if "/proxy/" in path]


def test_an_operator_that_does_not_answer_is_not_waited_for_and_leaves_nothing(installed, kubedrill, file, monkeypatch):
    monkeypatch.setattr(asking, "ANSWERED_WITHIN", 0.05)
    result = kubedrill("plan", "-f", file)
    assert result.output.startswith("Looked from here, as you, without a dry run: the operator has not answered within")
    assert installed.collections[DRILLS] == {}


def test_one_that_refuses_it_is_told_and_looked_after_from_here(installed, kubedrill, file):
    answers(installed, phase="Aborted", message="Error: there is no environment staging")
    result = kubedrill("plan", "-f", file)
    assert "the operator refuses it: Error: there is no environment staging" in result.output


def test_where_there_is_no_operator_nothing_is_made(installed, kubedrill, file):
    installed.collections["/apis/apps/v1/namespaces/drills/deployments"].clear()
    result = kubedrill("plan", "-f", file)
    assert result.output.startswith("Looked from here, as you, without a dry run: no operator is ready in drills")
    assert questions(installed) == []


def test_the_stored_plan_of_a_drill_that_is_there_is_printed(installed, kubedrill):
    begun = drill(**finished("Passed"))
    begun["metadata"]["uid"] = "d1-of-its-own"
    plan = stored(installed, "rush")
    begun["status"]["plan"] = plan
    installed.put(DRILLS, begun)
    result = kubedrill("plan", "rush")
    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"As it is stored in ConfigMap {plan['name']} in drills:\n")
    assert "What would be done" not in result.output


def test_one_that_is_not_what_the_status_names_is_not_shown(installed, kubedrill):
    begun = drill(**finished("Passed"))
    begun["metadata"]["uid"] = "d1-of-its-own"
    begun["status"]["plan"] = stored(installed, "rush")
    installed.collections[CONFIG_MAPS][begun["status"]["plan"]["name"]]["data"]["plan"] += " "
    installed.put(DRILLS, begun)
    result = kubedrill("plan", "rush")
    assert result.exit_code == 5
    assert "is not what the drill has committed to" in result.output


def test_a_drill_without_a_stored_plan_is_told(installed, kubedrill):
    installed.put(DRILLS, drill())
    result = kubedrill("plan", "rush")
    assert (result.exit_code, "no plan of drill drills/rush is stored" in result.output) == (2, True)


@pytest.mark.parametrize("words", [("plan",), ("plan", "rush", "--expand")])
def test_it_is_said_of_which_drill(kubedrill, words):
    assert kubedrill(*words).exit_code == 2
