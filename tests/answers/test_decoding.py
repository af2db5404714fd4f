"""An answer is decoded within bounds that are known before any of it is made, and in plain words where it is not."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubedrill.kube.answers import MOST_LEVELS, NoAnswer, TooMuch, decoded, quoted, read_up_to, values_in, why_not

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def count(value: object) -> int:
    """Every value and key."""
    if isinstance(value, dict):
        return 1 + sum(1 + count(inner) for inner in value.values())
    return 1 + sum(map(count, value)) if isinstance(value, list) else 1


@settings(deadline=None)
@given(JSON)
def test_no_answer_has_more_values_than_were_counted_beforehand(value):
    raw = json.dumps(value).encode()
    assert count(value) <= values_in(raw)
    assert decoded(raw) == value


@settings(deadline=None)
@given(st.binary() | st.text().map(str.encode))
def test_whatever_comes_it_is_json_or_unanswered(raw):
    try:
        decoded(raw)
    except NoAnswer as error:
        assert str(error).startswith("answers with ")  # noqa: PT017  nothing may be raised, so `raises` fits not


@pytest.mark.parametrize(
    "raw",
    [b"[" * 6000 + b"]" * 6000, b"[" * 200_000, b'{"a":' * 6000, b"[" * (MOST_LEVELS + 1) + b"]" * (MOST_LEVELS + 1)],
    ids=["6,000 brackets", "never closed", "6,000 objects", "one level too many"],
)
def test_what_is_nested_too_deep_is_unanswered(raw):
    with pytest.raises(NoAnswer, match=r"deep|no JSON"):
        decoded(raw)


def test_as_many_levels_as_are_allowed_are_read():
    assert decoded(b"[" * MOST_LEVELS + b"]" * MOST_LEVELS)


@pytest.mark.parametrize("unit", [b"{},", b"[],", b'"",', b'{"":0},', b"0,", b'"a":{},'])
def test_many_values_are_refused_before_any_of_them_is_made(unit):
    raw = b"[" + unit * (4_000_000 // len(unit)) + b"0]"
    began = time.process_time()
    with pytest.raises(TooMuch, match="more than 250000 values"):
        decoded(raw)
    assert time.process_time() - began < 0.2


@pytest.mark.parametrize("raw", [b"NaN", b"[Infinity]", b"-Infinity", b"1" * 5000, b"\xff", "[]".encode("utf-16")])
def test_what_python_would_take_but_json_does_not_know_is_unanswered(raw):
    with pytest.raises(NoAnswer):
        decoded(raw)


@settings(deadline=None)
@given(st.text())
def test_a_strangers_words_are_short_printable_and_marked(text):
    shown = quoted(text)
    assert shown.isprintable()
    assert len(shown) <= 123
    assert shown[0] == shown[-1] == '"'
    assert '"' not in shown[1:-1]


async def chunks(*given: bytes) -> AsyncIterator[bytes]:
    for one in given:
        yield one


async def test_a_body_is_read_to_its_end_or_not_at_all():
    assert await read_up_to(chunks(b"ab", b"c"), 3) == b"abc"
    with pytest.raises(TooMuch, match="more than 1 KiB"):
        await read_up_to(chunks(b"x" * 1024, b"y", b"never asked for"), 1024)


def test_why_there_is_no_answer_holds_no_word_of_a_stranger():
    assert why_not(TimeoutError("TOP-SECRET")) == "does not answer in time"
    assert why_not(ConnectionRefusedError(111, "Connection refused")) == "can't be reached: Connection refused"
    assert why_not(ValueError("TOP-SECRET")) == "gives no answer that HTTP allows (ValueError)"
