"""What is wanted of a Drill, in one place: its spec, and the facilitator's word that wins over it.

Where Argo CD or Flux keep a Drill as it stands in Git, an edit of its spec is taken back. So the facilitator's word is
an annotation, which they leave alone because they have not declared it. A stop is a stop, whoever says it, and is never
taken back: the policy kubedrill-facilitators-word refuses that, as the CRD does in the spec.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubedrill.api.drill import DESIRED, STOP_BECAUSE, Desired


def desired_of(drill: Mapping[str, Any]) -> Desired:
    """What is wanted. A word that this version does not know starts nothing, and takes no stop back."""
    spec, word = str((drill.get("spec") or {}).get("desired", Desired.RUN)), _annotation(drill, DESIRED)
    if Desired.STOP in (spec, word):
        return Desired.STOP
    if word == Desired.RUN:
        return Desired.RUN
    return Desired(spec) if spec in set(Desired) else Desired.HOLD


def stop_because(drill: Mapping[str, Any]) -> str:
    """Why it was stopped, where somebody has said so."""
    return _annotation(drill, STOP_BECAUSE) or str((drill.get("spec") or {}).get("stopBecause") or "")


def is_ending(drill: Mapping[str, Any]) -> bool:
    """Whether it is stopped or being deleted: then nothing more is injected, and everything is restored."""
    deleting = (drill.get("metadata") or {}).get("deletionTimestamp")
    return bool(deleting) or desired_of(drill) is Desired.STOP


def the_word(desired: Desired, because: str = "") -> dict[str, Any]:
    """The facilitator's word, as a merge patch of the Drill."""
    said = {DESIRED: desired.value} | ({STOP_BECAUSE: because} if because else {})
    return {"metadata": {"annotations": said}}


def stop_in_spec(because: str = "") -> dict[str, Any]:
    """A stop as a merge patch of the Drill's spec, for where the facilitator's word is refused."""
    return {"spec": {"desired": Desired.STOP.value} | ({"stopBecause": because} if because else {})}


def _annotation(drill: Mapping[str, Any], name: str) -> str:
    return str(((drill.get("metadata") or {}).get("annotations") or {}).get(name) or "")
