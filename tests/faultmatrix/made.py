"""What must be true of an object that a fault makes, and of pods that it removes, at every version that was seen.

An object is ours when the field manager of a record has made it: whatever else has its name is somebody's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tests.faultmatrix import shapes
from tests.faultmatrix.evidence import Evidence, Finding
from tests.faultmatrix.witness import Sighting, Witness

OURS: Final = "manager-"
REMOVED_BY_PEOPLE: Final = ("remove-quota", "take-quota")


def made_and_removed(seen: Evidence) -> list[Finding]:
    """All that is wrong with what was made, and with what was removed."""
    return [*_made(seen), *_kept(seen), *_removed(seen)]


def ours(witness: Witness) -> list[Sighting]:
    """The versions of objects that the drill has made."""
    uids = {one.uid for one in witness.of("made") if any(m.startswith(OURS) for m in one.managers)}
    return [one for one in witness.of("made") if one.uid in uids]


def made_by_others(witness: Witness, name: str) -> bool:
    """Whether somebody else has made an object of that name."""
    mine = {one.uid for one in ours(witness)}
    return any(one.uid not in mine for one in witness.of("made", name))


def last_of_ours(witness: Witness) -> list[Sighting]:
    """The last version of each of these objects."""
    return list({one.uid: one for one in ours(witness)}.values())


def stands(witness: Witness, version: int) -> bool:
    """Whether one of these objects is there at a version."""
    last = {one.uid: one for one in ours(witness) if one.version <= version}
    return any(one.event != "DELETED" for one in last.values())


def _made(seen: Evidence) -> Iterable[Finding]:
    """O2: it is made once. O3: it is gone at the end. O9: the record stands before it does, and while it does."""
    if not shapes.makes(seen.plan.fault):
        return
    mine = ours(seen.witness)
    uids = {one.uid for one in mine}
    if len(uids) > seen.plan.expect.injections:
        yield Finding("O2", f"a quota was made {len(uids)} times")
    if any(one.event != "DELETED" for one in last_of_ours(seen.witness)):
        yield Finding("O3", "the quota is still there")
    records = [one for one in seen.witness.of("record") if one.value["target"] == shapes.QUOTA]
    stored = min((one.version for one in records), default=1 << 62)
    if mine and mine[0].version < stored:
        yield Finding("O9", "the quota was made before its undo was stored")
    for one in records:
        if one.event == "DELETED" and stands(seen.witness, one.version):
            yield Finding("O9", "the record of the quota was removed while that was there")
    for one in seen.witness.of("drill"):
        if one.name in seen.drills and one.value[2] and stands(seen.witness, one.version):
            yield Finding("O7", f"{one.name} was said to be restored while the quota was there")
            return


def _kept(seen: Evidence) -> Iterable[Finding]:
    """O6: what somebody else has made under the name stays."""
    mine = {one.uid for one in ours(seen.witness)}
    theirs = {one.uid: one for one in seen.witness.of("made") if one.uid not in mine}
    doings = [action for rule in seen.plan.rules for action in rule.do]
    lost = [one for one in theirs.values() if one.event == "DELETED"]
    if len(lost) > max(0, len([doing for doing in doings if doing in REMOVED_BY_PEOPLE]) - 1):
        yield Finding("O6", "a quota that somebody else had made was removed")


def _removed(seen: Evidence) -> Iterable[Finding]:
    """O2: so many pods go, each once. O9: none before the record stands."""
    if not shapes.removes(seen.plan.fault):
        return
    gone = {one.uid: one for one in seen.witness.of("pod") if one.event == "DELETED" and one.value == "web"}
    if len(gone) > seen.plan.expect.injections:
        yield Finding("O2", f"{len(gone)} pods were removed")
    records = [one for one in seen.witness.of("record") if one.value["target"] == "web"]
    stored = min((one.version for one in records), default=1 << 62)
    if any(one.version < stored for one in gone.values()):
        yield Finding("O9", "a pod was removed before the record stood")
