"""`kubectl drill doctor` says whether Alertmanager tells the operator, and whether people's pages are known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.measure.builders import drill_plan

from kubedrill.kube.answers import NoAnswer
from kubedrill.plugins.channels.alertmanager import notified

PLAN = drill_plan()
TELLS = f"receivers: [{{webhook_configs: [{{url: 'http://kubedrill.drills/alertmanager/{PLAN.target_namespace}'}}]}}]"


def configured(text: str) -> Any:
    async def ask(*_: Any) -> Any:
        return {"config": {"original": text}}

    return ask


async def silent(*_: Any) -> Any:
    raise NoAnswer("it answers 404")


async def test_where_peoples_receivers_are_named_there_is_nothing_to_say():
    check = await notified(configured(TELLS), replace(PLAN, people_receivers=frozenset({"pager"})))

    assert (check.ok, check.message) == (True, "")


async def test_where_they_are_not_it_is_said_that_no_page_is_known_and_which_field_to_set():
    check = await notified(configured(TELLS), PLAN)

    assert check.ok is True
    assert "when people are paged is not known" in check.message
    assert "alertmanager.receiversForPeople" in check.message


@pytest.mark.parametrize(
    ("ask", "ok", "reason"),
    [
        (configured("receivers: []"), False, "NoRoute"),
        (configured(7), False, "NoRoute"),  # type: ignore[arg-type]
        (silent, None, "AlertmanagerUnreachable"),
    ],
)
async def test_without_the_webhook_it_fails_and_without_an_answer_it_is_not_known(
    ask: Any, ok: bool | None, reason: str
):
    check = await notified(ask, PLAN)

    assert (check.ok, check.reason) == (ok, reason)
