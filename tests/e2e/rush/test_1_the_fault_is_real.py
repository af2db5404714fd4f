"""What the cluster itself shows of the demo, without asking the operator."""

from __future__ import annotations

import json
from urllib.parse import quote

from tests.e2e.rush.conftest import NAMESPACE, Ran
from tests.e2e.staging.copies import kubectl


def test_the_demo_ends_well_whatever_the_players_are_worth(rush: Ran):
    assert rush.code == 0, rush.output


def test_at_least_three_workers_are_killed_by_the_kernel(rush: Ran):
    killed = rush.witness.killed()
    assert len(killed) >= 3, killed
    assert set(killed.values()) == {137}


def test_the_queue_passes_the_alerts_threshold_after_the_fault(rush: Ran):
    injected = rush.milestone("Injected").not_before
    before = [s.value for s in rush.witness.queue().samples if s.at < injected]
    after = [s.value for s in rush.witness.queue().samples if s.at > injected]
    assert before
    assert max(before) < 20
    assert max(after) > 50


def test_the_alert_fires_in_prometheus(rush: Ran):
    query = quote('max_over_time(ALERTS{alertname="HighQueueDepth",alertstate="firing"}[15m])')
    path = f"/api/v1/namespaces/{NAMESPACE}/services/prometheus:9090/proxy/api/v1/query?query={query}"
    assert json.loads(kubectl("get", "--raw", path))["data"]["result"]
    assert rush.drill["status"]["clockStartTime"]


def test_the_page_arrives_from_alertmanager(rush: Ran):
    pages = json.loads(kubectl("get", "--raw", f"/api/v1/namespaces/{NAMESPACE}/services/page-sink:8080/proxy/pages"))
    starts = {a["startsAt"] for page in pages for a in page["body"]["alerts"] if a["status"] == "firing"}
    assert any(start[:19] in str(rush.truth[0]["zero"]) or start[:19] == rush.truth[0]["zero"][:19] for start in starts)
    assert rush.milestone("Paged") == rush.milestone("Notified"), "people and the operator are told over one receiver"
