"""The table of docs/reference/memory-limit.md as data: one workload a row, and how many pods are hit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

IMAGE: Final = "localhost/kubedrill/operator:dev"
"""Any image with a Python; this one is in the cluster wherever the operator is."""
FAULT_LIMIT: Final = "24Mi"
# It lives for a moment, as an application does that reads its configuration first; then it takes 40 MiB.
PROGRAM: Final = "import time; time.sleep(0.3); held = b'x' * (40 << 20); time.sleep(1e6)"


@dataclass(frozen=True)
class Row:
    """One row: a workload, what is asked for (`affected`, or the limit alone) and what comes of it."""

    name: str
    kind: str
    replicas: int
    strategy: dict[str, Any]
    failing: int
    serving: int
    affected: int | None = None
    ready: int = 15
    pods: str = "OrderedReady"

    def manifest(self) -> dict[str, Any]:
        """The workload, healthy."""
        labels = {"app": self.name}
        spec: dict[str, Any] = {
            "replicas": self.replicas,
            "minReadySeconds": self.ready,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "terminationGracePeriodSeconds": 0,
                    "enableServiceLinks": False,
                    "automountServiceAccountToken": False,
                    "containers": [
                        {
                            "name": "main",
                            "image": IMAGE,
                            "imagePullPolicy": "IfNotPresent",
                            "command": ["python3", "-I", "-S", "-c", PROGRAM],
                            "resources": {
                                "limits": {"memory": "64Mi"},
                                "requests": {"memory": "48Mi", "cpu": "15m"},
                            },
                        }
                    ],
                },
            },
        }
        if self.kind == "StatefulSet":
            spec |= {
                "serviceName": self.name,
                "podManagementPolicy": self.pods,
                "updateStrategy": self.strategy,
            }
        else:
            spec |= {"strategy": self.strategy}
        return {"apiVersion": "apps/v1", "kind": self.kind, "metadata": {"name": self.name}, "spec": spec}


def rolling(unavailable: int | str, surge: int | str) -> dict[str, Any]:
    return {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": unavailable, "maxSurge": surge}}


def partition(at: int) -> dict[str, Any]:
    return {"type": "RollingUpdate", "rollingUpdate": {"partition": at}}


DEFAULT: Final = rolling("25%", "25%")
RECREATE: Final = {"type": "Recreate"}

THE_LIMIT_ALONE: Final = (
    Row("default-of-3", "Deployment", 3, DEFAULT, failing=1, serving=3),
    Row("default-of-4", "Deployment", 4, DEFAULT, failing=2, serving=3),
    Row("default-of-5", "Deployment", 5, DEFAULT, failing=3, serving=4),
    Row("default-of-10", "Deployment", 10, DEFAULT, failing=5, serving=8),
    Row("percent-of-5", "Deployment", 5, rolling("60%", 0), failing=3, serving=2),
    Row("surge-of-2", "Deployment", 2, rolling(0, 1), failing=1, serving=2),
    Row("recreate-of-2", "Deployment", 2, RECREATE, failing=2, serving=0),
    Row("ordered-of-2", "StatefulSet", 2, partition(0), failing=1, serving=1),
    Row("parallel-of-3", "StatefulSet", 3, partition(0), failing=1, serving=2, pods="Parallel"),
)

AS_PLANNED: Final = (
    Row("one-of-3", "Deployment", 3, DEFAULT, affected=1, ready=0, failing=1, serving=2),
    Row("two-of-4", "Deployment", 4, DEFAULT, affected=2, ready=0, failing=2, serving=2),
    Row("three-of-5", "Deployment", 5, DEFAULT, affected=3, ready=0, failing=3, serving=2),
    Row("three-of-5-percent", "Deployment", 5, rolling("60%", 0), affected=3, failing=3, serving=2),
    Row("all-of-3", "Deployment", 3, DEFAULT, affected=3, ready=0, failing=3, serving=0),
    Row("one-of-2-surge", "Deployment", 2, rolling(0, 1), affected=1, ready=0, failing=1, serving=1),
    Row("all-of-2-recreate", "Deployment", 2, RECREATE, affected=2, failing=2, serving=0),
    Row("last-ordered", "StatefulSet", 2, partition(0), affected=1, ready=0, failing=1, serving=1),
    Row(
        "last-parallel",
        "StatefulSet",
        3,
        partition(0),
        affected=1,
        ready=0,
        failing=1,
        serving=2,
        pods="Parallel",
    ),
    Row(
        "behind-partition",
        "StatefulSet",
        2,
        partition(2),
        affected=1,
        ready=0,
        failing=1,
        serving=1,
        pods="Parallel",
    ),
)
