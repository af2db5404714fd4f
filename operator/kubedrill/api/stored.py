"""Reading what is stored already: an object may be of a later or an earlier version than the one that reads it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

M = TypeVar("M", bound=BaseModel)


def understood(model: type[M], wire: Any) -> M:
    """A stored object as this version understands it: fields that it does not know are passed over.

    What people write is read by `model_validate`, which refuses an unknown field: it may be a typo.

    Raises:
        ValidationError: a field that is known has a wrong value, or is missing.
    """
    while True:
        try:
            return model.model_validate(wire)
        except ValidationError as error:
            places = [mistake["loc"] for mistake in error.errors() if mistake["type"] == "extra_forbidden"]
            rest = copy.deepcopy(wire)
            if not places or not all(_taken_out(rest, place) for place in places):
                raise
            wire = rest


def _taken_out(wire: Any, place: Sequence[str | int]) -> bool:
    """Whether there was something at that place, which is gone now."""
    *way, last = place
    try:
        for step in way:
            wire = wire[step]
        del wire[last]
    except (KeyError, IndexError, TypeError):
        return False
    return True
