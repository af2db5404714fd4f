"""How long an undo record may be, so that everything that is ever written into it still fits.

A Secret holds 1 MiB. A record that could not take its outcome would be put back and never said to be: it stays, and its
drill with it. So one that would be too long is refused before anything is touched.
"""

from __future__ import annotations

from typing import Final

from kubedrill.core.undo.record import UndoRecord, to_json

SECRET_BYTES: Final = 1_048_576
RECORD_BYTES: Final = SECRET_BYTES // 2
"""Of a new record. The other half is for its target's owners: there may be more of them when it is claimed."""
OUTCOME_BYTES: Final = 8 * 1024
"""Of what becomes of one field: six texts of 256 characters, its path (thrice), who changed it and when."""


def too_long(record: UndoRecord) -> str:
    """Why a new record is refused; empty when it and its outcome fit."""
    outcomes = (len(record.fields) + len(record.groups)) * OUTCOME_BYTES
    needed = len(to_json(record)) + outcomes
    if needed <= RECORD_BYTES:
        return ""
    return (
        f"the undo record of {record.subject} would take {needed} bytes with its outcome, and may take {RECORD_BYTES}:"
        " let the drill change fewer or shorter fields of it"
    )
