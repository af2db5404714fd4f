"""Whether a stored undo record is what it should be: one that we wrote, for the target that its name stands for.

Its name is derived from its target, its namespace is its drill's, and what it will write never changes once it
stands. So a record that was copied, renamed, or filled with something else shows, and is not carried out.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from kubedrill.core.undo.operations import subject_of
from kubedrill.core.undo.record import OutsideGroup, UndoRecord, record_name, to_json

_FORM: Final = "1-"
_LASTING: Final = ("subject", "target", "namespace_uid", "target_uid")
_OF_A_FIELD: Final = ("path", "before", "guards", "created")


def flaw(record: UndoRecord, *, name: str, namespace: str, drill_uid: str) -> str:
    """What of a record contradicts where and as what it is stored; empty when nothing does.

    Args:
        record: what is stored.
        name: the Secret's name.
        namespace: the Secret's namespace.
        drill_uid: the drill's UID as its label has it; empty when it has none.
    """
    if record.name != name:
        return f"it is the record {record.name}, under another name"
    if record.drill.namespace != namespace:
        return f"it belongs in namespace {record.drill.namespace}"
    if drill_uid and record.drill.uid != drill_uid:
        return f"its label says that it is of drill {drill_uid}, it says {record.drill.uid}"
    if not record.groups:
        return "it holds nothing to undo"
    if name not in names_of(record):
        return f"its name is not the one of {record.subject}"
    if record.deadline.tzinfo is None or record.intended_at.tzinfo is None:
        return "its times have no time zone"
    return ""


def names_of(record: UndoRecord) -> frozenset[str]:
    """The names that a record may have. That of an outside subject may be older than the namespace's part in it."""
    if record.target is not None:
        target = record.target
        return frozenset({record_name(target.group, target.kind, record.namespace_uid, target.name)})
    first = next((group for group in record.groups if isinstance(group, OutsideGroup)), None)
    if first is None:
        return frozenset()
    on = subject_of(first.operation, first.fault, record.drill.uid)
    if on.name != on.shown:  # an object, whose namespace has always had its part in the name
        genuine = record.subject == on.shown
        return frozenset({record_name(on.group, on.kind, record.namespace_uid, on.name)} if genuine else ())
    return frozenset(record_name(on.group, on.kind, space, record.subject) for space in ("", record.namespace_uid))


def fingerprint(record: UndoRecord) -> str:
    """A hash of all in a record that never changes from its intent to its end: whose, on what, what it puts back.

    What is at its default is left out, so that a field which a later version adds changes none.
    """
    stored = json.loads(to_json(record, brief=True))
    lasting: dict[str, Any] = {key: stored[key] for key in _LASTING if key in stored}
    lasting["drill"] = stored["drill"]["uid"]
    lasting["groups"] = [
        group | {"fields": [{key: f[key] for key in _OF_A_FIELD if key in f} for f in group["fields"]]}
        if "fields" in group
        else group
        for group in stored["groups"]
    ]
    return _FORM + hashlib.sha256(json.dumps(lasting, sort_keys=True).encode()).hexdigest()[:32]


def differs(found: str, noted: str) -> bool:
    """Whether two fingerprints are of different records; one of another form can't be compared and tells nothing."""
    return found.startswith(_FORM) and noted.startswith(_FORM) and found != noted
