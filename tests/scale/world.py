"""The cluster that is drilled: 10,000 pods and 300 workloads, of these 5,000 and 200 in one namespace."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from tests.faultmatrix.kubelet import FAULTED
from tests.faultmatrix.services import ALERT, Services
from tests.faultmatrix.shapes import service
from tests.scale.nodes import LABEL, NODES, FakeNodes
from tests.scale.servers import ControlPlane

from kubedrill.cli.setup.opt_in import objects as opt_in_objects
from kubedrill.core.paths import ApiPath
from kubedrill.kube.client import MERGE_PATCH, Answer, Kube

ROOT: Final = Path(__file__).parents[2]
CONTROL: Final = "drills"
MONITORING: Final = "monitoring"
BIG: Final = "big"
SMALL: Final = "small"
IN_PLAY: Final = 50
HELD: Final = 100
TARGET: Final = "web"
GOOD: Final = "64Mi"
AT_ONCE: Final = 8
LIMIT: Final[tuple[Any, ...]] = ("spec", "template", "spec", "containers", 0, "resources", "limits", "memory")
DRILLS: Final = f"/apis/kubedrill.dev/v1alpha1/namespaces/{CONTROL}/drills"


@dataclass(frozen=True, slots=True)
class Workload:
    """A Deployment of the world."""

    namespace: str
    name: str
    replicas: int


def target_namespaces() -> list[str]:
    """The namespaces in which a drill is on; the first is the big one."""
    return [BIG, *(f"team-{n}" for n in range(1, IN_PLAY))]


def full_size() -> list[Workload]:
    """200 workloads with 5,000 pods in the big namespace; 100 with 5,000 in the others."""
    big = [Workload(BIG, TARGET, 10), Workload(BIG, "api", 40)]
    big += [Workload(BIG, f"service-{n}", 25) for n in range(198)]
    others = []
    for namespace in target_namespaces()[1:]:
        others += [Workload(namespace, TARGET, 10), Workload(namespace, "rest", 92)]
    return [*big, *others, Workload("quiet", "one", 1), Workload("quiet", "two", 1)]


def deployment(one: Workload, node: int) -> dict[str, Any]:
    """As large as they are in the field: probes, environment, annotations; a fake node has its pods."""
    labels = {LABEL: "yes", "app": one.name, "app.kubernetes.io/part-of": one.namespace, "team": one.namespace}
    probe = {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 10, "failureThreshold": 3}
    container = {
        "name": "app",
        "image": "registry.invalid/shop/app:2026.11.28-3f2a91c",
        "args": ["--listen=:8080", "--log=json"],
        "env": [{"name": f"SETTING_{n}", "value": f"http://service-{n}.{one.namespace}.svc:8080"} for n in range(12)],
        "ports": [{"name": "http", "containerPort": 8080}],
        "resources": {"limits": {"memory": GOOD}, "requests": {"memory": GOOD, "cpu": "10m"}},
        "readinessProbe": probe,
        "livenessProbe": probe,
    }
    pod = {
        "nodeName": f"fake-{node % NODES}",
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
        "containers": [container],
    }
    template = {
        "metadata": {"labels": labels, "annotations": {"prometheus.io/scrape": "true", "checksum/config": "0" * 64}},
        "spec": pod,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": one.name, "namespace": one.namespace, "labels": {"team": one.namespace}},
        "spec": {"replicas": one.replicas, "selector": {"matchLabels": {"app": one.name}}, "template": template},
    }


def drill(name: str, namespace: str, ports: Services, desired: str = "Run") -> dict[str, Any]:
    """A drill of one memory limit, which the new pods of its target are killed by. Its alert stays silent."""
    fault = {"target": {"kind": "Deployment", "name": TARGET}, "limit": FAULTED, "affected": 2}
    return {
        "apiVersion": "kubedrill.dev/v1alpha1",
        "kind": "Drill",
        "metadata": {"name": name, "namespace": CONTROL},
        "spec": {
            "targetNamespace": namespace,
            "desired": desired,
            "monitoring": {
                "prometheus": {"name": "prometheus", "port": ports.prometheus, "namespace": MONITORING},
                "alertmanager": {"name": "alertmanager", "port": ports.alertmanager, "namespace": MONITORING},
            },
            "scenario": {
                "title": "a drill at size",
                "expectedAlerts": [{"name": ALERT}],
                "faults": [{"name": "limit", "memoryLimit": fault}],
            },
        },
    }


class World:
    """What is made in the cluster, by its administrator."""

    def __init__(self, plane: ControlPlane, kube: Kube, nodes: FakeNodes, ports: Services) -> None:
        self.plane, self.kube, self.nodes, self.ports = plane, kube, nodes, ports

    async def install(self) -> str:
        """The project's own manifests but the Deployments; gives a token of the operator's account."""
        self._apply(*sorted((ROOT / "crds").glob("*.yaml")))
        built = subprocess.run(
            [self.plane.kubectl, "kustomize", ROOT / "manifests/base"], check=True, capture_output=True
        )
        wanted = [thing for thing in yaml.safe_load_all(built.stdout) if thing["kind"] != "Deployment"]
        path = self.plane.folder / "installed.json"
        path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": wanted}))
        self._apply(path)
        await self.namespace(MONITORING)
        for name, port in (("prometheus", self.ports.prometheus), ("alertmanager", self.ports.alertmanager)):
            await self.must("POST", f"/api/v1/namespaces/{MONITORING}/services", service(MONITORING, name, port))
        path_of_token = f"/api/v1/namespaces/{CONTROL}/serviceaccounts/kubedrill/token"
        made = await self.must("POST", path_of_token, {"spec": {"expirationSeconds": 3 * 3600}})
        return str(made.body["status"]["token"])

    def _apply(self, *files: Path) -> None:
        arguments = [word for file in files for word in ("-f", str(file))]
        kubectl: list[str | Path] = [self.plane.kubectl, "--kubeconfig", self.plane.kubeconfig]
        subprocess.run([*kubectl, "apply", "--server-side", *arguments], check=True, stdout=subprocess.DEVNULL)

    async def namespace(self, name: str, *, opted_in: bool = False) -> None:
        """A namespace, with what `kubectl drill opt-in` applies."""
        await self.must("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        if not opted_in:
            return
        label, *granted = opt_in_objects(name, CONTROL)
        await self.must("PATCH", f"/api/v1/namespaces/{name}", {"metadata": label["metadata"]}, MERGE_PATCH)
        for thing in granted:
            group = "/apis/rbac.authorization.k8s.io/v1"
            where = f"{group}/namespaces/{thing['metadata']['namespace']}/{thing['kind'].lower()}s"
            await self.must("POST", where, thing)

    async def fill(self, workloads: list[Workload], within: float) -> float:
        """Makes namespaces and workloads, until every pod is said to be well. Gives the seconds that it took."""
        began, wanted = time.monotonic(), self.nodes.count + sum(one.replicas for one in workloads)
        drilled = {SMALL, *target_namespaces()}
        names = list(dict.fromkeys(one.namespace for one in workloads))
        await _some_at_once(self.namespace(name, opted_in=name in drilled) for name in names)
        await _some_at_once(
            self.must("POST", f"/apis/apps/v1/namespaces/{one.namespace}/deployments", deployment(one, number))
            for number, one in enumerate(workloads)
        )
        async with asyncio.timeout(within):
            while self.nodes.count < wanted:
                await asyncio.sleep(0.5)
        return time.monotonic() - began

    async def must(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Answer:
        """A request that has to succeed."""
        answer = await self.kube.call(method, ApiPath(path), body, content_type=content_type)
        assert answer.ok, f"{method} {path}: {answer.status} {answer.message}"
        return answer


async def _some_at_once(work: Iterable[Awaitable[Any]]) -> None:
    """All of it, a few at a time."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(doing: Awaitable[Any]) -> None:
        async with free:
            await doing

    await asyncio.gather(*map(one, work))
