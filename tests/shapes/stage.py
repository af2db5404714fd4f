"""What a play needs in the cluster: its namespace, the shop that is drilled, and the Drill."""

from __future__ import annotations

import json
from typing import Any, Final

from tests.shapes.catalogue import Play
from tests.shapes.judge import PLAYER
from tests.shapes.monitoring import APP_IMAGE, LABEL, NAMESPACE
from tests.shapes.paging import receiver
from tests.shapes.truth import JUDGED_FAULT

CONTROL: Final = "drills"
GOOD: Final = "80Mi"
API: Final = "kubedrill.dev/v1alpha1"
PACE: Final = 12
"""A minute of the scenario is five seconds."""
SERVES: Final = """
import http.server, sys
held = b"x" * (int(sys.argv[1]) << 20)
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


def shop(namespace: str, holds: int, image: str = APP_IMAGE) -> str:
    """Three pods that hold so many MB each, and the name by which Prometheus finds them, ready or not."""
    labels = {"app": "app", LABEL: "app"}
    container = {
        "name": "app",
        "image": image,
        "command": ["python3", "-c", SERVES, str(holds)],
        "resources": {"limits": {"memory": GOOD}, "requests": {"memory": GOOD, "cpu": "20m"}},
        "readinessProbe": {"httpGet": {"path": "/", "port": 8000}, "periodSeconds": 1},
    }
    pod = {"terminationGracePeriodSeconds": 0, "containers": [container]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"replicas": 3, "selector": {"matchLabels": {"app": "app"}}, "template": template}
    named = {"name": "app", "namespace": namespace, "labels": labels}
    ports = [{"name": "http", "port": 8000}]
    found = {"selector": {"app": "app"}, "clusterIP": "None", "publishNotReadyAddresses": True, "ports": ports}
    items = [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": named, "spec": spec},
        {"apiVersion": "v1", "kind": "Service", "metadata": named, "spec": found},
    ]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


def environment(play: Play) -> str:
    """Where its monitoring is, what that calls the namespace, and over which receiver people are paged."""
    servers: dict[str, dict[str, Any]] = {
        server: {"service": {"namespace": NAMESPACE, "name": server, "port": port}}
        for server, port in (("prometheus", 9090), ("alertmanager", 9093))
    }
    servers["alertmanager"]["receiversForPeople"] = [receiver(play)]
    spec = {"targetNamespaces": [play.namespace], "labels": {"namespace": play.shape.label}, **servers}
    named = {"name": play.namespace, "namespace": CONTROL}
    return json.dumps({"apiVersion": API, "kind": "DrillEnvironment", "metadata": named, "spec": spec})


def autoscaler(play: Play) -> str:
    """A real one: it goes by how long the queue is, makes up to nine pods, and takes none away."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "app"}
    depth = {"metric": {"name": "queue_depth"}, "target": {"type": "AverageValue", "averageValue": "10"}}
    spec = {
        "scaleTargetRef": target,
        "minReplicas": 3,
        "maxReplicas": 9,
        "metrics": [{"type": "External", "external": depth}],
        "behavior": {"scaleDown": {"selectPolicy": "Disabled"}},
    }
    named = {"name": "app", "namespace": play.namespace}
    kind = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler"}
    return json.dumps({**kind, "metadata": named, "spec": spec})


def path_of_drill(play: Play) -> str:
    """Where the API server has its Drill."""
    return f"/apis/{API}/namespaces/{CONTROL}/drills/{play.namespace}"


def drill(play: Play) -> str:
    """Two of the three pods are killed for their memory; the players have a minute for it."""
    limit = {"target": {"kind": "Deployment", "name": "app"}, "limit": JUDGED_FAULT, "affected": 2}
    scenario: dict[str, Any] = {
        "title": play.name,
        "faults": [{"name": "limit", "memoryLimit": limit}],
        "expectedAlerts": [{"name": play.alert, "within": "10m"}],
        "recovered": {"window": "3m"},
        "objectives": [
            {"name": "mitigation", "to": "Mitigated", "within": "12m"},
            {"name": "resolution", "to": "Recovered", "within": "18m"},
        ],
    }
    if play.shape.query:
        scenario["mitigated"] = {"query": play.of_its_namespace(play.shape.query), "byAmount": 1}
    spec = {
        "targetNamespace": play.namespace,
        "pace": PACE,
        "armWithin": "60s",
        "wrapUp": "1m",
        "maxDuration": f"{36 + PACE * play.shape.group_wait // 60}m",
        "scenario": scenario,
        "players": [{"name": PLAYER, "role": "L1", "kind": "Script", "identities": {"fieldManager": PLAYER}}],
    }
    if play.course == "healed":
        spec["reconciledTargets"] = "Accept"
    named = {"name": play.namespace, "namespace": CONTROL}
    return json.dumps({"apiVersion": API, "kind": "Drill", "metadata": named, "spec": spec})
