"""A message in parts: each fits and has its number, and without the numbers they are the message."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from kubedrill.plugins.channels.base import numbered_parts

LONGEST_BODY = 4096
SENT = st.text(st.characters(codec="utf-8"), max_size=LONGEST_BODY)


def without_numbers(parts: tuple[str, ...]) -> str:
    if len(parts) == 1:
        return parts[0]
    numbers = [found.groups() for part in parts if (found := re.match(r"\((\d+)/(\d+)\) ", part))]
    assert len(numbers) == len(parts)
    assert numbers == [(str(n), str(len(parts))) for n in range(1, len(parts) + 1)]
    return "".join(part.partition(") ")[2] for part in parts)


@given(SENT, st.integers(1000, 2000))
def test_the_parts_are_the_whole_message_and_each_fits(words: str, most: int):
    parts = numbered_parts(words, most)
    assert all(len(part.encode()) <= most for part in parts)
    assert without_numbers(parts) == words


def test_a_message_that_fits_has_no_number():
    assert numbered_parts("x" * 1024, 1024) == ("x" * 1024,)


def test_the_longest_inject_needs_no_number_of_three_digits():
    assert len(numbered_parts("𝄞" * LONGEST_BODY, 1024)) <= 20
