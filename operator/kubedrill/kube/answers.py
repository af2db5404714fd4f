"""What strangers answer: how much of it is read, how it is decoded, and what it must be made of.

A Prometheus or an Alertmanager belongs to whoever runs the target. Its answer may be endless, deep, or of any shape;
then it says nothing (`Unanswered`), which is never an error of ours and never good news.

What an answer costs is not its bytes: 31 MB of `[{},{},…` are 700 MB of Python objects. So its values are counted
before any of them is made. Every value follows one of `[ { , :`; counting these in the raw bytes, those in strings
too, gives at least the number of values and keys, in a few milliseconds a MiB.
"""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NoReturn

from kubedrill.core.evidence.timestamps import instant

MOST_VALUES: Final = 250_000
"""Of one answer. At worst 130 bytes of memory each, so 32 MiB; a series takes three a sample."""
MOST_LEVELS: Final = 32
LAST_INSTANT: Final = datetime(2100, 1, 1, tzinfo=UTC)
"""Times from 1970 until here can be reckoned with; year 1 and year 9999 are what no clock says."""
_QUOTED: Final = 120


class NoAnswer(ValueError):
    """An answer that says nothing. The message says in plain words what is wrong with it."""


class TooMuch(NoAnswer):
    """An answer of more than is read; asked for less, the same source may answer."""


async def read_up_to(chunks: AsyncIterator[bytes], most: int, begun: bytes = b"") -> bytes:
    """The whole of a body, of which `begun` was read already.

    Raises:
        TooMuch: there is more than `most` bytes of it; no more than a chunk beyond that is ever held.
    """
    raw = bytearray(begun)
    async for chunk in chunks:
        raw += chunk
        if len(raw) > most:
            raise too_long(most)
    return bytes(raw)


def too_long(most: int) -> TooMuch:
    """That an answer is longer than it may be."""
    size = f"{most >> 20} MiB" if most >= 1 << 20 else f"{most >> 10} KiB"
    return TooMuch(f"answers with more than {size}")


def why_not(error: Exception) -> str:
    """Why there is no answer at all, without a word of whoever did not give one."""
    if isinstance(error, TimeoutError):
        return "does not answer in time"
    if isinstance(error, OSError):
        return f"can't be reached: {error.strerror or type(error).__name__}"
    return f"gives no answer that HTTP allows ({type(error).__name__})"


def elsewhere(status: int) -> NoAnswer:
    """That an answer is a redirect. It is never followed: it may lead to anybody."""
    return NoAnswer(f"answers {status}: a redirect, which is not followed")


def values_in(raw: bytes) -> int:
    """How many values and keys a JSON text has at the most."""
    return 1 + sum(raw.count(sign) for sign in (b"[", b"{", b",", b":"))


def decoded(raw: bytes, most_values: int = MOST_VALUES) -> Any:
    """The JSON of an answer.

    Raises:
        Unanswered: it is none, or of more values or levels than anybody needs.
    """
    if values_in(raw) > most_values:
        raise TooMuch(f"answers with more than {most_values} values")
    try:
        # as text: from bytes, json.loads would guess at UTF-16, of which nothing was counted
        value = json.loads(raw.decode("utf-8"), parse_constant=_no_number)
    except RecursionError:
        raise NoAnswer("answers with values nested too deep") from None
    except ValueError as error:
        if isinstance(error, NoAnswer):
            raise
        raise NoAnswer("answers with something that is not JSON") from None
    if _is_deeper(value, MOST_LEVELS):
        raise NoAnswer("answers with values nested too deep")
    return value


def _no_number(said: str) -> NoReturn:
    raise NoAnswer(f"answers with {said}, which is not JSON")


def _is_deeper(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True


def quoted(text: str) -> str:
    """A stranger's words: short, printable, and marked as such."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text[: 4 * _QUOTED])
    shown = " ".join(shown.split()).replace('"', "'")
    return f'"{shown[:_QUOTED]}…"' if len(shown) > _QUOTED else f'"{shown}"'


def object_of(value: Any, what: str) -> Mapping[str, Any]:
    """A value that must be an object.

    Raises:
        Unanswered: it is none.
    """
    if not isinstance(value, dict):
        raise NoAnswer(f"{what} is {_kind(value)}, not an object")
    return value


def list_of(value: Any, what: str) -> list[Any]:
    """A value that must be a list.

    Raises:
        Unanswered: it is none.
    """
    if not isinstance(value, list):
        raise NoAnswer(f"{what} is {_kind(value)}, not a list")
    return value


def text_of(value: Any, what: str) -> str:
    """A value that must be a string.

    Raises:
        Unanswered: it is none.
    """
    if not isinstance(value, str):
        raise NoAnswer(f"{what} is {_kind(value)}, not a string")
    return value


def number_of(value: Any, what: str) -> float:
    """A value that must be a JSON number, and a finite one.

    Raises:
        Unanswered: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NoAnswer(f"{what} is {_kind(value)}, not a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise NoAnswer(f"{what} is a number without end")
    return number


def labels_of(value: Any) -> dict[str, str]:
    """Labels: names and values that are strings.

    Raises:
        Unanswered: they are something else.
    """
    found = object_of(value, "a set of labels")
    return {name: text_of(said, "a label's value") for name, said in found.items()}


def instant_of_seconds(value: Any) -> datetime:
    """A stamp in seconds since 1970.

    Raises:
        Unanswered: it is none, or before 1970 or after 2099.
    """
    seconds = number_of(value, "a sample's time")
    if not 0 <= seconds < LAST_INSTANT.timestamp():
        raise NoAnswer("a sample's time is not between 1970 and 2099")
    return datetime.fromtimestamp(seconds, UTC)


def instant_of_text(value: Any) -> datetime | None:
    """A time as RFC 3339 says it; None for one that no clock says (before 1970, after 2099).

    Raises:
        Unanswered: it is no time.
    """
    try:
        found = instant(text_of(value, "a time")).astimezone(UTC)
    except OverflowError:
        return None
    except ValueError as error:
        raise NoAnswer("a time is none") from error
    return found if datetime.fromtimestamp(0, UTC) <= found < LAST_INSTANT else None


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
