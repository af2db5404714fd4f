"""One copy of the staging application, as seen from outside: through the API server alone."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import quote

T = TypeVar("T")

WORKERS: Final = "deployment/ai-agents-worker"
LIMIT: Final = "/spec/template/spec/containers/0/resources/limits/memory"
REQUEST: Final = "/spec/template/spec/containers/0/resources/requests/memory"


def kubectl(*arguments: str, given: str | None = None) -> str:
    """Run kubectl; what it wrote. A failure shows its complaint."""
    done = subprocess.run(["kubectl", *arguments], input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"kubectl {' '.join(arguments)}\n{done.stdout}{done.stderr}"
    return done.stdout


def until(look: Callable[[], T | None], within_seconds: float, what: str) -> T:
    """The first true answer; none in time is a failure."""
    deadline = time.monotonic() + within_seconds
    while True:
        if seen := look():
            return seen
        assert time.monotonic() < deadline, f"not within {within_seconds} s: {what}"
        time.sleep(0.5)


@dataclass(frozen=True)
class Figures:
    """One scrape: all of one instant."""

    queued: int
    in_flight: int
    produced: int
    processed: int

    @property
    def lost(self) -> int:
        """Jobs that came in and are nowhere any more."""
        return self.produced - self.processed - self.queued - self.in_flight


@dataclass(frozen=True)
class Copy:
    """One copy, by its namespace."""

    namespace: str

    def kubectl(self, *arguments: str, given: str | None = None) -> str:
        """Run kubectl in this copy's namespace."""
        return kubectl("-n", self.namespace, *arguments, given=given)

    def get(self, service: str, path: str) -> str:
        """Ask a service of this copy."""
        return kubectl("get", "--raw", f"/api/v1/namespaces/{self.namespace}/services/{service}/proxy{path}")

    def figures(self) -> Figures:
        """What the exporter says now."""
        lines = [line for line in self.get("exporter:9100", "/metrics").splitlines() if not line.startswith("#")]
        samples = {line.split("{")[0]: int(line.rsplit(" ", 1)[1]) for line in lines}
        names = ("queue_depth", "jobs_in_flight", "jobs_produced_total", "jobs_processed_total")
        return Figures(*(samples[name] for name in names))

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Ask this copy's Prometheus; the series of the answer."""
        answer = json.loads(self.get("prometheus:9090", f"/api/v1/query?query={quote(expression)}"))
        return list(answer["data"]["result"])

    def value(self, expression: str) -> float:
        """Ask for the one value of an expression."""
        (series,) = self.query(expression)
        return float(series["value"][1])

    def received(self, inbox: str) -> list[str]:
        """The alerts that came to the sink's ``pages`` or ``tickets``, as "name namespace status"."""
        kept = json.loads(self.get("page-sink:8080", f"/{inbox}"))
        return [
            f"{alert['labels']['alertname']} {alert['labels']['namespace']} {alert['status']}"
            for notification in kept
            for alert in notification["body"]["alerts"]
        ]

    def redis(self, *arguments: str) -> list[str]:
        """Run one Redis command; the lines of the answer."""
        return self.kubectl("exec", "deploy/redis", "--", "redis-cli", *arguments).splitlines()

    def workers(self) -> list[dict[str, Any]]:
        """The workers' pods."""
        return list(json.loads(self.kubectl("get", "pods", "-l", "app=ai-agents-worker", "-o", "json"))["items"])

    def replicas(self) -> int:
        """How many workers are asked for, whoever asks."""
        return int(self.kubectl("get", WORKERS, "-o", "jsonpath={.spec.replicas}"))

    def depth_that_the_hpa_sees(self) -> float:
        """The external metric of this namespace."""
        path = f"/apis/external.metrics.k8s.io/v1beta1/namespaces/{self.namespace}/queue_depth"
        (item,) = json.loads(kubectl("get", "--raw", path))["items"]
        return float(item["value"].removesuffix("m")) / (1000 if item["value"].endswith("m") else 1)

    def set_worker_memory(self, quantity: str) -> None:
        """Set limit and request of the workers."""
        patch = [{"op": "replace", "path": path, "value": quantity} for path in (LIMIT, REQUEST)]
        self.kubectl("patch", WORKERS, "--type=json", "-p", json.dumps(patch))


def oom_killed(pods: list[dict[str, Any]]) -> set[str]:
    """The pods whose container the kernel killed for its memory, now or before its last restart."""
    return {
        pod["metadata"]["name"]
        for pod in pods
        for container in pod["status"].get("containerStatuses", [])
        for state in (container.get("state", {}), container.get("lastState", {}))
        if (end := state.get("terminated")) and (end["reason"], end["exitCode"]) == ("OOMKilled", 137)
    }
