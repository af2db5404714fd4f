"""A real Prometheus whose rule is edited while its alert fires: the alert falls silent, and has not ended."""

# ruff: noqa: ASYNC110  Prometheus tells nobody when it has evaluated

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from tests.integration.observers.test_real_monitoring import answers
from tests.integration.services import running
from tests.observers.builders import drill_plan
from tests.reverters.builders import free_port

from kubedrill.controller.gathering import MonitoringProbe
from kubedrill.controller.http_client import WebClient
from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.kube.answers import instant_of_text
from kubedrill.kube.clock import ServerClock

CLOCK = ServerClock(timedelta(milliseconds=100))
WITHIN = 60
TRUE, SILENT = "vector(60) > 50", "vector(60) > 5000"


class Edited:
    """A Prometheus of one rule that is true, and a drill's probe of it."""

    def __init__(self, folder: Path, port: int) -> None:
        self._rules, self._started, self._port = folder / "rules.yml", CLOCK.now(), port
        self._web = WebClient(lambda _endpoint: f"http://127.0.0.1:{port}")
        self._monitoring = MonitoringProbe(self._web.fetch, CLOCK)
        self.process: subprocess.Popen[bytes] | None = None
        self.plan = drill_plan()

    def load(self, expression: str) -> None:
        rule = {"alert": "High", "expr": expression, "labels": {"severity": "page"}}
        self._rules.write_text(json.dumps({"groups": [{"name": "g", "rules": [rule]}]}))
        if self.process:
            self.process.send_signal(signal.SIGHUP)

    async def probe(self) -> Any:
        return await self._monitoring.probe(self.plan, self._started)

    async def planned(self) -> DrillPlan:
        """The plan once it says which rule it means."""
        async with asyncio.timeout(WITHIN):
            while "High" not in (rules := (await self.probe()).rules):
                await asyncio.sleep(0.2)
        alerts = (replace(alert, rule=rules["High"].identity) for alert in self.plan.alerts)
        return replace(self.plan, alerts=tuple(alerts))

    async def tells(self, kind: FactKind, number: int = 1) -> list[FactKind]:
        """What was told of the alert by the time at which this kind was told so many times."""
        async with asyncio.timeout(WITHIN):
            while (kinds := [f.kind for f in (await self.probe()).facts]).count(kind) < number:
                await asyncio.sleep(0.2)
        return kinds

    async def goes_on(self, seconds: float) -> list[FactKind]:
        """What is told once the loaded rule was evaluated for so long."""
        since = CLOCK.now()
        async with asyncio.timeout(WITHIN):
            while self._evaluated() - since < timedelta(seconds=seconds):
                await asyncio.sleep(0.2)
        return [f.kind for f in (await self.probe()).facts]

    def _evaluated(self) -> datetime:
        """When the rule was evaluated last; before the first time Prometheus says year 1."""
        with urlopen(f"http://127.0.0.1:{self._port}/api/v1/rules", timeout=5) as answer:
            groups = json.load(answer)["data"]["groups"]
        return instant_of_text(groups[0]["rules"][0]["lastEvaluation"]) or self._started

    async def close(self) -> None:
        await self._web.close()


@asynccontextmanager
async def edited(folder: Path) -> AsyncIterator[Edited]:
    port = free_port()
    config = folder / "prometheus.yml"
    one = Edited(folder, port)
    one.load(TRUE)
    config.write_text(json.dumps({"global": {"evaluation_interval": "1s"}, "rule_files": [str(folder / "rules.yml")]}))
    options = (
        f"--config.file={config}",
        f"--storage.tsdb.path={folder}/tsdb",
        f"--web.listen-address=127.0.0.1:{port}",
    )
    with running("prometheus", *options, answers=answers(port)) as one.process:
        try:
            yield one
        finally:
            await one.close()


@pytest.fixture
async def rule(tmp_path: Path) -> AsyncIterator[Edited]:
    async with edited(tmp_path) as one:
        one.plan = await one.planned()
        yield one


async def test_its_alert_has_not_ended_until_the_rule_is_back_and_false(rule: Edited):
    await rule.tells(FactKind.ALERT_FIRING)

    rule.load(SILENT)
    await rule.tells(FactKind.RULE_CHANGED)
    assert FactKind.ALERT_RESOLVED not in await rule.goes_on(4)

    rule.load(TRUE)
    told = await rule.tells(FactKind.ALERT_FIRING, 2)
    assert told.count(FactKind.RULE_AS_PLANNED) == 2


async def test_a_reload_that_changes_nothing_is_no_change(rule: Edited):
    await rule.tells(FactKind.ALERT_FIRING)
    for _ in range(2):
        rule.load(TRUE)
        assert FactKind.RULE_CHANGED not in await rule.goes_on(2)
