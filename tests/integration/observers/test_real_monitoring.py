"""The probe and the receiver against Debian's own Prometheus and Alertmanager, on loopback."""

# ruff: noqa: ASYNC110  Prometheus tells nobody when it has scraped or evaluated

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import pytest_asyncio
from aiohttp import web
from tests.integration.services import running
from tests.observers.builders import drill_plan
from tests.reverters.builders import free_port

from kubedrill.controller.gathering import FactInbox, MonitoringProbe
from kubedrill.controller.http import make_app, serve
from kubedrill.controller.http_client import WebClient
from kubedrill.controller.metrics import DrillCollector
from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.facts import Fact, FactKind
from kubedrill.core.plan.drill_plan import SteadyCheck
from kubedrill.kube.clock import ServerClock

CLOCK = ServerClock(timedelta(milliseconds=100))
SCRAPE = timedelta(seconds=1)
WITHIN = 20
TOKEN = "a-token"  # noqa: S105  a test's own
RULE = {"alert": "High", "expr": "max(last_over_time(depth[15s])) > 50", "for": "1s", "labels": {"severity": "page"}}


# two real servers take seconds to start and to have scraped: once for all tests, which tell what they want of them
pytestmark = pytest.mark.asyncio(loop_scope="module")


class Gauge:
    """What Prometheus scrapes: a queue of a depth that the test sets."""

    def __init__(self):
        self.depth = 3

    async def answer(self, _request):
        return web.Response(text=f"depth {self.depth}\nin_flight 2\n")


class Site:
    """Everything that runs, and a probe of it."""

    def __init__(self, gauge, ports, inbox):
        self.gauge, self.inbox = gauge, inbox
        self._web = WebClient(lambda endpoint: f"http://127.0.0.1:{ports[endpoint.name]}")
        self.asked_from_now_on()

    def asked_from_now_on(self):
        self.gauge.depth, self._started = 3, CLOCK.now()
        self._monitoring = MonitoringProbe(self._web.fetch, CLOCK)

    async def probe(self, **wanted):
        return await self._monitoring.probe(drill_plan(**wanted), self._started)

    async def fact(self, kind, **wanted):
        async with asyncio.timeout(WITHIN):
            while True:
                found = [f for f in (await self.probe(**wanted)).facts if f.kind is kind]
                if found:
                    return found[-1]
                await asyncio.sleep(0.2)

    async def close(self):
        await self._web.close()


def answers(port):
    def ready():
        try:
            with urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=1) as answer:
                return answer.status == 200
        except (URLError, OSError):
            return False

    return ready


def prometheus_config(folder, target, alertmanager):
    rules = folder / "rules.yml"
    rules.write_text(json.dumps({"groups": [{"name": "g", "rules": [RULE]}]}))
    config = folder / "prometheus.yml"
    config.write_text(
        json.dumps(
            {
                "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
                "rule_files": [str(rules)],
                "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager}"]}]}]},
                "scrape_configs": [{"job_name": "app", "static_configs": [{"targets": [f"127.0.0.1:{target}"]}]}],
            }
        )
    )
    return config


def alertmanager_config(folder, receiver):
    hook = {
        "url": f"http://127.0.0.1:{receiver}/alertmanager/shop",
        "http_config": {"authorization": {"credentials": TOKEN}},
    }
    config = folder / "alertmanager.yml"
    config.write_text(
        json.dumps(
            {
                "route": {
                    "receiver": "operator",
                    "group_by": ["alertname"],
                    "group_wait": "0s",
                    "group_interval": "1s",
                },
                "receivers": [{"name": "operator", "webhook_configs": [hook]}],
            }
        )
    )
    return config


@asynccontextmanager
async def sited(folder):
    gauge, inbox = Gauge(), FactInbox()
    app = web.Application()
    app.router.add_get("/metrics", gauge.answer)

    async def store(_namespace: str, facts: tuple[Fact, ...]) -> None:
        inbox.add(facts)

    async def about(namespace: str) -> About:
        return About(namespace)

    receiver = make_app(TOKEN, store, about, DrillCollector(list, CLOCK.now), str, CLOCK)
    ports = {"prometheus": free_port(), "alertmanager": free_port()}
    async with serve(app, 0, "127.0.0.1") as target, serve(receiver, 0, "127.0.0.1") as hook:
        am = [
            f"--config.file={alertmanager_config(folder, hook)}",
            f"--storage.path={folder}/am",
            f"--web.listen-address=127.0.0.1:{ports['alertmanager']}",
            "--cluster.listen-address=",
        ]
        prom = [
            f"--config.file={prometheus_config(folder, target, ports['alertmanager'])}",
            f"--storage.tsdb.path={folder}/tsdb",
            f"--web.listen-address=127.0.0.1:{ports['prometheus']}",
        ]
        with (
            running("prometheus-alertmanager", *am, answers=answers(ports["alertmanager"])),
            running("prometheus", *prom, answers=answers(ports["prometheus"])),
        ):
            site = Site(gauge, ports, inbox)
            try:
                yield site
            finally:
                await site.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def servers(tmp_path_factory):
    async with sited(tmp_path_factory.mktemp("monitoring")) as site:
        yield site


@pytest.fixture
def site(servers):
    """What runs, asked anew from here on."""
    servers.asked_from_now_on()
    return servers


async def settled(site, samples, **wanted):
    """A probe once the impact has this many samples."""
    async with asyncio.timeout(WITHIN):
        while len((probe := await site.probe(**wanted)).impact.samples) < samples:
            await asyncio.sleep(0.2)
    return probe


async def taken(inbox, kind):
    facts: list[Fact] = []
    async with asyncio.timeout(WITHIN):
        while kind not in {f.kind for f in facts}:
            facts.extend(inbox.drain())
            await asyncio.sleep(0.1)
    return facts


async def test_a_checks_value_is_what_prometheus_says_at_the_instants_of_its_scrapes(site):
    told_by_raw_samples = {"depth": 3, "depth + in_flight": 5, "sum(depth)": 3, "(4 - (depth < 4)) or (0 * depth)": 1}
    expected = told_by_raw_samples | {"depth * in_flight": 6}
    steady = tuple(SteadyCheck(query, query, below=100) for query in expected)
    probe = await settled(site, 4, impact="depth", steady=steady)
    assert probe.reachable, probe.error
    scraped = {s.at for s in probe.impact.samples}
    for query, value in expected.items():
        series = probe.steady[query]
        assert {s.value for s in series.samples} == {value}
        assert abs(series.step - SCRAPE) < timedelta(milliseconds=100)
        assert ({s.at for s in series.samples} <= scraped) is (query in told_by_raw_samples)


async def test_an_alert_from_its_cause_to_its_page_and_its_end(site):
    await settled(site, 3, impact="depth")
    before, site.gauge.depth = CLOCK.now(), 120
    pending = await site.fact(FactKind.ALERT_PENDING)
    fired = await site.fact(FactKind.ALERT_FIRING)
    assert before < pending.at.not_after < fired.at.not_after
    assert fired.at.not_before - before < timedelta(seconds=6)

    probe = await site.probe(impact="depth")
    assert probe.firing == {"High"}
    low = max(s.at for s in probe.impact.samples if s.value < 50)
    high = min(s.at for s in probe.impact.samples if s.value > 50)
    assert low <= before + CLOCK.error
    assert before - CLOCK.error <= high
    assert high - low < 2 * SCRAPE
    assert probe.rules["High"].whole.better == 'as max(last_over_time(depth{namespace=~"shop|"}[15s])) falls'

    told = await taken(site.inbox, FactKind.NOTIFIED)
    (paged,) = (f for f in told if f.kind is FactKind.NOTIFIED)
    (same,) = (f for f in told if f.kind is FactKind.ALERT_FIRING)
    assert same.at.intersection(fired.at) is not None
    assert paged.at.not_after >= fired.at.not_before

    site.gauge.depth = 0
    async with asyncio.timeout(WITHIN):
        while (probe := await site.probe(impact="depth")).firing:
            await asyncio.sleep(0.2)
    assert FactKind.ALERT_RESOLVED in {f.kind for f in probe.facts}
