"""Each query of the dashboard gives data once a drill was run beside the Prometheus that is asked.

The staging namespace's Prometheus scrapes the operator. It is asked through the API server, as KUBECONFIG says.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.e2e.rush.conftest import NAMESPACE, Ran
from tests.monitoring.dashboard import Query, queries

WINDOW_SECONDS = 2 * 3600
STEP_SECONDS = 10


def prometheus(path: str, **parameters: str) -> Any:
    """The answer of the staging app's Prometheus. No cluster is a failure."""
    service = f"/api/v1/namespaces/{NAMESPACE}/services/prometheus:9090/proxy/api/v1/{path}"
    asked = ["kubectl", "get", "--raw", f"{service}?{urlencode(parameters)}"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["data"]


@pytest.fixture(scope="module")
def now(rush: Ran) -> float:
    """Prometheus' own clock, when the drill is over."""
    assert rush.drill
    return float(prometheus("query", query="time()")["result"][0])


@pytest.fixture(scope="module")
def latest(now: float) -> Mapping[str, str]:
    """The dashboard's variables as they stand when somebody picks the drill that began last."""
    began = prometheus(
        "query",
        query="topk(1, max by (namespace, drill) (max_over_time(kubedrill_drill_start_timestamp_seconds"
        f"[{WINDOW_SECONDS}s])))",
        time=f"{now}",
    )["result"]
    assert began, "no drill is known to Prometheus"
    return {name: began[0]["metric"][name] for name in ("namespace", "drill")}


@pytest.mark.parametrize("query", queries(), ids=lambda q: f"{q.panel} {q.ref}")
def test_each_query_gives_data(query: Query, latest: Mapping[str, str], now: float):
    span = {"start": f"{now - WINDOW_SECONDS}", "end": f"{now}", "step": f"{STEP_SECONDS}"}
    found = prometheus("query_range", query=query.filled(latest), **span)["result"]
    values = [sample[1] for series in found for sample in series["values"]]
    assert set(values) - {"NaN"}, query.filled(latest)
