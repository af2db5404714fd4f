"""The watchdog's process: its settings, its health, and that it ends when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest
from tests.observers.wire import until
from tests.watchdog.wire import Cluster, standing

from kubedrill.kube.client import Kube
from kubedrill.watchdog.http import make_app, serving
from kubedrill.watchdog.metrics import Tally
from kubedrill.watchdog.process import run
from kubedrill.watchdog.settings import WatchdogSettings


@pytest.fixture
async def cluster(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cluster]:
    """A cluster to which the process connects by itself."""
    async with standing() as (found, kube):

        async def connect() -> Kube:
            return kube

        monkeypatch.setattr(Kube, "connect", connect)
        monkeypatch.setattr("kubedrill.kube.clock.SPREAD", timedelta(0))
        yield found


def test_settings_come_from_the_environment():
    env = {"KUBEDRILL_NAMESPACE": "fire", "KUBEDRILL_WATCHDOG_PORT": "9", "KUBEDRILL_WATCHDOG_EVERY_MS": "250"}
    settings = WatchdogSettings.from_environment(env)
    assert (settings.namespace, settings.port, settings.every) == ("fire", 9, timedelta(milliseconds=250))


def test_each_setting_may_be_missing():
    assert WatchdogSettings.from_environment({}) == WatchdogSettings()


@pytest.mark.parametrize("value", ["0", "-5", "often"])
def test_there_must_be_time_between_two_looks(value: str):
    with pytest.raises(ValueError):  # noqa: PT011  the message of int() is Python's
        WatchdogSettings.from_environment({"KUBEDRILL_WATCHDOG_EVERY_MS": value})


@pytest.mark.parametrize(("trouble", "code", "text"), [("", 200, "ok\n"), ("no look", 503, "no look\n")])
async def test_health_says_what_is_wrong(trouble: str, code: int, text: str):
    async with serving(make_app(Tally(), lambda: trouble), 0, "127.0.0.1") as port, aiohttp.ClientSession() as web:
        answer = await web.get(f"http://127.0.0.1:{port}/healthz")
        assert (answer.status, await answer.text()) == (code, text)


async def test_metrics_are_in_the_text_format():
    async with serving(make_app(Tally(), str), 0, "127.0.0.1") as port, aiohttp.ClientSession() as web:
        answer = await web.get(f"http://127.0.0.1:{port}/metrics")
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert "kubedrill_watchdog_build_info" in await answer.text()


async def test_it_looks_until_it_is_told_to_stop(cluster: Cluster):
    cluster.fault()
    stop = asyncio.Event()
    process = asyncio.create_task(run(WatchdogSettings(port=0, every=timedelta(milliseconds=5)), stop))
    await until(lambda: not cluster.records())
    stop.set()
    async with asyncio.timeout(5):
        await process
    assert cluster.limit == "128Mi"
