"""Records as the versions of before stored them are honoured: read, recognised as genuine, with the same fingerprint.

The files are what versions of before have stored, byte by byte: the first four by one without `version`, `beside` and
fingerprints, the others by the first that makes objects and removes pods.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from kubedrill.core.undo.genuine import fingerprint, flaw
from kubedrill.core.undo.record import RecordState, from_json, to_json
from kubedrill.core.undo.touches import recorded_touches

DATA = Path(__file__).parents[1] / "data"
KNOWN = {
    "memory-limit": "1-0faf33f0437b2d9a21b21ba1cb638200",
    "queue-load": "1-df526b09ab4e2d165d2b8cc719d1e9af",
    "alert": "1-a47c88df0518d783acf7bdfc23e2d538",
    "manual": "1-7e97f056607f27b0340f96361ca773f5",
    "create": "1-efe568160595929bb98d338d17cb1f05",
    "remove": "1-0b267ebd3db12b924a07149b6adf9015",
}


@pytest.mark.parametrize("kind", KNOWN)
def test_an_earlier_record_is_genuine(kind: str):
    record = from_json((DATA / f"undo-record-{kind}.json").read_bytes())
    assert record.state is RecordState.INJECTED
    assert record.version == 1
    assert flaw(record, name=record.name, namespace="drills", drill_uid=record.drill.uid) == ""


@pytest.mark.parametrize(("kind", "known"), KNOWN.items())
def test_its_fingerprint_is_what_it_was_and_stays_when_this_version_has_written_it(kind: str, known: str):
    record = from_json((DATA / f"undo-record-{kind}.json").read_bytes())
    assert fingerprint(record) == known
    assert fingerprint(from_json(to_json(record))) == known


def test_what_it_touches_is_told():
    record = from_json((DATA / "undo-record-memory-limit.json").read_bytes())
    ((touch,),) = recorded_touches(record).values()
    assert {field.path.rpartition("/")[2] for field in touch.fields} == {"memory", "minReadySeconds"}
