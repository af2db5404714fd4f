"""Times and durations as people type them.

A time of day is the last one that has been, in the local time zone. In the night in which the clocks are put back it
may have been twice, in the one in which they are put forward never: neither is guessed.
"""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from typing import Final

from kubedrill.api.durations import parse_duration
from kubedrill.cli.connection import CliError
from kubedrill.cli.exit_codes import ExitCode

USUALLY_WITHIN: Final = "1m"
_MOMENT: Final = re.compile(r"(?P<time>.+?)(?:\s*(?:±|\+-|\+/-)\s*(?P<within>\S+))?")
_TIME_OF_DAY: Final = re.compile(r"\d{1,2}:\d{2}(:\d{2})?")
_A_DAY: Final = timedelta(days=1)


def moment(text: str, now: datetime) -> tuple[datetime, str]:
    """A time (`14:07`, `14:07:30`, RFC 3339, each with `±1m`) and how far it may be off.

    Raises:
        CliError: it can't be read, has been twice, never was, or is still to come.
    """
    match = _MOMENT.fullmatch(text.strip())
    typed, within = (match["time"].strip(), match["within"] or USUALLY_WITHIN) if match else ("", USUALLY_WITHIN)
    latest = now + duration(within)
    try:
        at = _time_of_day(typed, latest) if _TIME_OF_DAY.fullmatch(typed) else datetime.fromisoformat(typed)
    except ValueError as error:
        raise CliError(
            f"{text!r} is not a time: write 14:07, 14:07:30 or 2026-03-02T14:07:00Z, perhaps with ±1m",
            ExitCode.BAD_INPUT,
        ) from error
    at = at if at.tzinfo else _the_one(at, typed, latest)
    if at > latest:
        raise CliError(f"{text!r} is still to come", ExitCode.BAD_INPUT)
    return at, within


def _time_of_day(typed: str, latest: datetime) -> datetime:
    """The last such time that has been; one that there was not on the day in question is no earlier day's."""
    hour, minute, *second = (int(part) for part in typed.split(":"))
    clock, here = time(hour, minute, second[0] if second else 0), latest.astimezone()
    today = datetime.combine(here.date(), clock)
    has_been = any(at <= latest for at in _instants(today))
    never_was = not _instants(today) and clock <= here.time()
    return _the_one(today if has_been or never_was else today - _A_DAY, typed, latest)


def _the_one(local: datetime, typed: str, latest: datetime) -> datetime:
    """The one instant at which the clocks here showed that.

    Raises:
        CliError: there was none, or more than one.
    """
    instants = _instants(local)
    if not instants:
        raise CliError(
            f"the clocks here never showed {typed} on {local:%-d %B}: they were put forward over it",
            ExitCode.BAD_INPUT,
        )
    been = [at for at in instants if at <= latest] or instants[:1]
    if len(been) > 1:
        first, second = (at.isoformat() for at in been)
        raise CliError(
            f"the clocks here showed {typed} twice on {local:%-d %B}, being put back: write {first} or {second}",
            ExitCode.BAD_INPUT,
        )
    return been[0]


def _instants(local: datetime) -> list[datetime]:
    """When the clocks here show a local time: once, twice, or never. In order."""
    both = {local.replace(fold=fold).astimezone() for fold in (0, 1)}
    return sorted(at for at in both if at.replace(tzinfo=None, fold=0) == local.replace(fold=0))


def duration(text: str) -> timedelta:
    """A duration that somebody typed.

    Raises:
        CliError: it is none.
    """
    try:
        return parse_duration(text)
    except ValueError as error:
        raise CliError(str(error), ExitCode.BAD_INPUT) from error
