"""What watches is tried again at once."""

from __future__ import annotations

import pytest

from kubedrill.kube import watch


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody sits out the pauses between two tries."""
    monkeypatch.setattr(watch, "BACK_OFF", (0.01,))
