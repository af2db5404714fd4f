"""A diagnosis is right when it names what is really broken; what the scenario leaves out, the fault itself says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.measure.builders import T0, alert, at, drill_plan, fact, limit

from kubedrill.api.faults import Fault
from kubedrill.core.evidence.facts import Fact, FactKind, Source
from kubedrill.core.evidence.matching import matched
from kubedrill.core.findings.rules import findings
from kubedrill.core.measure.diagnosis import Cause, causes, mentions, names_the_cause
from kubedrill.core.measure.milestones import milestones
from kubedrill.core.measure.objectives import Grounds, judge
from kubedrill.core.measure.results import ObjectiveVerdict
from kubedrill.plugins.faults.of_drill import profile

CHECKOUT = {"target": {"kind": "Deployment", "name": "checkout"}}
OOM: dict[str, Any] = {"memoryLimit": CHECKOUT}


def design(*faults: dict[str, Any], component: str = "", fault_class: str = ""):
    made = tuple(Fault.model_validate({"name": f"f{n}", **fault}) for n, fault in enumerate(faults))
    profiles = tuple(profile(fault, "shop") for fault in made)
    return drill_plan(faults=made, profiles=profiles, component=component, fault_class=fault_class)


def diagnosed(message: str = "", component: str = "", fault_class: str = "", **more: Any) -> Fact:
    said: dict[str, Any] = {"message": message, "component": component, "faultClass": fault_class}
    return fact(FactKind.CAUSE_IDENTIFIED, 60, by="alice", fact_id="d", **{k: v for k, v in said.items() if v}, **more)


def is_right(plan: Any = None, **said: Any) -> bool:
    return names_the_cause(diagnosed(**said), plan or design(OOM))


def test_ground_truth_that_is_left_out_is_the_faults_own():
    (cause,) = causes(design(OOM))
    assert (cause.component, cause.called[0], str(cause)) == ("checkout", "MemoryLimit", "MemoryLimit of checkout")


def test_what_the_scenario_says_wins_and_means_what_the_fault_calls_so_too():
    (named,) = causes(design(OOM, component="till", fault_class="out-of-memory"))
    assert (named.component, named.called[:2]) == ("till", ("out-of-memory", "MemoryLimit"))
    assert causes(design(OOM, fault_class="LeakOfLastNight")) == (Cause("checkout", ("LeakOfLastNight",)),)


@pytest.mark.parametrize("message", ["aliens", "", "  ", "the room is full", "checkout is slow", "limits"])
def test_words_that_name_nothing_of_it_are_no_diagnosis(message):
    assert not is_right(message=message)


@pytest.mark.parametrize(
    "message",
    [
        "the memory limit was halved last night",
        "OOMKilled, exit code 137",
        "oomkilled again",
        "pods run out of memory",
        "out-of-memory kills",
        "MEMORY LIMITS are too low",
    ],
)
def test_the_players_own_words_may_name_how_it_is_broken(message):
    assert is_right(message=message)


@pytest.mark.parametrize("fault_class", ["Memory", "OutOfMemory", "oom", "memory-limit", "OOMKilled"])
def test_what_people_call_it_is_right(fault_class):
    assert is_right(fault_class=fault_class)
    assert is_right(fault_class=fault_class, component="Deployment/checkout")


@pytest.mark.parametrize("said", [{"component": "redis"}, {"fault_class": "Network"}, {"fault_class": "aliens"}])
def test_what_contradicts_it_is_wrong_whatever_else_is_said(said):
    assert not is_right(**said)
    assert not is_right(**{"component": "checkout", "fault_class": "MemoryLimit", **said})
    assert not is_right(**said, message="the memory limit")


def test_of_several_faults_one_has_to_be_named_and_not_two_halves():
    both = design(OOM, {"badImage": {"target": {"kind": "Deployment", "name": "cart"}}})
    assert is_right(both, component="cart", fault_class="ImagePullBackOff")
    assert not is_right(both, component="cart", fault_class="MemoryLimit")


def test_where_nobody_knows_what_it_is_whatever_is_named_counts_and_nothing_does_not():
    by_hand = design({"manual": {"do": "unplug it", "undo": "plug it in"}})
    assert causes(by_hand) == ()
    assert is_right(by_hand, message="somebody pulled the plug")
    assert not is_right(by_hand)


def test_whoever_enters_it_has_judged_already():
    plan = design(OOM)
    assert names_the_cause(replace(diagnosed("she said it on the phone"), source=Source.OBSERVER), plan)
    assert not names_the_cause(replace(diagnosed(component="redis"), source=Source.OBSERVER), plan)


@pytest.mark.parametrize(("name", "message"), [("ErrImagePull", "err image pull"), ("Überlast", "es ist Überlast")])
def test_a_name_is_found_however_it_is_written(name, message):
    assert mentions(message, [name])


def judged(*facts: Fact) -> tuple[set[str], list[Any]]:
    plan = design(OOM)
    reached = milestones(facts, {}, plan, T0)
    return {m.key for m in reached}, [f for f in findings(facts, reached, (), plan) if f.rule == "wrong-diagnosis"]


def test_aliens_are_a_wrong_diagnosis_and_kept_as_such():
    wrong = diagnosed("aliens")
    reached, (found,) = judged(wrong)
    assert "CauseIdentified" not in reached
    assert found.fact_ids == ("d",)
    assert "alice called the cause “aliens”" in found.text
    assert "It was MemoryLimit of checkout" in found.text
    assert "kubectl drill observe CauseIdentified --at TIME --by alice" in found.text


def test_a_right_diagnosis_is_no_finding():
    reached, found = judged(diagnosed("memory limit"))
    assert "CauseIdentified" in reached
    assert not found


@pytest.mark.parametrize(
    ("to", "said", "why"),
    [
        ("CauseIdentified", diagnosed("aliens"), "nobody named the cause"),
        ("SeverityAssessed", fact(FactKind.SEVERITY_ASSESSED, 9, by="alice", severity="P4"), "a severity that is high"),
        (
            "EscalationEngaged",
            fact(FactKind.ESCALATION_ENGAGED, 9, by="alice", level="L2"),
            "nobody of that level said",
        ),
    ],
    ids=["a wrong cause", "too low a severity", "another level"],
)
def test_it_is_not_said_that_nobody_said_anything_where_somebody_said_what_does_not_count(to, said, why):
    plan = replace(design(OOM), objectives=(limit(to=to, within=300, level="L2" if "Esc" in to else ""),))
    facts = matched([alert(FactKind.ALERT_FIRING, 0), said], plan.players)
    (judged_,) = judge(milestones(facts, {}, plan, at(600)), plan, Grounds(now=at(600), ended=at(600)))
    assert judged_.verdict is ObjectiveVerdict.INDETERMINATE
    assert why in judged_.reason


def test_a_word_that_does_not_count_is_a_finding_with_what_to_do():
    plan = design(OOM)
    word = fact(FactKind.ESCALATION_ENGAGED, 60, by="alice", fact_id="e", level="L2")
    (found,) = findings(matched([word], plan.players), (), (), plan)
    assert (found.rule, found.fact_ids) == ("uncounted-word", ("e",))
    assert "alice plays L1, and one engages for one's own role" in found.text
    assert "kubectl drill observe" in found.text
