"""Everything that builds a path or a host, as a function of names: all of it, or a test says what is missing."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, Final

from tests.source import files, parsed

from kubedrill.cli import connection
from kubedrill.cli.safety import installed
from kubedrill.cli.setup import opt_in
from kubedrill.controller import http_client
from kubedrill.core import paths
from kubedrill.core.plan.drill_plan import Endpoint
from kubedrill.core.undo.operations import Announce, Enqueue, Target
from kubedrill.core.undo.record import DrillIdentity
from kubedrill.kube import paths as kinds
from kubedrill.kube.paths import ClusterWide, Namespaced
from kubedrill.protocol import drills, lease
from kubedrill.store import undo_records

SOURCE: Final = Path(paths.__file__).parents[1]
Build = Callable[..., Any]


def _target(*names: str) -> Any:
    group, version, plural, namespace, name = names
    return Target(group, version, "Deployment", plural, namespace, name).path


def _right(namespace: str) -> Any:
    return opt_in.path_of_right({"kind": "Role", "metadata": {"namespace": namespace, "name": "kubedrill-operator"}})


BUILDERS: Final[Mapping[str, tuple[Build, int]]] = {
    "core/paths.py:joined": (paths.joined, 3),
    "core/paths.py:object_path": (lambda *names: paths.object_path("apps/v1", *names), 3),
    "core/undo/operations.py:path": (_target, 5),
    "kube/paths.py:of": (lambda namespace: Namespaced("v1", "pods").of(namespace), 1),
    "kube/paths.py:one": (lambda namespace, name: Namespaced("apps/v1", "deployments").one(namespace, name), 2),
    "kube/paths.py:part": (lambda *names: Namespaced("v1", "pods").part(*names), 3),
    "kube/paths.py:all": (lambda plural: ClusterWide("v1", plural).all, 1),
    "kube/paths.py:everywhere": (lambda plural: Namespaced("v1", plural).everywhere, 1),
    "kube/paths.py:through_service": (
        lambda namespace, service: kinds.through_service(namespace, service, 9090, "/api/v1/query"),
        2,
    ),
    "store/undo_records.py:path": (lambda namespace, name: undo_records.RecordRef(namespace, name).path, 2),
    "protocol/drills.py:drill_path": (drills.drill_path, 2),
    "protocol/lease.py:lease_path": (lease.lease_path, 2),
    "cli/connection.py:path_of": (connection.path_of, 3),
    "cli/setup/opt_in.py:path_of_right": (_right, 1),
    "cli/setup/opt_in.py:given": (partial(opt_in.given, control="drills"), 1),
    "cli/safety/installed.py:witness": (installed.witness, 1),
    "cli/safety/installed.py:workloads": (installed.workloads, 1),
    "cli/safety/installed.py:belongings": (installed.belongings, 1),
}
"""By file and function: the builder, and of how many names."""
FIXED: Final = frozenset({"cli/safety/installed.py:policies", "cli/safety/installed.py:definitions"})
"""Paths of our own objects alone."""
HOSTS: Final[Mapping[str, tuple[Build, int]]] = {
    "service_host": (paths.service_host, 2),
    "in_cluster": (lambda namespace, name: http_client.in_cluster(Endpoint(namespace, name, 9090)), 2),
    "Enqueue": (lambda host: Enqueue(host, 1, "List", "k", (), "p", 1, 1, {}, None), 1),  # type: ignore[arg-type]
    "Announce": (lambda host: Announce(host, 1, {}, {}), 1),
}
STORED: Final[Mapping[str, tuple[Build, int]]] = {
    "DrillIdentity": (lambda name, namespace: DrillIdentity("uid", name, namespace), 2),
    "DrillIdentity.target_namespace": (lambda target: DrillIdentity("uid", "storm", "drills", target or "."), 1),
    "Target.group": (lambda group: Target(group or ".", "v1", "Deployment", "deployments", "shop", "web"), 1),
}
"""What undo records hold, and the core's own API group and older records leave out."""


def kinds_of_objects() -> Iterator[tuple[str, Namespaced | ClusterWide]]:
    """The constants of `kube.paths`."""
    return ((n, v) for n, v in vars(kinds).items() if isinstance(v, Namespaced | ClusterWide) and fields(v))


def declared() -> set[str]:
    """The functions of the source that say that they give paths, by file and name."""
    return {
        f"{module}:{node.name}"
        for module in files()
        for node in ast.walk(parsed(module))
        if isinstance(node, ast.FunctionDef) and node.returns is not None and "ApiPath" in ast.unparse(node.returns)
    }
