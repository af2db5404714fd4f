"""What every exploration starts from."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.model.turns import machine_alone, plan_of, what_is_stored
from tests.model.world import beginning

from kubedrill.controller import turn
from kubedrill.core.undo.record import from_json
from kubedrill.store import plans, undo_records

read_once = functools.lru_cache(maxsize=20_000)(from_json)
"""A record is the same whoever reads it, and each is read thousands of times: half of the time of an exploration."""


@contextmanager
def code_as_it_is() -> Iterator[None]:
    """No histories of other code than that which is there now; nobody reads ten thousand warnings and statuses."""
    with pytest.MonkeyPatch.context() as patch:
        beginning.cache_clear()
        patch.setattr(turn, "project", machine_alone)
        patch.setattr(turn, "gather", what_is_stored)
        patch.setattr(undo_records, "from_json", read_once)
        patch.setattr(plans, "plan_from_json", plan_of)
        logging.disable(logging.CRITICAL)
        yield
        logging.disable(logging.NOTSET)
        read_once.cache_clear()
        beginning.cache_clear()


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Each test plants its own defect in the code, or none."""
    with code_as_it_is():
        yield
