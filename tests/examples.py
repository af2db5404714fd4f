"""How many examples a property is tried with: all of them in CI and by night, a quarter of them in `make check`.

`KUBEDRILL_TESTS=thorough` asks for all of them, as `make unit-thorough`, `make test` and `make mutants` do. Which
examples are tried is drawn anew each time, so what a quarter misses today it may meet tomorrow.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final, TypeVar

T = TypeVar("T")

THOROUGH: Final = os.environ.get("KUBEDRILL_TESTS") == "thorough"
USUAL: Final = 100
"""So many examples has a property that asks for no number of its own."""


def share_of(most: int = USUAL, least: int = 10) -> int:
    """How many of `most` are tried now: a quarter of them unless all are asked for, and at least `least`."""
    return most if THOROUGH else min(most, max(least, most // 4))


def some_of(them: Sequence[T], turn: int) -> Sequence[T]:
    """Every fourth of them, from another one on for each `turn`; all of them where all are tried.

    For what many tests do with the same examples: between them, all are tried.
    """
    return them if THOROUGH else them[turn % 4 :: 4]
