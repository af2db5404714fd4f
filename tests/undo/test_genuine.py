"""A record counts only if it is what it should be: where it is stored, under which name, and what it once said."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.undo.builders import NOON, UNDO, deployment, injected, record_of

from kubedrill.core.evidence.facts import Interval
from kubedrill.core.undo.genuine import differs, fingerprint, flaw, names_of
from kubedrill.core.undo.operations import Ask, Create, Target
from kubedrill.core.undo.record import (
    FieldGroup,
    Outcome,
    OutsideGroup,
    RecordState,
    UndoRecord,
    from_json,
    record_name,
    to_json,
)

RECORD = record_of(deployment())
BY_HAND = OutsideGroup("plug", Ask("pull the plug", "restore it"))


def flawed(record: UndoRecord = RECORD, name: str = UNDO, namespace: str = "drills", drill_uid: str = "d1") -> str:
    return flaw(record, name=name, namespace=namespace, drill_uid=drill_uid)


def test_a_record_as_we_store_it_has_no_flaw_and_may_have_lost_its_label():
    assert flawed() == ""
    assert flawed(drill_uid="") == ""


FIELDS = tuple(group for group in RECORD.groups if isinstance(group, FieldGroup))
assert RECORD.target is not None
API = replace(RECORD.target, name="api")


@pytest.mark.parametrize(
    ("stored", "why"),
    [
        ({"name": "undo-other"}, "under another name"),
        ({"namespace": "staging"}, "belongs in namespace drills"),
        ({"drill_uid": "d2"}, "its label says that it is of drill d2"),
        ({"record": replace(RECORD, target=API)}, "its name is not the one of"),
        ({"record": replace(RECORD, namespace_uid="n2")}, "its name is not the one of"),
        ({"record": replace(RECORD, groups=())}, "nothing to undo"),
        ({"record": replace(RECORD, deadline=RECORD.deadline.replace(tzinfo=None))}, "no time zone"),
    ],
    ids=["renamed", "copied elsewhere", "relabelled", "another target", "another namespace", "empty", "no time zone"],
)
def test_what_contradicts_itself_is_told(stored: dict[str, object], why: str):
    assert why in flawed(**stored)  # type: ignore[arg-type]


def test_an_outside_record_may_be_named_with_or_without_the_uid_of_its_namespace():
    plain = replace(RECORD, target=None, subject="redis://x:6379/jobs", groups=(BY_HAND,), namespace_uid="")
    older, newer = record_name("", "Ask", "", plain.subject), record_name("", "Ask", "n1", plain.subject)
    assert names_of(plain) == {older}
    assert names_of(replace(plain, namespace_uid="n1")) == {older, newer}


def test_a_record_of_an_object_that_is_made_is_named_after_that_object_and_no_other():
    made = Create(Target("", "v1", "ResourceQuota", "resourcequotas", "shop", "limits"), {})
    record = replace(
        RECORD,
        target=None,
        subject="ResourceQuota/limits",
        groups=(OutsideGroup("full", made),),
        name=record_name("", "ResourceQuota", "n1", "limits"),
    )
    assert flawed(record, record.name) == ""
    elsewhere = replace(made, target=replace(made.target, name="other"))
    for forged in (
        replace(record, groups=(OutsideGroup("full", elsewhere),)),
        replace(record, subject="ResourceQuota/other"),
        replace(record, namespace_uid="n2"),
    ):
        assert "its name is not the one of" in flawed(forged, record.name)


def test_the_fingerprint_stays_from_the_intent_to_the_end():
    record, _ = injected(deployment())
    later = replace(
        record,
        state=RecordState.REVERTED,
        attempt=3,
        made="u9",
        resource_version="9",
        generation=4,
        owners=({"manager": "x"},),
        injected=Interval(NOON, NOON),
        restored_at=NOON,
        restoring=("/spec/a",),
        outcome=Outcome("Operator", NOON, ()),
        deadline=record.deadline + timedelta(hours=1),
        intended_at=NOON + timedelta(seconds=3),
        groups=tuple(
            replace(g, fields=tuple(replace(f, after="24Mi") for f in g.fields))
            for g in record.groups
            if isinstance(g, FieldGroup)
        ),
    )
    assert fingerprint(from_json(to_json(later))) == fingerprint(record)


@pytest.mark.parametrize(
    "changed",
    [
        replace(RECORD, drill=replace(RECORD.drill, uid="d2")),
        replace(RECORD, target_uid="u2"),
        replace(RECORD, target=API),
        replace(RECORD, groups=(*RECORD.groups, BY_HAND)),
        replace(RECORD, groups=tuple(replace(g, fault="other") for g in RECORD.groups)),
        replace(
            RECORD,
            groups=tuple(replace(g, fields=(replace(g.fields[0], before="1Gi"), *g.fields[1:])) for g in FIELDS),
        ),
        replace(
            RECORD,
            groups=tuple(replace(g, fields=(replace(g.fields[0], path="/spec/other"), *g.fields[1:])) for g in FIELDS),
        ),
    ],
    ids=["drill", "target's uid", "target", "one more operation", "fault", "value before", "path"],
)
def test_what_is_put_back_where_can_not_change_without_another_fingerprint(changed: UndoRecord):
    assert differs(fingerprint(changed), fingerprint(RECORD))


def test_a_fingerprint_of_another_form_tells_nothing():
    assert not differs(fingerprint(RECORD), "")
    assert not differs(fingerprint(RECORD), "2-whatever")


def test_a_form_of_a_later_version_is_not_guessed_at():
    later = to_json(RECORD).replace(b'"version":1', b'"version":2')
    with pytest.raises(ValueError, match="another version of KubeDrill"):
        from_json(later)
