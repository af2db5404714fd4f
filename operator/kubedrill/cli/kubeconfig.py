"""What the kubeconfig says besides how to reach the cluster: the namespaces that somebody works in."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

IN_POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def _current_namespace(context: str | None = None) -> str:
    """The namespace of the kubeconfig's context, or of the pod; `default` when neither says one."""
    if context is None and IN_POD_NAMESPACE.exists():
        return IN_POD_NAMESPACE.read_text(encoding="utf-8").strip()
    chosen = _chosen(context)
    return str(chosen.get("namespace") or "default")


def own_namespaces(context: str | None = None) -> tuple[str, ...]:
    """The current namespace, then those of all contexts that lead to the same cluster, each once."""
    cluster = _chosen(context).get("cluster")
    others = (entry.get("namespace") for _, entry in _contexts() if cluster and entry.get("cluster") == cluster)
    return tuple(dict.fromkeys([_current_namespace(context), *(str(name) for name in others if name)]))


def _chosen(context: str | None) -> Mapping[str, Any]:
    wanted = context or next((c["current-context"] for c in _configs() if c.get("current-context")), None)
    return next((entry for name, entry in _contexts() if name == wanted), {})


def _contexts() -> Iterator[tuple[str, Mapping[str, Any]]]:
    for config in _configs():
        for entry in config.get("contexts") or ():
            yield str(entry.get("name")), entry.get("context") or {}


def _configs() -> Iterator[Mapping[str, Any]]:
    for name in os.environ.get("KUBECONFIG", str(Path.home() / ".kube" / "config")).split(os.pathsep):
        try:
            yield yaml.safe_load(Path(name).read_text(encoding="utf-8")) or {}
        except OSError:
            continue
