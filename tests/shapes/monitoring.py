"""The monitoring of the drills: the exporter, one Prometheus with the rules of all plays, one Alertmanager (`paging`).

It sends how long each shop's queue is to the Prometheus by which the cluster's autoscalers go, under the name that they
know it by.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml
from tests.shapes.catalogue import Play
from tests.shapes.paging import MOUNTED, TOKEN, alertmanager, inhibiting

NAMESPACE: Final = "shapes-monitoring"
EXPORTER: Final = f"/api/v1/namespaces/{NAMESPACE}/services/exporter:8000/proxy/metrics"
LABEL: Final = "kubedrill-shapes"
APP_IMAGE, SERVICES_IMAGE = "localhost/kubedrill/staging-app:dev", "localhost/kubedrill/services:dev"
FOR_AUTOSCALERS: Final = {
    "url": "http://prometheus.kubedrill-metrics.svc:9090/api/v1/write",
    "remote_timeout": "5s",
    "write_relabel_configs": [
        {"source_labels": ["__name__", "job"], "regex": "shop_queue_depth;shops", "action": "keep"},
        {"target_label": "__name__", "replacement": "queue_depth"},
    ],
    "queue_config": {"max_shards": 1, "batch_send_deadline": "1s"},
    "metadata_config": {"send": False},
}


PODS: Final = 'job="pods"'
"""In the expression of an alert: it asks the pods themselves, which are looked for by the shop's name then."""


def rules(plays: Sequence[Play]) -> dict[str, Any]:
    """A group of rules for each play."""
    return {"groups": [{"name": play.name, "rules": list(_rules_of(play))} for play in plays]}


def _rules_of(play: Play) -> list[dict[str, Any]]:
    shape = play.shape
    found: list[dict[str, Any]] = [
        {"record": name, "expr": play.of_its_namespace(expr)} for name, expr in shape.records.items()
    ]
    alert: dict[str, Any] = {
        "alert": play.alert,
        "expr": play.of_its_namespace(shape.expr),
        "for": f"{shape.pending}s",
    }
    if shape.labelled and shape.label == "namespace" and not shape.neighbour:
        alert["labels"] = {"namespace": play.namespace}
    if shape.keep:
        alert["keep_firing_for"] = f"{shape.keep}s"
    found.append(alert)
    if shape.second:
        found.append({**alert, "expr": play.of_its_namespace(shape.second), "labels": {"severity": "warning"}})
    if shape.withheld == "inhibition":
        found.append({"alert": inhibiting(play), "expr": "vector(1)"})
    return found


def prometheus(plays: Sequence[Play]) -> dict[str, Any]:
    """What it scrapes: the exporter twice (with its labels as they are, and not), and the shops' pods themselves."""
    at = [{"targets": ["exporter:8000"]}]
    names = [f"app.{play.namespace}.svc.cluster.local." for play in plays if PODS in play.shape.expr]
    shop = {"source_labels": ["__meta_dns_name"], "regex": r"app\.([^.]+)\..*", "target_label": "namespace"}
    found = {"names": names, "type": "A", "port": 8000, "refresh_interval": "1s"}
    return {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": ["/etc/shapes/rules.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": ["alertmanager:9093"]}]}]},
        "remote_write": [FOR_AUTOSCALERS],
        "scrape_configs": [
            {"job_name": "shops", "honor_labels": True, "static_configs": at},
            {
                "job_name": "shops-unhonoured",
                "static_configs": [{**at[0], "labels": {"namespace": NAMESPACE}}],
                "metric_relabel_configs": [{"source_labels": ["__name__"], "regex": "deploy_.+", "action": "keep"}],
            },
            {"job_name": "pods", "dns_sd_configs": [found], "relabel_configs": [shop]},
        ],
    }


def manifests(plays: Sequence[Play], token: Mapping[str, str]) -> str:
    """Everything, as one list. `token`: the data of the Secret with which Alertmanager speaks to the operator."""
    files = {
        "exporter.py": Path(__file__).with_name("exporter.py").read_text(encoding="utf-8"),
        "prometheus.yml": yaml.safe_dump(prometheus(plays)),
        "rules.yml": yaml.safe_dump(rules(plays)),
        "alertmanager.yml": yaml.safe_dump(alertmanager(plays)),
    }
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _named("shapes"), "data": files}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _named("shapes")}
    views = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "kubedrill-shapes"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "ServiceAccount", "name": "shapes", "namespace": NAMESPACE}],
    }
    trusted = {"apiVersion": "v1", "kind": "Secret", "metadata": _named(TOKEN), "data": token}
    data = "--storage.tsdb.path=/data"
    items = [
        account,
        views,
        config,
        trusted,
        *_running("exporter", 8000, APP_IMAGE, ["python3", "/etc/shapes/exporter.py"], "/metrics"),
        *_running("prometheus", 9090, SERVICES_IMAGE, ["prometheus", "--config.file=/etc/shapes/prometheus.yml", data]),
        *_running(
            "alertmanager",
            9093,
            SERVICES_IMAGE,
            [
                "prometheus-alertmanager",
                "--config.file=/etc/shapes/alertmanager.yml",
                "--storage.path=/data",
                "--cluster.listen-address=",
            ],
        ),
    ]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


def _named(name: str) -> Mapping[str, str]:
    return {"name": name, "namespace": NAMESPACE}


def _running(
    name: str, port: int, image: str, command: list[str], ready: str = "/-/ready"
) -> tuple[dict[str, Any], ...]:
    """A Deployment of one pod with the configuration, and its Service."""
    volumes: dict[str, tuple[str, dict[str, Any]]] = {
        "config": ("/etc/shapes", {"configMap": {"name": "shapes"}}),
        "data": ("/data", {"emptyDir": {}}),
        "webhook": (MOUNTED, {"secret": {"secretName": TOKEN}}),
    }
    container = {
        "name": name,
        "image": image,
        "command": command,
        "resources": {"requests": {"cpu": "100m"}},
        "volumeMounts": [{"name": name, "mountPath": path} for name, (path, _) in volumes.items()],
        "readinessProbe": {"httpGet": {"path": ready, "port": port}, "periodSeconds": 1},
    }
    pod = {
        "serviceAccountName": "shapes",
        "terminationGracePeriodSeconds": 1,
        "containers": [container],
        "volumes": [{"name": name, **kind} for name, (_, kind) in volumes.items()],
    }
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    service = {"selector": labels, "ports": [{"name": "http", "port": port}]}
    return (
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": _named(name), "spec": spec},
        {"apiVersion": "v1", "kind": "Service", "metadata": _named(name), "spec": service},
    )
