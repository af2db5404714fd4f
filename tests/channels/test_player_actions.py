from typing import get_args

from tests.signals.builders import PLAYERS, at, between, receipt, stamp

from kubedrill.api.people import FACILITATORS, Action, Observable
from kubedrill.core.evidence.facts import FactKind, Source
from kubedrill.plugins.channels import player_actions as actions
from kubedrill.plugins.channels.base import Hearing

TARGET = Hearing("monday", PLAYERS, at(0))
CONTROL = Hearing("monday", PLAYERS, at(0), control=True)


def word(action: str, actor: str = "alice@example.com", seconds: float = 7, **spec):
    return {
        "apiVersion": "kubedrill.dev/v1alpha1",
        "kind": "PlayerAction",
        "metadata": {"name": "a-1", "uid": "u-1", "creationTimestamp": stamp(seconds), "managedFields": [{}]},
        "spec": {"actor": actor, "action": action, **spec},
    }


def heard(wire, hearing=TARGET, seen=7.3):
    return actions.facts_of(wire, receipt(seen), hearing)


def test_an_acknowledgement_is_placed_in_its_second_and_credited_to_the_player():
    (fact,) = heard(word("Acknowledge"))
    assert fact.kind is FactKind.ACKNOWLEDGED
    assert fact.actor == "alice"
    assert fact.at == between(7, 7.3)
    assert fact.source is Source.PLAYER_ACTION


def test_severity_level_diagnosis_and_message_are_in_the_detail():
    assert heard(word("AssessSeverity", severity="P1"))[0].detail["severity"] == "P1"
    assert heard(word("Engage", level="L2"))[0].detail["level"] == "L2"
    cause = heard(word("Diagnose", diagnosis={"component": "worker", "faultClass": "MemoryLimit"}))[0]
    assert (cause.detail["component"], cause.detail["faultClass"]) == ("worker", "MemoryLimit")
    told = heard(word("NotifyClient", message="we are on it"))[0]
    assert (told.detail["message"], told.detail["declared"]) == ("we are on it", True)


def test_every_action_of_players_has_a_fact():
    assert set(actions.SAID) | FACILITATORS == set(Action)


def test_somebody_who_is_not_on_the_list_is_noted_and_credited_to_nobody():
    (fact,) = heard(word("Acknowledge", actor="mallory"))
    assert fact.kind is FactKind.NOTED
    assert fact.actor == ""
    assert fact.detail["unknown"]
    assert "mallory" in fact.evidence


def test_words_about_another_drill_are_not_heard():
    assert heard(word("Acknowledge", drill="tuesday")) == ()
    assert heard(word("Acknowledge", drill="monday")) != ()


def test_words_from_before_the_drill_was_made_are_not_heard():
    assert heard(word("Acknowledge", seconds=-30)) == ()


def test_an_unreadable_action_is_passed_over():
    assert heard(word("Dance")) == ()
    assert heard({"metadata": {"name": "x"}}) == ()


def test_a_player_is_no_facilitator_in_the_target_namespace():
    assert heard(word("Hint", message="look at memory")) == ()
    attribution = {"change": "interference/x", "player": "alice"}
    assert heard(word("Attribute", attribution=attribution)) == ()


def test_the_facilitator_confirms_in_the_control_namespace():
    (fact,) = heard(word("Confirm", actor="lead", confirmation={"fault": "cable", "step": "Undo"}), CONTROL)
    assert fact.kind is FactKind.CONFIRMED
    assert fact.detail == {"fault": "cable", "step": "Undo"}


def test_the_facilitator_attributes_a_change():
    attribution = {"change": "interference/x", "player": "tom"}
    (fact,) = heard(word("Attribute", actor="lead", attribution=attribution, message="merged PR 12"), CONTROL)
    assert (fact.detail["fact"], fact.detail["to"]) == ("interference/x", "tom")
    assert fact.detail["evidence"] == "merged PR 12"


def test_an_observation_is_as_exact_as_the_facilitator_says_and_of_source_observer():
    seen = {"milestone": "EscalationEngaged", "time": stamp(100), "within": "30s", "player": "tom"}
    (fact,) = heard(word("Observe", actor="lead", seconds=200, level="L2", observation=seen), CONTROL, seen=200.3)
    assert fact.kind is FactKind.ESCALATION_ENGAGED
    assert fact.source is Source.OBSERVER
    assert fact.at == between(70, 130)
    assert (fact.actor, fact.detail["level"]) == ("tom", "L2")


def test_what_can_be_observed_has_a_fact_each():
    assert set(actions.OBSERVED) == set(get_args(Observable))


def test_only_what_people_can_have_seen_is_observed():
    seen = {"milestone": "Injected", "time": stamp(100)}
    assert heard(word("Observe", actor="lead", observation=seen), CONTROL) == ()
