"""What was really so, from the recorder alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tests.shapes.catalogue import Play
from tests.shapes.recorder import Look

JUDGED_FAULT: Final = "24Mi"


@dataclass(frozen=True)
class Moment:
    """Between which two times something happened: the looks before and after it are as far apart as they are."""

    earliest: float
    latest: float


@dataclass(frozen=True)
class Truth:
    """When trouble began, when somebody changed what the fault had set, since when it was well until the end of play,
    when somebody was paged. None: never.
    """

    broke: Moment | None
    changed: Moment | None
    well: Moment | None
    paged: Moment | None = None


def truth_of(play: Play, looks: Sequence[Look], ended: float) -> Truth:
    """What the looks until the end of play come to."""
    seen = [look for look in looks if look.after <= ended]
    begun = next((n for n, look in enumerate(seen) if look.limit == JUDGED_FAULT), None)
    if begun is None:
        return Truth(None, None, None)
    seen = seen[max(0, begun - 1) :]
    well = _first(seen[::-1], lambda look: in_trouble(play, look))
    return Truth(
        broke=_first(seen, lambda look: look.limit == JUDGED_FAULT and in_trouble(play, look)),
        changed=_first(seen[1:], lambda look: look.limit != JUDGED_FAULT),
        well=well if seen and not in_trouble(play, seen[-1]) else None,
        paged=_first(seen, lambda look: _pages(look) > _pages(seen[0])),
    )


def in_trouble(play: Play, look: Look) -> bool:
    """Whether a look shows the alert's own trouble; a figure that is not there is no sign of health."""
    trouble = play.shape.trouble
    value = look.figures.get(trouble["figure"])
    if value is None:
        return True
    return value < trouble["below"] if "below" in trouble else value > trouble["above"]


def _pages(look: Look) -> float:
    return look.figures.get("pages_total", 0.0)


def _first(seen: Sequence[Look], shows: Callable[[Look], bool]) -> Moment | None:
    """Between the first look that shows something and its neighbour that does not yet."""
    found = next((n for n, look in enumerate(seen) if shows(look)), None)
    if found is None:
        return None
    pair = seen[max(0, found - 1)], seen[found]
    return Moment(min(look.before for look in pair), max(look.after for look in pair))
