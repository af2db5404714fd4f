"""The plan of a drill as text, so that it can be stored at the start and read by whatever version comes later.

Nothing of it is left out because it is at its default: what a drill was judged by stays so when a default changes. A
field that a later version has added is passed over; a form with another number is not understood, which is not the
same as not being there.
"""

from __future__ import annotations

import hashlib
import json
from typing import Final

from pydantic import TypeAdapter
from pydantic_core import from_json as json_of

from kubedrill.api.faults import TOLERANT
from kubedrill.core.plan.drill_plan import DrillPlan

VERSION: Final = 1
"""The form. It changes when an older reader would take what is written for something else, not for a field more."""
PLAN_BYTES: Final = 1_000_000
"""The longest plan that is stored: the API server takes 1,048,576 bytes of data in a ConfigMap."""
_ADAPTER: Final = TypeAdapter(DrillPlan)


class UnreadablePlan(ValueError):
    """A text that is no plan to this version; what the drill is judged by is unknown, not gone."""


def plan_to_json(plan: DrillPlan) -> str:
    """The stored form: of one plan always the same text.

    Raises:
        ValueError: a number in it is none that JSON can say.
    """
    told = _ADAPTER.dump_python(plan, mode="json", by_alias=True, exclude_none=True)
    form = {"version": VERSION, "plan": told}
    return json.dumps(form, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def plan_from_json(text: str) -> DrillPlan:
    """The plan of a stored form.

    Raises:
        UnreadablePlan: it is none, is of another version's form, or has a fault of a kind that is not known here.
    """
    try:
        form = json_of(text)
    except ValueError as error:
        raise UnreadablePlan(f"it is no JSON: {error}") from error
    version = form.get("version") if isinstance(form, dict) else None
    if version != VERSION:
        raise UnreadablePlan(
            f"it was written by another version of KubeDrill (form {version!r}, this one knows {VERSION})"
        )
    try:
        return _ADAPTER.validate_python(form.get("plan"), extra="ignore", context=TOLERANT)
    except ValueError as error:
        raise UnreadablePlan(f"it is no plan: {error}") from error


def digest_of(text: str) -> str:
    """What names this very text: SHA-256 in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
