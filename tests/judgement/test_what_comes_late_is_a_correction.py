"""Evidence that comes after the end makes a new revision, which says what it corrects; the Drill keeps its verdict."""

from __future__ import annotations

from datetime import timedelta

from tests.judgement.courses import stopped_early
from tests.judgement.played import Played

from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.machine.state import state_from_wire, state_to_wire


def _acknowledged_late() -> Played:
    drill = stopped_early()
    ended = drill.world.now
    drill.world.now -= timedelta(seconds=40)
    drill.happens(FactKind.ACKNOWLEDGED, by="alice")
    drill.world.now = ended
    drill.looks |= {"imported": "audit.log"}
    drill.pass_time(3, step=1)
    return drill


def test_the_new_revision_says_what_was_told_otherwise_at_the_end():
    first, *later = _acknowledged_late().records
    assert first.corrections == ()
    assert "detection was Indeterminate and is Met" in later[0].corrections[0]
    assert "Verdict at its end: Stopped; now: Stopped" in later[0].corrections[0]


def test_the_drill_keeps_what_it_ended_with():
    drill = _acknowledged_late()
    detection = next(o for o in drill.status["objectives"] if o["name"] == "detection")
    assert detection["verdict"] == "Indeterminate"


def test_what_the_facilitator_attributed_stands_among_the_corrections():
    drill = Played()
    drill.arm()
    drill.page()
    drill.happens(FactKind.ATTRIBUTED, fact="interference/7", to="alice", evidence="she said so on the call")
    drill.stop()
    assert drill.records[0].corrections == ("interference/7 was attributed to alice: she said so on the call",)


def test_the_verdict_is_kept_across_a_restart_and_a_state_of_an_earlier_version_has_none():
    state = stopped_early().world.stored
    assert state.verdict is not None
    assert state_from_wire(state_to_wire(state)).verdict == state.verdict
    older = {key: value for key, value in state_to_wire(state).items() if key != "verdict"}
    assert state_from_wire(older).verdict is None
