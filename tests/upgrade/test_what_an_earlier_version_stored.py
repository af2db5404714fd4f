"""What commit d041d47 stored, byte by byte: this version reads it, and honours what has to be undone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.evidence.config_maps import ConfigMaps
from tests.machine.world import START, fact

from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.machine.phases import TERMINAL, Phase
from kubedrill.core.machine.state import state_from_wire, state_to_wire
from kubedrill.core.undo.genuine import fingerprint, flaw
from kubedrill.core.undo.record import RecordState, from_json, to_json
from kubedrill.core.undo.touches import recorded_touches
from kubedrill.plugins.reports.json_format import record_from_json
from kubedrill.store.evidence_log import Evidence

STORED = Path(__file__).parents[1] / "data" / "stored-by-d041d47"
SEGMENT = "storm-d1-facts-0"
RECORDS = {
    "alert": "1-6586c79660d1d30061414ef91cfdcdff",
    "bad-image": "1-3fac15aba632b74035523324fca21960",
    "manual": "1-13ccc802b501e7a5e56689454e936386",
    "memory-limit": "1-66d3f236e96aabcad3ae839a4dd36a11",
    "queue-load": "1-a7229e2d5b24870477d46fb4bbf5bcf5",
    "released": "1-66d3f236e96aabcad3ae839a4dd36a11",
}


def stored(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((STORED / f"{name}.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize(("name", "known"), RECORDS.items())
def test_an_undo_record_is_genuine_and_has_the_fingerprint_that_the_drill_noted(name: str, known: str):
    record = from_json((STORED / f"undo-record-{name}.json").read_bytes())
    assert flaw(record, name=record.name, namespace="drills", drill_uid="d1") == ""
    assert fingerprint(record) == known
    assert fingerprint(from_json(to_json(record))) == known


def test_what_was_released_and_what_is_being_restored_is_known():
    record = from_json((STORED / "undo-record-released.json").read_bytes())
    assert record.state is RecordState.REVERTING
    assert set(record.released) < set(record.restoring) == {field.path for field in record.fields}


def test_what_a_record_touches_is_told():
    record = from_json((STORED / "undo-record-memory-limit.json").read_bytes())
    ((touch,),) = recorded_touches(record).values()
    assert {field.path.rpartition("/")[2] for field in touch.fields} == {"memory", "minReadySeconds"}


def test_the_state_of_a_drill_in_play_is_read_whole():
    state = state_from_wire(stored("drill")["status"]["machine"])
    assert state.phase is Phase.IN_PLAY
    assert [(f.name, f.target) for f in state.faults] == [("storm", "Deployment/web")]
    assert state_from_wire(state_to_wire(state)) == state


def test_the_state_of_one_that_has_ended_is_read_whole():
    state = state_from_wire(stored("drill-ended")["status"]["machine"])
    assert state.phase in TERMINAL
    assert {o.outcome for o in state.outcomes} == {"Restored"}
    assert state_from_wire(state_to_wire(state)) == state


async def test_its_evidence_is_read_and_never_written_again():
    server = ConfigMaps()
    server.items[SEGMENT] = stored("segment")
    kept = Evidence(server, "drills", "storm", "d1")
    await kept.load()
    assert {"action/a1", "action/a2", "injected/storm", "effective/storm"} <= {f.id for f in kept.facts}
    await kept.store([fact(FactKind.NOTED, START, "new")])
    assert server.items[SEGMENT] == stored("segment")
    assert kept.segments == [SEGMENT, "storm-d1-facts-1"]
    assert kept.unread == ()


def test_its_report_is_read():
    spec, part = stored("report")["spec"], stored("report-part")
    assert spec["record"] == [part["metadata"]["name"]]
    record = record_from_json(part["data"]["record"])
    assert (record.name, record.title, record.verdict) == ("storm", "A storm", "Stopped")
    assert record.facts
