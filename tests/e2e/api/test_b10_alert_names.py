"""B10: the API server takes alerts that are called by a sentence, up to a bound, and says where that is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.e2e.api.test_messages import drill

from kubedrill.api.base import LONGEST_ALERT_NAME

Apply = Callable[[dict[str, Any]], str]
SENTENCE = "Checkout service - less than two pods available (customer facing, page)"


def expecting(name: str) -> dict[str, Any]:
    def change(spec: dict[str, Any]) -> None:
        spec["scenario"]["expectedAlerts"] = [{"name": name}]
        spec["stopWhen"] = [{"name": "other", "alert": name}]

    return drill(change)


@pytest.mark.parametrize("name", [SENTENCE, "x" * LONGEST_ALERT_NAME, "Zu wenige Läufer („Kasse“)"])
def test_b10_an_alert_may_be_called_so(apply: Apply, name: str):
    assert apply(expecting(name)) == ""


def test_b10_a_longer_name_is_refused_with_the_bound(apply: Apply):
    said = apply(expecting("x" * (LONGEST_ALERT_NAME + 1)))
    assert "spec.scenario.expectedAlerts[0].name: Too long" in said
    assert str(LONGEST_ALERT_NAME) in said


def test_b10_a_name_of_two_lines_is_refused_in_a_sentence(apply: Apply):
    assert "write it without control characters" in apply(expecting("two\nlines"))
