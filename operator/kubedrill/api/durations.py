"""Durations as the API writes them: `90s`, `15m`, `1h30m`, `250ms`.

The units are those of Go's `time.ParseDuration` that make sense for a drill; a bare number has no unit and is
refused.
"""

from __future__ import annotations

import re
from datetime import timedelta
from fractions import Fraction

LONGEST = timedelta(days=30)
"""The longest duration that anybody may ask for: no drill, and nothing in one, takes a month."""
NO_TIME = "write a time of more than 0, such as 10m"
_MICROSECONDS = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")


def parse_duration(text: str) -> timedelta:
    """A duration of one or more numbers with units, exact to the microsecond.

    Raises:
        ValueError: it is not one, or so long that nothing could count it.
    """
    total, end = Fraction(0), 0
    for part in _PART.finditer(text):
        if part.start() != end:
            break
        total += Fraction(part[1]) * _MICROSECONDS[part[2]]
        end = part.end()
    if not text or end != len(text):
        raise ValueError(f"{text!r} is not a duration: write, for example, 90s, 15m or 1h30m")
    try:
        return timedelta(microseconds=round(total))
    except OverflowError as error:
        raise ValueError(f"{text} is too long: write at most {LONGEST.days} days (720h)") from error


def askable_duration(text: str) -> str:
    """The text of a duration that may be asked for, as it is.

    Raises:
        ValueError: it is none, or longer than `LONGEST`.
    """
    if parse_duration(text) > LONGEST:
        raise ValueError(f"{text} is too long: write at most {LONGEST.days} days (720h)")
    return text


def some_time(text: str) -> str:
    """The text of a duration in which something can happen, as it is.

    Raises:
        ValueError: it is none.
    """
    if not parse_duration(text):
        raise ValueError(NO_TIME)
    return text


def format_duration(duration: timedelta) -> str:
    """What `parse_duration` reads back: `1h30m`, `2m5s`, `1.5s`, `0s`; with a minus when negative."""
    microseconds = duration // timedelta(microseconds=1)
    if microseconds < 0:
        return "-" + format_duration(-duration)
    hours, rest = divmod(microseconds, _MICROSECONDS["h"])
    minutes, rest = divmod(rest, _MICROSECONDS["m"])
    seconds, fraction = divmod(rest, _MICROSECONDS["s"])
    parts = [f"{hours}h"] * bool(hours) + [f"{minutes}m"] * bool(minutes)
    if fraction:
        parts.append(f"{seconds}.{fraction:06d}".rstrip("0") + "s")
    elif seconds or not parts:
        parts.append(f"{seconds}s")
    return "".join(parts)
