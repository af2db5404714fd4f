"""A plain Deployment with one alert of its own: no queue, no autoscaler, a Prometheus of three lines."""

from __future__ import annotations

import json
from typing import Any

import yaml

SHOP = "shop-staging"
APP = "checkout"
GOOD = "80Mi"
PROMETHEUS = {
    "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
    "rule_files": ["/etc/prometheus/shop/rules.yml"],
    "scrape_configs": [
        {
            "job_name": APP,
            "dns_sd_configs": [
                {"names": [f"{APP}.{SHOP}.svc.cluster.local"], "type": "A", "port": 8000, "refresh_interval": "1s"}
            ],
        }
    ],
}
RULES = {
    "groups": [
        {
            "name": "shop",
            "rules": [
                {"alert": "CheckoutErrorsHigh", "expr": f'3 - sum(up{{job="{APP}"}}) > 0', "for": "2s"},
                {"alert": "NeverFires", "expr": "vector(0) > 1"},
            ],
        }
    ]
}
SERVE = """
import http.server
held = b"x" * (44 << 20)
class Shop(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(b"open_carts 1\\n")
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("", 8000), Shop).serve_forever()
"""


def deployment(name: str, replicas: int, container: dict[str, Any], **pod: Any) -> dict[str, Any]:
    """A Deployment of one container."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": SHOP},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"terminationGracePeriodSeconds": 0, "containers": [{"name": name} | container]} | pod,
            },
        },
    }


def service(name: str, port: int, **spec: Any) -> dict[str, Any]:
    """Its Service."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": SHOP},
        "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": port}]} | spec,
    }


def manifests() -> str:
    """Everything, as one list."""
    resources = {"limits": {"memory": GOOD}, "requests": {"memory": GOOD}}
    app = deployment(
        APP,
        3,
        {
            "image": "localhost/kubedrill/staging-app:dev",
            "command": ["python3", "-c", SERVE],
            "workingDir": "/etc",
            "resources": resources,
            "readinessProbe": {"httpGet": {"path": "/", "port": 8000}, "periodSeconds": 1},
        },
    )
    files = {"prometheus.yml": yaml.safe_dump(PROMETHEUS), "rules.yml": yaml.safe_dump(RULES)}
    named = {"name": "prometheus", "namespace": SHOP}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": named, "data": files}
    mounts = [{"name": "config", "mountPath": "/etc/prometheus/shop"}, {"name": "data", "mountPath": "/data"}]
    prometheus = deployment(
        "prometheus",
        1,
        {
            "image": "localhost/kubedrill/services:dev",
            "command": ["prometheus", "--config.file=/etc/prometheus/shop/prometheus.yml", "--storage.tsdb.path=/data"],
            "volumeMounts": mounts,
            "readinessProbe": {"httpGet": {"path": "/-/ready", "port": 9090}, "periodSeconds": 1},
        },
        volumes=[{"name": "config", "configMap": {"name": "prometheus"}}, {"name": "data", "emptyDir": {}}],
    )
    headless = service(APP, 8000, clusterIP="None", publishNotReadyAddresses=True)
    items = [config, app, headless, prometheus, service("prometheus", 9090)]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


def fourteen_lines(name: str, **spec: Any) -> dict[str, Any]:
    """The shortest drill, as the README shows it."""
    return {
        "apiVersion": "kubedrill.dev/v1alpha1",
        "kind": "Drill",
        "metadata": {"name": name, "namespace": "drills"},
        "spec": {
            "targetNamespace": SHOP,
            "desired": "Hold",
            "scenario": {
                "title": "Checkout out of memory after a deploy",
                "faults": [{"name": "limit", "memoryLimit": {"target": {"kind": "Deployment", "name": APP}}}],
                "expectedAlerts": [{"name": "CheckoutErrorsHigh"}],
                "groundTruth": {"severity": "P2"},
            },
            "players": [
                {"name": "alice", "role": "L1", "identities": {"kubernetes": "alice@example.com"}},
                {"name": "tom", "role": "Engineering", "identities": {"kubernetes": "tom@example.com"}},
            ],
        }
        | spec,
    }
