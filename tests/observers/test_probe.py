import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.observers.builders import MINUTE, drill_plan

from kubedrill.api.faults import Fault
from kubedrill.controller.before_start import BASELINE
from kubedrill.controller.gathering import MonitoringProbe
from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.plan.drill_plan import ImpactFall, RuleImpact, SteadyCheck
from kubedrill.kube.client import Unreachable
from kubedrill.kube.clock import ServerClock

CLOCK = ServerClock(timedelta(0))
HIGH = {"type": "alerting", "name": "High", "query": "max(last_over_time(depth[15s])) > 50"}
RULES = {"status": "success", "data": {"groups": [{"interval": 1, "rules": [HIGH]}]}}


def matrix(*series):
    result = [{"metric": labels, "values": [[t, str(v)] for t, v in points]} for labels, points in series]
    return {"status": "success", "data": {"resultType": "matrix", "result": result}}


class FakeMonitoring:
    """Prometheus and Alertmanager as one function: answers by the start of the query, or no answer."""

    def __init__(self):
        self.now = CLOCK.now().timestamp()
        self.answers = {"ALERTS": matrix()}
        self.rules, self.alerts, self.down = RULES, [], False
        self.asked: list[str] = []

    def points(self, *values: float, back: float = 0):
        """Samples a second apart, the last one `back` seconds ago."""
        last = self.now - back
        return [(last - len(values) + 1 + n, v) for n, v in enumerate(values)]

    async def __call__(self, endpoint, path, query, read, _turn):
        if self.down and endpoint.name == "prometheus":
            raise Unreachable("connection refused")
        if path == "/api/v1/rules":
            return read(self.rules)
        if path == "/api/v2/alerts":
            return read(self.alerts)
        asked = dict(query)["query"]
        self.asked.append(asked)
        return read(next((a for start, a in self.answers.items() if asked.startswith(start)), matrix()))


@pytest.fixture
def fake():
    return FakeMonitoring()


def since():
    return CLOCK.now() - timedelta(seconds=60)


async def test_a_firing_alert_is_a_fact_and_is_firing_now(fake):
    labels = {"__name__": "ALERTS", "alertname": "High", "alertstate": "firing"}
    fake.answers["ALERTS"] = matrix((labels, fake.points(1, 1, 1)))
    probe = await MonitoringProbe(fake, CLOCK).probe(drill_plan(), since())
    assert probe.reachable
    assert probe.firing == {"High"}
    assert [f.kind for f in probe.facts] == [FactKind.ALERT_FIRING]


def fired_until(fake, back: float, *, evaluated: float):
    """High fired until `back` seconds ago; its rule was evaluated last `evaluated` seconds ago."""
    labels = {"__name__": "ALERTS", "alertname": "High", "alertstate": "firing"}
    fake.answers["ALERTS"] = matrix((labels, fake.points(1, 1, 1, back=back)))
    last = datetime.fromtimestamp(fake.now - evaluated, UTC).isoformat()
    rule = HIGH | {"lastEvaluation": last}
    fake.rules = {"status": "success", "data": {"groups": [{"interval": 1, "rules": [rule]}]}}


@pytest.mark.parametrize(("is_gone", "ends"), [(False, True), (True, False)])
async def test_an_alert_ends_when_its_rule_is_evaluated_to_nothing_and_not_when_the_rule_is_removed(
    fake, is_gone, ends
):
    """To remove the rule makes it silent, and proves nothing."""
    monitoring = MonitoringProbe(fake, CLOCK)
    fired_until(fake, 30, evaluated=30)
    before = await monitoring.probe(drill_plan(), since())
    assert before.firing == {"High"}
    fired_until(fake, 30, evaluated=0)
    if is_gone:
        fake.rules = {"status": "success", "data": {"groups": []}}
    probe = await monitoring.probe(drill_plan(), since())
    assert probe.reachable
    assert (FactKind.ALERT_RESOLVED in {f.kind for f in probe.facts}) is ends
    assert ("High" in probe.firing) is not ends


async def test_a_rule_that_was_gone_when_first_looked_for_tells_no_end_either(fake):
    fired_until(fake, 30, evaluated=0)
    fake.rules = {"status": "success", "data": {"groups": []}}
    probe = await MonitoringProbe(fake, CLOCK).probe(drill_plan(), since())
    assert [f.kind for f in probe.facts] == [FactKind.ALERT_FIRING]


async def test_raw_samples_of_the_impact_keep_their_own_instants(fake):
    fake.answers["depth"] = matrix(({"__name__": "depth"}, fake.points(3, 4, 5, back=0.3)))
    probe = await MonitoringProbe(fake, CLOCK).probe(drill_plan(impact="depth"), since())
    assert [s.value for s in probe.impact.samples] == [3, 4, 5]
    assert probe.impact.samples[-1].at.timestamp() == pytest.approx(fake.now - 0.3)
    assert probe.impact.step == timedelta(seconds=1)


async def test_before_the_start_one_looks_back_far_enough_to_know_how_rarely_something_is_scraped(fake):
    points = [(fake.now - 59 - 60 * n, 5) for n in range(10) if timedelta(seconds=59 + 60 * n) <= BASELINE]
    fake.answers["depth"] = matrix(({"__name__": "depth"}, points[::-1]))
    probe = await MonitoringProbe(fake, CLOCK).probe(drill_plan(impact="depth"), CLOCK.now() - BASELINE)
    assert probe.impact.step == timedelta(seconds=60)


async def test_the_impact_is_derived_from_the_alerts_own_rule(fake):
    fake.answers["depth"] = matrix(({"__name__": "depth"}, fake.points(49, 51, 60)))
    monitoring = MonitoringProbe(fake, CLOCK)
    first = await monitoring.probe(drill_plan(), since())
    assert first.rules["High"].whole.better == 'as max(last_over_time(depth{namespace=~"shop|"}[15s])) falls'
    second = await monitoring.probe(drill_plan(), since())
    assert [s.value for s in second.impact.samples] == [0, 51, 60]


def firing(fake, **labels):
    """An alert that fires, about what these labels say."""
    names = {"__name__": "ALERTS", "alertname": "High", "alertstate": "firing", "namespace": "shop", **labels}
    return names, fake.points(1, 1, 1)


def derived(*rules: RuleImpact, query: str = "unavailable > 0 or 0 * unavailable"):
    return replace(drill_plan(), impact=ImpactFall(query, MINUTE, 0, 10, alert="High", rules=rules))


async def test_once_an_alert_has_fired_the_impact_is_that_of_what_it_fired_about(fake):
    ours, other = ({"namespace": "shop", "deployment": n, "instance": "ksm"} for n in ("app", "reports"))
    fake.answers["unavailable"] = matrix((ours, fake.points(0, 2, 2)), (other, fake.points(3, 3, 0)))
    monitoring = MonitoringProbe(fake, CLOCK)
    before = await monitoring.probe(derived(), since())
    fake.answers["ALERTS"] = matrix(firing(fake, deployment="app", instance="another"))
    after = await monitoring.probe(derived(), since())

    assert [s.value for s in before.impact.samples] == [3, 5, 2]
    assert [s.value for s in after.impact.samples] == [0, 2, 2]


async def test_an_operator_that_was_started_anew_knows_whose_trouble_it_is_from_its_first_probe_on(fake):
    fake.answers["unavailable"] = matrix(
        ({"deployment": "app"}, fake.points(0, 2, 2)), ({"deployment": "reports"}, fake.points(3, 3, 0))
    )
    fake.answers["ALERTS"] = matrix(firing(fake, deployment="app"))

    probe = await MonitoringProbe(fake, CLOCK).probe(derived(), since())
    assert [s.value for s in probe.impact.samples] == [0, 2, 2]


async def test_while_it_is_not_known_what_fired_nobodys_trouble_is_told(fake):
    fake.answers["unavailable"] = matrix(({"deployment": "app"}, fake.points(0, 2, 2)))
    fake.answers["ALERTS"] = {"status": "error", "error": "query timed out"}

    probe = await MonitoringProbe(fake, CLOCK).probe(derived(), since())
    assert probe.impact.samples == ()


async def test_a_pod_that_fired_and_is_gone_is_no_sign_of_being_well(fake):
    new = {"namespace": "shop", "pod": "app-new"}
    fake.answers["unavailable"] = matrix((new, fake.points(2, 2, 2)))
    fake.answers["ALERTS"] = matrix(firing(fake, pod="app-old"))

    probe = await MonitoringProbe(fake, CLOCK).probe(derived(), since())
    assert [s.value for s in probe.impact.samples] == [2, 2, 2]


async def test_a_label_that_the_rule_gives_its_alerts_is_none_of_the_series(fake):
    rule = RuleImpact("unavailable > 0 or 0 * unavailable", {"service": "payments", "severity": "{{ $labels.x }}"})
    fake.answers["unavailable"] = matrix(({"service": "kube-state-metrics"}, fake.points(2, 2, 2)))
    fake.answers["ALERTS"] = matrix(firing(fake, service="payments", severity="page"))

    probe = await MonitoringProbe(fake, CLOCK).probe(derived(rule), since())
    assert [s.value for s in probe.impact.samples] == [2, 2, 2]


async def test_b6_of_two_rules_of_one_name_the_impact_is_that_of_the_one_that_fired(fake):
    pods = RuleImpact("unavailable > 0 or 0 * unavailable", {"severity": "critical"})
    disk = RuleImpact("disk > 90 or 0 * disk", {"severity": "warning"})
    design = derived(pods, disk, query="count_of_both")
    fake.answers["unavailable"] = matrix(({"namespace": "shop"}, fake.points(0, 2, 2)))
    fake.answers["ALERTS"] = matrix(firing(fake, severity="critical"))

    probe = await MonitoringProbe(fake, CLOCK).probe(design, since())
    assert [s.value for s in probe.impact.samples] == [0, 2, 2]


async def test_later_probes_ask_for_the_newest_samples_and_keep_the_others(fake):
    monitoring, start = MonitoringProbe(fake, CLOCK), CLOCK.now() - timedelta(minutes=30)
    fake.answers["depth"] = matrix(({}, fake.points(3, 4, back=600)))
    await monitoring.probe(drill_plan(impact="depth"), start)
    fake.answers["depth"] = matrix(({}, fake.points(5)))
    probe = await monitoring.probe(drill_plan(impact="depth"), start)
    assert [s.value for s in probe.impact.samples] == [3, 4, 5]
    asked = [int(q.removeprefix("depth[").removesuffix("s]")) for q in fake.asked if q.startswith("depth[")]
    assert asked[0] >= 1800
    assert asked[1] < 60


async def test_an_expression_is_evaluated_by_prometheus(fake):
    fake.answers["(rate(jobs[1m]))"] = matrix(({}, fake.points(1, 2)))
    check = SteadyCheck("drains", "rate(jobs[1m])", above=0.5)
    probe = await MonitoringProbe(fake, CLOCK).probe(drill_plan(steady=(check,)), since())
    assert [s.value for s in probe.steady["drains"].samples] == [1, 2]


async def test_series_of_different_scrapes_are_left_to_prometheus_from_then_on(fake):
    fake.answers["up["] = matrix(({"pod": "a"}, fake.points(1, 1)), ({"pod": "b"}, fake.points(1, 1, back=0.4)))
    fake.answers["(up)"] = matrix(({"pod": "a"}, fake.points(1, 1)), ({"pod": "b"}, fake.points(1, 1)))
    monitoring, check = MonitoringProbe(fake, CLOCK), SteadyCheck("up", "up", above=1)
    for _ in range(2):
        probe = await monitoring.probe(drill_plan(steady=(check,)), since())
    assert [s.value for s in probe.steady["up"].samples] == [2, 2]
    assert sum(q.startswith("up[") for q in fake.asked) == 1


async def test_no_data_is_an_empty_series_and_not_an_error(fake):
    probe = await MonitoringProbe(fake, CLOCK).probe(
        drill_plan(steady=(SteadyCheck("q", "nothing", below=1),)), since()
    )
    assert probe.reachable
    assert probe.steady["q"].samples == ()


async def test_a_query_that_is_refused_makes_the_probe_unreachable_with_its_reason(fake):
    fake.answers["(rate("] = {"status": "error", "error": "query timed out"}
    check = SteadyCheck("slow", "rate(jobs[1m])", below=1)
    probe = await MonitoringProbe(fake, CLOCK).probe(drill_plan(steady=(check,)), since())
    assert not probe.reachable
    assert "query timed out" in probe.error


async def test_a_prometheus_that_is_away_leaves_what_was_read_before(fake):
    fake.answers["depth"] = matrix(({}, fake.points(3, 4)))
    monitoring = MonitoringProbe(fake, CLOCK)
    await monitoring.probe(drill_plan(impact="depth"), since())
    fake.down = True
    probe = await monitoring.probe(drill_plan(impact="depth"), since())
    assert not probe.reachable
    assert "connection refused" in probe.error
    assert [s.value for s in probe.impact.samples] == [3, 4]


async def test_an_alert_does_not_end_because_prometheus_is_away(fake):
    labels = {"__name__": "ALERTS", "alertname": "High", "alertstate": "firing"}
    fake.answers["ALERTS"] = matrix((labels, fake.points(1, 1, 1, back=30)))
    fake.rules = json.loads(json.dumps(RULES))
    last = (CLOCK.now() - timedelta(seconds=30)).isoformat()
    fake.rules["data"]["groups"][0]["rules"][0]["lastEvaluation"] = last
    monitoring = MonitoringProbe(fake, CLOCK)
    await monitoring.probe(drill_plan(), since())
    fake.down = True
    probe = await monitoring.probe(drill_plan(), since())
    assert probe.firing == {"High"}
    assert [f.kind for f in probe.facts] == [FactKind.ALERT_FIRING]


async def test_an_alert_that_the_drill_announces_is_known_from_alertmanager(fake):
    fake.alerts = [
        {
            "labels": {"alertname": "High"},
            "startsAt": CLOCK.now().isoformat(),
            "fingerprint": "f",
            "status": {"state": "active"},
        }
    ]
    announced = Fault.model_validate({"name": "page", "alert": {"alert": "High"}})
    probe = await MonitoringProbe(fake, CLOCK).probe(drill_plan(faults=(announced,)), since())
    assert probe.firing == {"High"}
    assert [f.detail["drill"] for f in probe.facts] == [True]


async def test_working_sets_are_asked_for_where_a_fault_must_know_them(fake):
    fake.answers["min by (container)"] = {
        "status": "success",
        "data": {
            "resultType": "vector",
            "result": [{"metric": {"container": "worker"}, "value": [fake.now, "83886080"]}],
        },
    }
    limit = {"target": {"kind": "Deployment", "name": "worker"}}
    design = drill_plan(faults=(Fault.model_validate({"name": "limit", "memoryLimit": limit}),))
    assert (await MonitoringProbe(fake, CLOCK).working_sets(design))["worker"].bytes == 80 * 1024 * 1024
    assert await MonitoringProbe(fake, CLOCK).working_sets(drill_plan()) == {}
