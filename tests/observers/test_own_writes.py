"""What a drill itself writes and puts back is known from its undo records, absent fields included."""

from __future__ import annotations

from tests.undo.builders import deployment, record_of, squeeze

from kubedrill.protocol.records import RecordRef, StoredRecord
from kubedrill.shell.observation import own_writes
from kubedrill.signals.workload import OwnWrites


def test_putting_back_a_field_that_was_absent_is_the_drills_own_write():
    record = record_of(deployment(), squeeze(minReadySeconds=15))
    own = own_writes([StoredRecord(record, RecordRef("drills", record.name), "u", "1")], OwnWrites())
    assert {value for _, pointer, value in own.values if pointer == "/spec/minReadySeconds"} == {None, 15}
    assert own.managers == {record.manager}
