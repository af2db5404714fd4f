"""Alertmanager's time intervals: whether one holds at an instant.

Of one interval everything that it names must hold; of a named set of them one must. What is not understood is not
known: then nobody says that it mutes anything.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from kubedrill.kube.answers import NoAnswer, list_of, object_of, text_of

DAYS: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTHS: Final = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)


def holds(intervals: Any, at: datetime) -> bool:
    """Whether any of these intervals holds at an instant.

    Raises:
        Unanswered: they are not understood.
    """
    return any(_holds(object_of(one, "a time interval"), at) for one in list_of(intervals or [], "time intervals"))


def _holds(interval: Mapping[str, Any], at: datetime) -> bool:
    if unknown := interval.keys() - FIELDS.keys() - {"location"}:
        raise NoAnswer(f"has a time interval with {min(unknown)}, which is not known here")
    local = at.astimezone(_zone(interval.get("location")))
    return all(FIELDS[name](list_of(value, name), local) for name, value in interval.items() if name in FIELDS)


def _zone(name: Any) -> tzinfo:
    place = text_of(name or "UTC", "a location")
    try:
        return UTC if place == "UTC" else ZoneInfo(place)
    except (KeyError, OSError, ValueError) as error:
        raise NoAnswer("has a time interval in a place that is not known here") from error


def _times(given: Sequence[Any], at: datetime) -> bool:
    minute = at.hour * 60 + at.minute
    ranges = [object_of(one, "a range of times") for one in given]
    return any(_minute(one.get("start_time")) <= minute < _minute(one.get("end_time")) for one in ranges)


def _minute(value: Any) -> int:
    found = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})", text_of(value, "a time of day"))
    if found is None:
        raise NoAnswer("has a time of day that is none")
    return int(found[1]) * 60 + int(found[2])


def _weekdays(given: Sequence[Any], at: datetime) -> bool:
    return _within(given, DAYS, 0, (at.weekday() + 1) % 7)


def _months(given: Sequence[Any], at: datetime) -> bool:
    return _within(given, MONTHS, 1, at.month)


def _years(given: Sequence[Any], at: datetime) -> bool:
    return _within(given, (), 0, at.year)


def _days_of_month(given: Sequence[Any], at: datetime) -> bool:
    """Days from the end of the month are negative: the last one is -1."""
    last = monthrange(at.year, at.month)[1]

    def day(number: int) -> int:
        return number if number > 0 else last + 1 + number

    return any(day(first) <= at.day <= day(end) for first, end in _ranges(given, (), 0))


def _within(given: Sequence[Any], names: Sequence[str], first: int, value: int) -> bool:
    return any(start <= value <= end for start, end in _ranges(given, names, first))


def _ranges(given: Iterable[Any], names: Sequence[str], first: int) -> list[tuple[int, int]]:
    """Ranges as they are written: `monday:friday`, `5`, `-3:-1`, both ends in. `names` count from `first`."""
    found = []
    for one in given:
        start, _, end = text_of(one, "a range").lower().partition(":")
        found.append((_number(start, names, first), _number(end or start, names, first)))
    return found


def _number(text: str, names: Sequence[str], first: int) -> int:
    if text in names:
        return names.index(text) + first
    if not re.fullmatch(r"-?[0-9]{1,4}", text):
        raise NoAnswer("has a time interval with a range that is none")
    return int(text)


FIELDS: Final[Mapping[str, Callable[[Sequence[Any], datetime], bool]]] = {
    "times": _times,
    "weekdays": _weekdays,
    "days_of_month": _days_of_month,
    "months": _months,
    "years": _years,
}
