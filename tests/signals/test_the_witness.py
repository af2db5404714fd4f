"""The API server's admission webhook: who asks for which write. It counts when the object confirms it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.signals.builders import ALICE, PLAYERS, deployment, pod, receipt, resizable, resized
from tests.signals.reviews import asked, review, scaling

from kubedrill.core.evidence.facts import Fact, FactKind, Source, in_order
from kubedrill.core.evidence.matching import matched
from kubedrill.kube.answers import NoAnswer
from kubedrill.plugins.channels.witness import read
from kubedrill.plugins.sources import pod_edits
from kubedrill.plugins.sources.base import OwnWrites
from kubedrill.plugins.sources.pods import facts_of as facts_of_pod
from kubedrill.plugins.sources.workload import changes

STRANGER = "mallory@example.com"
BROKEN, WHOLE = deployment("24Mi"), deployment("128Mi", generation=2)


def raised(user: str = "alice@example.com", uid: str = "ask-1", *, dry: bool = False) -> tuple[Fact, ...]:
    return asked(review("UPDATE", BROKEN, WHOLE, user=user, uid=uid, dry=dry), 9)


def watched(before: dict[str, Any] = BROKEN, after: dict[str, Any] = WHOLE, seconds: float = 10) -> tuple[Fact, ...]:
    return changes(before, after, receipt(seconds), OwnWrites())


def of_kind(facts: Any, *kinds: FactKind) -> list[tuple[str, str]]:
    return [(fact.kind.value, fact.actor) for fact in in_order(facts, *kinds)]


def changed(*facts: Fact) -> list[tuple[str, str]]:
    """What counts as a change, and whose it is."""
    kinds = (FactKind.TARGET_CHANGED, FactKind.SCALED, FactKind.PODS_DELETED, FactKind.INTERFERENCE)
    return of_kind(matched(facts, PLAYERS, ["Deployment/worker"]), *kinds)


def test_a_players_change_that_the_object_confirms_is_credited_without_an_audit_log():
    assert changed(*raised(), *watched()) == [("TargetChanged", "alice")]


def test_the_report_says_how_it_is_known():
    facts = matched([*raised(), *watched()], PLAYERS, ["Deployment/worker"])
    (change,) = in_order(facts, FactKind.TARGET_CHANGED)
    assert change.detail["matched"] == "witness, user alice@example.com"


def test_when_it_was_is_the_watchs_word_alone():
    (alone,) = watched()
    facts = matched([*raised(), alone], PLAYERS, ["Deployment/worker"])
    assert [fact.at for fact in in_order(facts, FactKind.TARGET_CHANGED)] == [alone.at]


def test_a_strangers_change_is_interference_by_name():
    facts = matched([*raised(STRANGER), *watched()], PLAYERS, ["Deployment/worker"])
    (open_question,) = in_order(facts, FactKind.INTERFERENCE)
    assert (open_question.detail["by"], open_question.detail["who"]) == ("Stranger", STRANGER)


def test_what_was_only_asked_for_changed_nothing():
    assert changed(*raised()) == []


def test_what_was_done_is_not_told_again_as_asked_for_and_what_was_not_is():
    done = matched([*raised(uid="a"), *watched()], PLAYERS, ["Deployment/worker"])
    lost = matched(raised(uid="b"), PLAYERS, ["Deployment/worker"])
    assert (in_order(done, FactKind.ATTEMPTED), len(in_order(lost, FactKind.ATTEMPTED))) == ((), 1)


def test_an_attempt_that_lost_is_not_credited_with_the_change_that_won():
    theirs = deployment("256Mi", generation=2)
    assert changed(*raised(), *watched(after=theirs)) == [("TargetChanged", ""), ("Interference", "")]


def test_an_attempt_at_an_earlier_version_does_not_explain_a_later_one():
    later = watched(deployment("24Mi", generation=6), deployment("128Mi", generation=7))
    assert ("TargetChanged", "alice") not in changed(*raised(), *later)


def test_where_two_asked_for_the_same_nobody_knows_whose_it_was():
    both = [*raised(uid="a"), *raised(STRANGER, uid="b")]
    assert ("TargetChanged", "alice") not in changed(*both, *watched())


def test_one_who_asked_twice_is_one():
    assert changed(*raised(uid="a"), *raised(uid="b"), *watched()) == [("TargetChanged", "alice")]


def test_a_scale_is_known_by_its_replicas_and_its_moment():
    after = deployment("24Mi", replicas=8, generation=2)
    assert changed(*asked(scaling(5, 8), 9), *watched(after=after)) == [("Scaled", "alice")]


@pytest.mark.parametrize("seconds", [2, 60])
def test_a_scale_of_another_moment_is_another(seconds):
    after = deployment("24Mi", replicas=8, generation=2)
    assert ("Scaled", "alice") not in changed(*asked(scaling(5, 8), 30), *watched(after=after, seconds=seconds))


def test_a_pod_that_a_player_deletes_counts_when_it_is_gone():
    here = pod("worker-abc-1")
    asking = asked(review("DELETE", here, None), 9)
    gone = facts_of_pod("DELETED", here, receipt(40), here)
    assert changed(*asking) == []
    assert changed(*asking, *gone) == [("PodsDeleted", "alice")]


def test_an_eviction_is_a_deletion():
    here = pod("worker-abc-1")
    asking = asked(review("CREATE", None, None, below="eviction", resource="pods", name="worker-abc-1"), 9)
    assert changed(*asking, *facts_of_pod("DELETED", here, receipt(40), here)) == [("PodsDeleted", "alice")]


def test_what_the_audit_log_tells_too_is_told_once():
    here = pod("worker-abc-1")
    asking = asked(review("DELETE", here, None), 9)
    (gone,) = facts_of_pod("DELETED", here, receipt(40), here)
    audited = Fact(
        FactKind.PODS_DELETED,
        asking[0].at,
        Source.AUDIT_LOG,
        "audit/1",
        detail={"user": "alice@example.com", "pods": ["worker-abc-1"], "change": "audit/1"},
    )
    assert changed(*asking, gone, audited) == [("PodsDeleted", "alice")]


def test_an_in_place_resize_is_known_by_the_pods_own_version():
    before, after = resizable("24Mi"), resizable("64Mi", generation=2, managers=(resized("kubectl", 9),))
    told = asked(review("UPDATE", before, after, below="resize"), 9)
    seen = pod_edits.facts_of(before, after, receipt(10))
    facts = matched([*told, *seen], PLAYERS, ["Deployment/worker"])
    assert {fact.actor for fact in in_order(facts, FactKind.TARGET_CHANGED)} == {"alice"}


@pytest.mark.parametrize("below", ["exec", "attach", "portforward"])
def test_looking_into_a_pod_is_evidence_read(below):
    facts = asked(review("CONNECT", None, {"kind": "Pod"}, below=below, name="worker-abc-1"), 9)
    assert of_kind(matched(facts, [ALICE]), FactKind.EVIDENCE_READ) == [("EvidenceRead", "alice")]


def test_a_dry_run_tells_nothing():
    assert raised(dry=True) == ()


def test_what_changes_nothing_below_spec_tells_nothing():
    assert asked(review("UPDATE", BROKEN, BROKEN), 9) == ()


@pytest.mark.parametrize("what", [None, [], {}, {"request": []}, {"request": {}}, {"request": {"uid": ""}}])
def test_what_is_no_review_is_said_to_be_none(what):
    with pytest.raises(NoAnswer):
        read(what, asked(review("UPDATE", BROKEN, WHOLE), 9)[0].at)
