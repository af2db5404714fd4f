from dataclasses import replace

import pytest
from tests.measure.builders import bitten, drill_plan
from tests.signals.builders import PLAYERS, asked, at, between, change, said

from kubedrill.core.evidence.attribution import CHANGES
from kubedrill.core.evidence.facts import Fact, FactKind, Source
from kubedrill.core.evidence.matching import matched
from kubedrill.core.measure.milestones import milestones
from kubedrill.core.measure.results import By, MilestoneName
from kubedrill.core.plan.drill_plan import Participant


def by_id(facts, fact_id):
    return next(f for f in facts if f.id == fact_id)


def interference(facts):
    return [f for f in facts if f.kind is FactKind.INTERFERENCE]


def test_a_players_own_field_manager_identifies_the_change():
    facts = matched([change(manager="alice")], PLAYERS)
    assert by_id(facts, "change/1").actor == "alice"
    assert by_id(facts, "change/1").detail["matched"] == "field manager alice"
    assert not interference(facts)


def test_the_audit_log_identifies_the_player_and_both_sources_become_one_change():
    facts = matched([change(), asked("tom@example.com")], PLAYERS)
    changes = [f for f in facts if f.kind is FactKind.TARGET_CHANGED]
    assert {f.actor for f in changes} == {"tom"}
    assert {f.detail["change"] for f in changes} == {"Deployment/worker@2"}


def test_a_players_word_within_seconds_identifies_the_change():
    facts = matched([change(), said("tom", FactKind.FIX_APPLIED, 9)], PLAYERS)
    assert by_id(facts, "change/1").actor == "tom"


def test_a_word_long_after_the_change_identifies_nothing():
    facts = matched([change(), said("tom", FactKind.FIX_APPLIED, 60)], PLAYERS)
    assert by_id(facts, "change/1").actor == ""


def test_when_two_players_spoke_nobody_is_credited():
    words = [said("tom", FactKind.FIX_APPLIED, 3), said("alice", FactKind.CONTAINMENT_ATTEMPTED, 5)]
    assert by_id(matched([change(), *words], PLAYERS), "change/1").actor == ""


def test_a_strangers_change_is_interference_with_who_and_when():
    facts = matched([change(), asked("mallory")], PLAYERS, ("Deployment/worker",))
    (found,) = interference(facts)
    assert found.detail["who"] == "mallory"
    assert found.at == between(0.4, 0.41)
    assert found.id == "interference/Deployment/worker@2"
    assert by_id(facts, "change/1").detail["by"] == "Stranger"


def test_a_change_by_a_tool_that_anybody_may_use_is_interference_of_nobody_knows_whom():
    facts = matched([change(manager="kubectl-edit")], PLAYERS, ("Deployment/worker",))
    (found,) = interference(facts)
    assert (found.detail["who"], found.detail["by"]) == ("somebody with kubectl-edit", "Unknown")
    assert by_id(facts, "change/1").detail["by"] == "Unknown"


def test_a_stranger_in_the_audit_log_is_not_credited_to_a_player_who_spoke_or_whose_manager_it_used():
    facts = matched([change(manager="alice"), asked("mallory"), said("alice", FactKind.FIX_APPLIED, 1)], PLAYERS)
    assert by_id(facts, "change/1").actor == ""
    assert interference(facts)


def test_the_facilitator_attributes_a_strangers_change():
    told = Fact(
        FactKind.ATTRIBUTED,
        between(60, 60),
        Source.OBSERVER,
        "action/x",
        detail={"fact": "interference/Deployment/worker@2", "to": "tom"},
    )
    facts = matched([change(), asked("argocd"), told], PLAYERS)
    assert by_id(facts, "change/1").actor == "tom"
    assert not interference(facts)


def test_an_attribution_to_somebody_who_does_not_play_changes_nothing():
    told = Fact(
        FactKind.ATTRIBUTED,
        between(60, 60),
        Source.OBSERVER,
        "action/x",
        detail={"fact": "interference/Deployment/worker@2", "to": "nobody"},
    )
    assert interference(matched([change(), told], PLAYERS))


def test_the_autoscaler_is_neither_player_nor_stranger():
    facts = matched([change(kind=FactKind.SCALED, manager="kube-controller-manager", automation=True)], PLAYERS)
    assert by_id(facts, "change/1").detail["by"] == "Automation"
    assert not interference(facts)


def rescale(after, seconds=0.5):
    scaled = change(
        "autoscaler/u/t",
        kind=FactKind.SCALED,
        manager="kube-controller-manager",
        field="spec.replicas",
        after=after,
        start=seconds,
        end=seconds,
        write="autoscaler/u/t",
        automation=True,
    )
    return replace(scaled, detail={**scaled.detail, "autoscaler": "worker"})


def test_a_scale_without_an_owner_is_the_autoscalers_when_its_status_tells_so():
    watched = change(kind=FactKind.SCALED, manager="", field="spec.replicas", after=8)
    facts = matched([watched, rescale(8)], PLAYERS)
    assert {f.detail["by"] for f in facts} == {"Automation"}
    assert {f.detail["change"] for f in facts} == {"Deployment/worker@2"}


def test_a_scale_without_an_owner_to_another_number_is_not_the_autoscalers():
    watched = change(kind=FactKind.SCALED, manager="", field="spec.replicas", after=10)
    assert interference(matched([watched, rescale(8)], PLAYERS))


def test_all_fields_of_a_write_are_one_interference():
    facts = matched([change("change/1"), change("change/2", field="replicas")], PLAYERS)
    assert len(interference(facts)) == 1


def test_a_change_of_something_that_the_drill_does_not_touch_is_no_interference():
    assert not interference(matched([change(target="Deployment/other")], PLAYERS, ("Deployment/worker",)))


def test_a_manifest_that_was_sent_and_changed_nothing_is_no_interference():
    assert not interference(matched([asked("argocd", field="", after=None)], PLAYERS))


def test_of_two_requests_at_the_same_time_the_one_with_the_same_value_is_the_change():
    other = asked("mallory", fact_id="audit/r2/x", write="audit/r2", field="image", after="v2")
    facts = matched([change(), asked("tom@example.com"), other], PLAYERS)
    assert by_id(facts, "change/1").actor == "tom"
    assert [f.detail["who"] for f in interference(facts)] == ["mallory"]


def test_a_quantity_that_the_server_rewrote_is_matched_by_its_field():
    facts = matched([change(after="1Gi"), asked("tom@example.com", after="1024Mi")], PLAYERS)
    assert by_id(facts, "change/1").actor == "tom"


def test_an_older_request_is_not_taken_for_a_later_change():
    facts = matched([change(), asked("tom@example.com", start=-30, end=-30)], PLAYERS)
    assert by_id(facts, "change/1").actor == ""


def test_reads_are_matched_by_the_audit_logs_user():
    read = Fact(
        FactKind.EVIDENCE_READ,
        between(0, 0),
        Source.AUDIT_LOG,
        "audit/r9",
        detail={"user": "alice@example.com", "pod": "p", "what": "log"},
    )
    strange = replace(read, id="audit/r10", detail={**read.detail, "user": "mallory"})
    facts = matched([read, strange], PLAYERS)
    assert by_id(facts, "audit/r9").actor == "alice"
    assert by_id(facts, "audit/r10").actor == ""


def mitigated(*facts):
    """Whose doing it was that the impact fell half a minute after the first change."""
    fell = Fact(FactKind.IMPACT_FALLING, between(30, 31), Source.PROMETHEUS, "fell")
    seen = matched([bitten(), *facts, fell], PLAYERS, ("Deployment/worker",))
    (found,) = (m for m in milestones(seen, {}, drill_plan(), at(60)) if m.name is MilestoneName.MITIGATED)
    return found.by, found.actor


def test_what_the_autoscaler_alone_healed_is_the_automations_doing():
    watched = change(kind=FactKind.SCALED, manager="", field="spec.replicas", after=8)
    acknowledged = said("alice", FactKind.ACKNOWLEDGED, 5)
    assert mitigated(watched, rescale(8), acknowledged) == (By.AUTOMATION, "")


def test_what_healed_by_itself_is_nobodys_doing():
    assert mitigated(said("alice", FactKind.ACKNOWLEDGED, 5)) == (By.NOBODY, "")


def test_what_a_player_changed_before_is_the_players_doing_whatever_the_autoscaler_did():
    watched = change(kind=FactKind.SCALED, manager="", field="spec.replicas", after=8)
    fixed = change("change/2", manager="alice", write="Deployment/worker@3", start=10, end=11)
    assert mitigated(watched, rescale(8), fixed) == (By.PLAYER, "alice")


def test_while_a_change_is_unattributed_nobody_is_credited():
    assert mitigated(change(manager="kubectl-edit"), rescale(8)) == (By.UNKNOWN, "")
    assert mitigated(change(manager=""), asked("mallory")) == (By.STRANGER, "")


RECONCILED = [
    pytest.param((change(manager="shop-operator"),), True, id="an operator's field manager"),
    pytest.param((change(), asked("system:serviceaccount:argocd:application-controller")), True, id="a ServiceAccount"),
    pytest.param((change(manager="kubectl-edit"),), False, id="a tool that anybody may use"),
    pytest.param((change(manager="shop-operator"), asked("mallory")), False, id="a person who takes its name"),
]


@pytest.mark.parametrize(("facts", "heals"), RECONCILED)
def test_c12_what_a_controller_changes_is_the_automations_only_where_the_drill_accepts_it(facts, heals):
    assert interference(matched(facts, PLAYERS))
    accepted = matched(facts, PLAYERS, accepts_reconcilers=True)
    assert bool(interference(accepted)) is not heals
    assert ({f.detail["by"] for f in accepted if f.kind in CHANGES} == {"Automation"}) is heals


def test_a_players_own_change_is_theirs_whatever_the_drill_accepts():
    robot = Participant("robot", "L1", kubernetes="system:serviceaccount:shop:operator", field_manager="shop-operator")
    facts = matched([change(manager="shop-operator")], (robot,), accepts_reconcilers=True)
    assert by_id(facts, "change/1").actor == "robot"
