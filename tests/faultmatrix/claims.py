"""What is said to be back, or given up, is held against what was seen, at every version and not only at the end.

The versions of all objects are in the API server's one order, so it is certain what stood when something was said.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tests.faultmatrix import shapes
from tests.faultmatrix.evidence import Evidence, Finding
from tests.faultmatrix.kubelet import FAULTED
from tests.faultmatrix.made import made_by_others
from tests.faultmatrix.refusals import words_of
from tests.faultmatrix.witness import Sighting

KEPT: Final = ("KeptPlayerEdit", "Superseded")
"""Ends of a field that blame somebody else."""


def claimed(seen: Evidence) -> list[Finding]:
    """All that was said and was not so."""
    return [*_kept(seen), *_lost(seen), *_too_early(seen), *_words(seen), *_note(seen)]


def changed_by_others(seen: Evidence, name: str) -> int | None:
    """The first version in which somebody else had changed a target, or made it anew; None when nobody did."""
    versions = seen.witness.of("target", name)
    for one in versions[1:]:
        if one.event == "DELETED" or one.uid != versions[0].uid or one.theirs - versions[0].theirs:
            return one.version
    return None


def _kept(seen: Evidence) -> Iterable[Finding]:
    """O6: no field is given up for somebody's change that nobody has made."""
    for ended in (seen.status.get("restore") or {}).get("fields") or ():
        name = ended["target"].rpartition("/")[2]
        if (
            ended["outcome"] in KEPT
            and changed_by_others(seen, name) is None
            and not made_by_others(seen.witness, name)
        ):
            what = f"{ended['path']} of {name} ended {ended['outcome']}"
            yield Finding("O6", f"{what}, and nobody else had changed {name}")


def _lost(seen: Evidence) -> Iterable[Finding]:
    """O9: a record goes only when its fault is gone, or somebody else's."""
    if any(action == "remove-record" for rule in seen.plan.rules for action in rule.do):
        return  # by somebody who may
    for one in seen.witness.of("record"):
        if one.event == "DELETED" and _is_ours(seen, one.value["target"], one.version):
            yield Finding("O9", f"the record of {one.value['target']} was removed while its fault was in")


def _too_early(seen: Evidence) -> Iterable[Finding]:
    """O7: Restored is said only when no fault of the drill is in."""
    for one in _of_drills(seen):
        reason = one.value[2]
        names = [
            name
            for _, name in shapes.targets_of(seen.plan.fault)
            if len(seen.drills) == 1 or _was_injected_by(seen, one.name, name)
        ]
        still = [name for name in names if reason and _is_ours(seen, name, one.version)]
        if still:
            yield Finding("O7", f"{one.name} was said to be restored ({reason}) while {', '.join(still)} was faulted")
            return


def _was_injected_by(seen: Evidence, drill: str, name: str) -> bool:
    """Whether it is this of several drills whose fault is in a target."""
    return any(
        one.value["state"] == "Injected" and one.value["drill"] == drill and one.value["target"] == name
        for one in seen.witness.of("record")
    )


def _of_drills(seen: Evidence) -> list[Sighting]:
    return [one for one in seen.witness.of("drill") if one.name in seen.drills]


def _is_ours(seen: Evidence, name: str, version: int) -> bool:
    """Whether a target bears the fault at a version, and nobody else had changed it by then."""
    others = changed_by_others(seen, name)
    if others is not None and others <= version:
        return False
    before = [one for one in seen.witness.of("target", name) if one.version < version]
    return bool(before) and before[-1].value == FAULTED


def _words(seen: Evidence) -> Iterable[Finding]:
    """O7: who is told that it can't be put back is told who refuses it, in the refuser's words."""
    if not (seen.plan.expect.reported_stuck and seen.stuck_seen):
        return
    for kind in sorted(seen.plan.refusals):
        if not any(words_of(kind) in said for said in seen.stuck_said):
            yield Finding("O7", f"nobody was told what {kind} said, only: {'; '.join(seen.stuck_said)[:300]}")


def _note(seen: Evidence) -> Iterable[Finding]:
    """O7: a clean-up that was given up is told."""
    if seen.plan.expect.untidy and not (seen.status.get("restore") or {}).get("notes"):
        yield Finding("O7", "the clean-up was refused for good, and no note says so")
