"""A later version adds fields, facts and versions: what is not known here is unknown, said, and left as it is."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evidence.config_maps import ConfigMaps
from tests.machine.world import START, fact
from tests.upgrade.test_what_an_earlier_version_stored import SEGMENT, STORED, stored

from kubedrill.core.evidence.codec import LOG_VERSION, fact_from_wire, fact_to_wire
from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.machine.state import state_from_wire
from kubedrill.core.undo.genuine import fingerprint
from kubedrill.core.undo.record import from_json
from kubedrill.plugins.reports.json_format import UnreadableRecordError, record_from_json
from kubedrill.store.evidence_log import Evidence

FREE = {"detail", "settled", "labels", "annotations", "job", "unstick", "scenario", "is"}
"""What holds keys of somebody else's choosing: there every field is known."""


def places(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a value that has fields of ours."""
    if isinstance(value, dict):
        yield value
        for key, inner in value.items():
            if key not in FREE:
                yield from places(inner)
    if isinstance(value, list):
        for inner in value:
            yield from places(inner)


def with_more(value: Any, at: int) -> Any:
    """The value with a field that nobody knows, in one of its objects."""
    grown = json.loads(json.dumps(value))
    found = [place for place in places(grown) if set(place) != {"is"} and place]
    found[at % len(found)]["ofALaterVersion"] = {"deep": [1]}
    return grown


def of_undo_records() -> list[str]:
    return sorted(path.name for path in STORED.glob("undo-record-*.json"))


@given(st.sampled_from(of_undo_records()), st.integers(0, 200))
def test_a_field_that_is_added_anywhere_in_an_undo_record_changes_nothing(name: str, at: int):
    plain = json.loads((STORED / name).read_text(encoding="utf-8"))
    plain["owners"] = []
    record = from_json(json.dumps(with_more(plain, at)))
    assert record == from_json(json.dumps(plain))
    assert fingerprint(record) == fingerprint(from_json(json.dumps(plain)))


@given(st.sampled_from(["drill", "drill-ended"]), st.integers(0, 200))
def test_a_field_that_is_added_anywhere_in_the_state_changes_nothing(name: str, at: int):
    machine = stored(name)["status"]["machine"]
    assert state_from_wire(with_more(machine, at)) == state_from_wire(machine)


@given(st.integers(0, 200))
def test_a_field_that_is_added_anywhere_in_a_report_changes_nothing(at: int):
    text = stored("report-part")["data"]["record"]
    assert record_from_json(json.dumps(with_more(json.loads(text), at))) == record_from_json(text)


def test_a_field_that_is_added_to_a_fact_changes_nothing():
    wire = fact_to_wire(fact(FactKind.NOTED, START, "a"))
    assert fact_from_wire(wire | {"ofALaterVersion": 1}) == fact_from_wire(wire)


def test_a_later_state_is_an_error_that_says_what_to_do():
    with pytest.raises(ValueError, match="upgrade it"):
        state_from_wire(stored("drill")["status"]["machine"] | {"version": 2})


def test_a_later_undo_record_is_an_error_and_no_record_of_nothing():
    plain = json.loads((STORED / "undo-record-manual.json").read_text(encoding="utf-8"))
    with pytest.raises(ValueError, match="another version"):
        from_json(json.dumps(plain | {"version": 2}))


def test_a_later_report_is_an_error_that_names_its_form():
    document = json.loads(stored("report-part")["data"]["record"])
    with pytest.raises(UnreadableRecordError, match="v2"):
        record_from_json(json.dumps(document | {"schema": "kubedrill.dev/drill-record/v2"}))


@pytest.mark.parametrize("version", [str(LOG_VERSION + 1), "?", ""])
async def test_a_later_segment_is_unknown_said_and_left_alone(version: str, caplog: pytest.LogCaptureFixture):
    server = ConfigMaps()
    later = stored("segment")
    later["data"]["version"] = version
    server.items[SEGMENT] = later
    before = json.dumps(later)
    kept = Evidence(server, "drills", "storm", "d1")
    await kept.load()
    await kept.store([fact(FactKind.NOTED, START, "new")])
    assert {f.id for f in kept.facts} == {"new"}
    assert json.dumps(server.items[SEGMENT]) == before
    (told,) = kept.unread
    assert SEGMENT in told
    assert [r.levelno for r in caplog.records] == [logging.WARNING]


async def test_a_fact_of_a_kind_that_is_not_known_is_unknown_and_said_and_stays():
    server = ConfigMaps()
    kept = Evidence(server, "drills", "storm", "d1")
    await kept.store([fact(FactKind.NOTED, START, "old")])
    item = server.items[SEGMENT]
    line = json.loads(item["data"]["facts"])
    item["data"]["facts"] += "\n" + json.dumps(line | {"id": "later", "kind": "OfALaterVersion"})
    again = Evidence(server, "drills", "storm", "d1")
    await again.store([fact(FactKind.NOTED, START, "new")])
    assert [line["id"] for line in server.lines] == ["old", "later", "new"]
    assert {f.id for f in again.facts} == {"old", "new"}
    assert "1 of 2 facts" in again.unread[0]
