"""What once made every turn fail, for ever, with the fault in: now it is cut to its bounds, and the drill plays on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.giving_up.lab import Lab, fact, standing

from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.machine.phases import Phase

ALICE = {"name": "alice", "role": "L1", "identities": {"kubernetes": "alice@example.com"}}


@pytest.fixture
async def lab(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lab]:
    async with standing(monkeypatch, players=[ALICE]) as lab:
        lab.in_play()
        yield lab


async def plays_on_and_ends(lab: Lab) -> None:
    """No turn fails; the drill is in play until it is stopped, and then ends as any other."""
    await lab.goes_on(5)
    assert (lab.task.failures, lab.cluster.refused, lab.state.phase) == (0, [], Phase.IN_PLAY)
    lab.wanted("Stop")
    await lab.goes_on(30)
    lab.assert_put_back_and_ended("Stopped", "Stopped")


async def test_f11_sixty_five_levels_of_escalation(lab: Lab):
    """`status.milestones: Too many: 65: must have at most 60 items`: it could neither end nor be deleted."""
    lab.seen(fact(FactKind.ESCALATION_REQUESTED, f"e{n}", actor="alice", level=f"team-{n}") for n in range(65))
    lab.seen(fact(FactKind.ESCALATION_ENGAGED, f"g{n}", actor="alice", level=f"team-{n}") for n in range(65))
    await plays_on_and_ends(lab)


async def test_f12_a_hundred_and_thirty_five_notes_of_four_kilobytes(lab: Lab):
    """`facts-0: may not be more than 1048576 bytes`."""
    lab.seen(fact(FactKind.NOTED, f"n{n}", actor="alice", message="x" * 4080, said="x" * 4080) for n in range(135))
    await plays_on_and_ends(lab)


async def test_f13_two_changes_of_a_workload_with_a_very_long_name(lab: Lab):
    """Ids that were cut to the same 256 characters: `status.interference[1]: Duplicate value`."""
    target = f"Deployment/{'w' * 245}"
    lab.seen(
        fact(
            FactKind.TARGET_CHANGED,
            f"change/u/{n}/spec/a",
            target="Deployment/web",
            path="/spec/a",
            field="a",
            before=1,
            after=2,
            manager="kubectl",
            change=f"{target}@{n}",
        )
        for n in (1, 2)
    )
    await lab.goes_on(3)
    ids = [i["id"] for i in lab.cluster.status["interference"]]
    assert len(set(ids)) == 2
    assert all(len(i) <= 256 for i in ids)
    await plays_on_and_ends(lab)


async def test_what_is_told_of_one_change_can_be_attributed_by_what_is_told(lab: Lab):
    change = f"Deployment/{'w' * 300}@1"
    lab.seen(
        [
            fact(
                FactKind.TARGET_CHANGED,
                "change/u/1/spec/a",
                target="Deployment/web",
                path="/spec/a",
                field="a",
                before=1,
                after=2,
                manager="kubectl",
                change=change,
            )
        ]
    )
    await lab.goes_on(2)
    ((told,),) = [lab.cluster.status["interference"]]
    lab.seen([fact(FactKind.ATTRIBUTED, "word", fact=told["id"], to="alice")])
    await lab.goes_on(2)
    assert not lab.cluster.status["interference"]


async def test_three_thousand_pods(lab: Lab):
    lab.seen(fact(FactKind.POD_UNREADY, f"p{n}", pod=f"web-{n}", text="y" * 300) for n in range(3000))
    await plays_on_and_ends(lab)


async def test_a_crowd_of_strangers(lab: Lab):
    lab.seen(
        fact(
            FactKind.TARGET_CHANGED,
            f"change/u/{n}/a",
            target="Deployment/web",
            path="/spec/a",
            field="a",
            before=1,
            after=2,
            manager="kubectl",
            change=f"Deployment/web@{n}",
        )
        for n in range(50)
    )
    await lab.goes_on(3)
    told = lab.cluster.status["interference"]
    assert len(told) == 20
    assert told[-1]["what"].startswith("and 30 more")
    await plays_on_and_ends(lab)


async def test_evidence_that_vanished(lab: Lab):
    await lab.goes_on(3)
    for path in [p for p in lab.cluster.objects if "/configmaps/" in p]:
        del lab.cluster.objects[path]
    lab.seen([fact(FactKind.NOTED, "later", message="still here")])
    await plays_on_and_ends(lab)


async def test_alerts_with_names_as_long_as_they_may_be(monkeypatch: pytest.MonkeyPatch):
    """The alert's own limit is called `alert-…`, and ten of them come on top of thirty objectives."""
    alerts = [{"name": f"{n}".rjust(63, "A")} for n in range(10)]
    objectives = [{"name": f"o{n}", "to": "Acknowledged", "within": "5m"} for n in range(30)]
    scenario = {
        "title": "A storm",
        "expectedAlerts": alerts,
        "objectives": objectives,
        "faults": [{"name": "storm", "memoryLimit": {"target": {"kind": "Deployment", "name": "web"}}}],
    }
    async with standing(monkeypatch, players=[ALICE], scenario=scenario) as lab:
        lab.in_play()
        await lab.goes_on(2)
        assert len(lab.cluster.status["objectives"]) == 40
        await plays_on_and_ends(lab)


async def test_f28_what_is_to_be_done_by_hand_in_four_thousand_characters(monkeypatch: pytest.MonkeyPatch):
    """`status.message: Too long`: it stood at "checking" for ever."""
    scenario = {
        "title": "A storm",
        "expectedAlerts": [{"name": "Errors"}],
        "faults": [{"name": "storm", "manual": {"do": "x" * 4090, "undo": "y" * 4090}}],
    }
    async with standing(monkeypatch, scenario=scenario) as lab:
        lab.in_play(phase="Armed", effective=False)
        await lab.goes_on(3)
        assert not lab.cluster.refused
        assert lab.cluster.status["message"].startswith("by hand: xxx")


JAPANESE = {
    "title": "A storm",
    "expectedAlerts": [{"name": "Errors"}],
    "faults": [{"name": "storm", "memoryLimit": {"target": {"kind": "Deployment", "name": "web"}}}],
    "injects": [{"name": "complaint", "at": "0s", "from": "客", "body": "遅" * 700}],
}


async def test_f35_a_message_from_the_client_of_seven_hundred_japanese_characters(monkeypatch: pytest.MonkeyPatch):
    """An Event takes 1,024 bytes, not characters: it was refused and sent again each second, for ever."""
    async with standing(monkeypatch, scenario=JAPANESE) as lab:
        lab.in_play()
        lab.seen([fact(FactKind.ALERT_FIRING, "firing", alert="Errors")])
        await lab.goes_on(3)
        told = [e["note"] for e in lab.cluster.events if e["reason"] == "ClientMessage"]
        assert [note[:6] for note in told] == ["(1/3) ", "(2/3) ", "(3/3) "]
        assert "".join(note[6:] for note in told) == f"客: {'遅' * 700}"
        assert "ClientComplained" in {m["name"] for m in lab.cluster.status["milestones"]}


async def test_an_inject_that_is_refused_for_good_is_told_and_not_sent_again(monkeypatch: pytest.MonkeyPatch):
    async with standing(monkeypatch, scenario=JAPANESE) as lab:
        lab.in_play()
        lab.seen([fact(FactKind.ALERT_FIRING, "firing", alert="Errors")])
        monkeypatch.setattr("kubedrill.kube.events.NOTE_BYTES", 5000)
        monkeypatch.setattr("kubedrill.plugins.channels.kubernetes_events.NOTE_BYTES", 5000)
        await lab.goes_on(10)
        assert lab.cluster.refused == ["note"]
        assert lab.task.failures == 0
