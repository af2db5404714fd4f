"""What every exploration starts from."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from tests.model.world import beginning


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """No histories of other code than that which is there now; nobody reads ten thousand warnings."""
    beginning.cache_clear()
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
    beginning.cache_clear()
