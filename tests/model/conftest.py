"""What every exploration starts from."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from tests.model.turns import machine_alone, what_is_stored
from tests.model.world import beginning

from kubedrill.controller import turn


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No histories of other code than that which is there now; nobody reads ten thousand warnings and statuses."""
    beginning.cache_clear()
    monkeypatch.setattr(turn, "project", machine_alone)
    monkeypatch.setattr(turn, "gather", what_is_stored)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
    beginning.cache_clear()
