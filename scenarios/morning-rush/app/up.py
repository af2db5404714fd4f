#!/usr/bin/env python3
"""Bring copies of the staging application up, each in a namespace of its own, until they are steady.

Needs a cluster and nothing but Python's standard library: the one that KUBECONFIG names, else the one of
`make cluster`, never a context that kubectl happens to be set to. Images are built and loaded by
`python3 -m cluster image`, which skips those that the nodes have; with --no-images they must be there.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

APP: Final = Path(__file__).resolve().parent
REPOSITORY: Final = APP.parents[2]
sys.path.insert(0, str(REPOSITORY))

from cluster.settings import folders  # noqa: E402  # it lies in the checkout, not in any environment

BUILD: Final = REPOSITORY / "build" / "prometheus-adapter"
ADAPTER_API: Final = "v1beta1.external.metrics.k8s.io"
METRICS_NAMESPACE: Final = "kubedrill-metrics"
PATIENCE_SECONDS: Final = 180
WORKERS: Final = 5
STEADY: Final = ("max_over_time(queue_depth[10s]) < 20", "workers_alive >= 5", "jobs_processed_total > 0")
CONTROL: Final = "drills"
WEBHOOK: Final = "kubedrill-webhook"
DEPLOYMENTS: Final = ("redis", "producer", "reaper", "exporter", "prometheus", "alertmanager", "page-sink")


def main() -> int:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--namespace", action="append", help="a copy's namespace; may be repeated (staging)")
    parser.add_argument("--no-images", action="store_true", help="the nodes have the images")
    parser.add_argument("--down", action="store_true", help="remove these copies")
    asked = parser.parse_args()
    namespaces = asked.namespace or ["staging"]
    began = time.monotonic()
    os.environ.setdefault("KUBECONFIG", str(folders().kubeconfig))
    os.environ["PATH"] = f"{folders().binaries}:{os.environ['PATH']}"
    try:
        if asked.down:
            kubectl("delete", "namespace", *namespaces, "--ignore-not-found", "--wait=false")
            return 0
        if not asked.no_images:
            build_images()
        apply_metrics()
        for namespace in namespaces:
            apply_copy(namespace)
        for namespace in namespaces:
            wait_until_steady(namespace)
    except (subprocess.CalledProcessError, TimeoutError, ValueError) as trouble:
        print(f"staging: {trouble}", file=sys.stderr)
        return 1
    say(f"steady: {', '.join(namespaces)} ({time.monotonic() - began:.0f} s)")
    return 0


def build_images() -> None:
    """Build the three images and load them into the nodes."""
    for name, context, *options in (
        ("staging-app", APP / "processes"),
        ("services", APP / "services"),
        ("prometheus-adapter", build_adapter(), "-f", str(APP / "adapter" / "Containerfile")),
    ):
        say(f"image {name}")
        image = f"localhost/kubedrill/{name}:dev"
        run(sys.executable, "-m", "cluster", "image", image, str(context), *options, folder=REPOSITORY)


def build_adapter() -> Path:
    """Build prometheus-adapter from its pinned Go module; the folder with the program."""
    program = BUILD / "prometheus-adapter"
    sources = [APP / "adapter" / name for name in ("go.mod", "go.sum", "tools.go")]
    if not program.exists() or any(source.stat().st_mtime > program.stat().st_mtime for source in sources):
        say("prometheus-adapter from its Go module (the first time about 2 min)")
        BUILD.mkdir(parents=True, exist_ok=True)
        go = run(sys.executable, "-m", "cluster", "go", folder=REPOSITORY).strip()
        run(
            *(go, "build", "-mod=readonly", "-trimpath", "-ldflags=-s -w", "-o", str(program)),
            "sigs.k8s.io/prometheus-adapter/cmd/adapter",
            folder=APP / "adapter",
            environment={"CGO_ENABLED": "0"},
        )
        program.touch()
    return BUILD


def apply_metrics() -> None:
    """Apply the cluster-wide part.

    Raises:
        ValueError: the cluster has external metrics of somebody else's.
    """
    present = kubectl("get", "apiservice", ADAPTER_API, "--ignore-not-found", "-o", "json")
    service = json.loads(present)["spec"].get("service", {}) if present else {}
    if service and service.get("namespace") != METRICS_NAMESPACE:
        raise ValueError(
            f"this cluster's external metrics come from {service['namespace']}/{service['name']}; a cluster "
            "has room for one adapter, and taking it over would disturb its HPAs. Use another: make cluster"
        )
    say("shared metrics")
    kubectl("apply", "-k", str(APP / "metrics"))


def apply_copy(namespace: str) -> None:
    """Apply one copy, and begin with five workers: a new one has one, one that was drilled on may have ten."""
    say(f"copy in {namespace}")
    if not kubectl("get", "namespace", namespace, "--ignore-not-found", "-o", "name"):
        kubectl("create", "namespace", namespace)
    share_webhook_token(namespace)
    kubectl("apply", "-n", namespace, "-k", str(APP / "manifests"))
    scale_to_start(namespace)


def share_webhook_token(namespace: str) -> None:
    """Where KubeDrill is installed, the copy's Alertmanager calls it with the token that its operator has made."""
    found = kubectl("get", "secret", WEBHOOK, "-n", CONTROL, "--ignore-not-found", "-o", "json")
    if found:
        meta = {"name": WEBHOOK, "namespace": namespace}
        mine = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": json.loads(found)["data"]}
        run("kubectl", "apply", "-f", "-", given=json.dumps(mine))


def scale_to_start(namespace: str) -> None:
    """Ask for as many workers as the scenario begins with; the HPA never takes any away."""
    kubectl("scale", "-n", namespace, "deployment/ai-agents-worker", f"--replicas={WORKERS}")


def wait_until_steady(namespace: str) -> None:
    """Return once all of a copy runs, five workers keep its queue short.

    Raises:
        TimeoutError: it did not get there; the message says what was missing.
    """
    for name in (*DEPLOYMENTS, "ai-agents-worker"):
        kubectl("rollout", "status", "-n", namespace, f"deployment/{name}", f"--timeout={PATIENCE_SECONDS}s")
    missing = ""
    for missing in attempts(lambda: settle(namespace)):
        if not missing:
            return
    raise TimeoutError(f"{namespace} is not steady after {PATIENCE_SECONDS} s: {missing}")


def settle(namespace: str) -> str:
    """What is still missing; nothing if the copy is steady. Workers that an older backlog brought are sent away."""
    hpa = json.loads(kubectl("get", "hpa", "ai-agents-worker", "-n", namespace, "-o", "json"))
    conditions = {one["type"]: one["status"] for one in hpa.get("status", {}).get("conditions", [])}
    if conditions.get("ScalingActive") != "True":
        return "the HPA has no metric"
    proxy = f"/api/v1/namespaces/{namespace}/services/prometheus:9090/proxy/api/v1/query?query="
    for expression in STEADY:
        encoded = "".join(f"%{byte:02x}" for byte in expression.encode())
        if not json.loads(kubectl("get", "--raw", proxy + encoded))["data"]["result"]:
            return f"not true: {expression}"
    workers = json.loads(kubectl("get", "deployment", "ai-agents-worker", "-n", namespace, "-o", "json"))
    if workers["spec"]["replicas"] != WORKERS:
        scale_to_start(namespace)
        return "there were more workers than at the start"
    available = workers["status"].get("availableReplicas", 0)
    return "" if available == workers["status"]["replicas"] == WORKERS else f"{available} workers are available"


def attempts(look: Callable[[], str]) -> Iterator[str]:
    """What each look finds, one a second until patience ends; a look that fails is one that finds that."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            yield look()
        except subprocess.CalledProcessError as trouble:
            yield str(trouble)
        time.sleep(1)


def kubectl(*arguments: str) -> str:
    """Run kubectl; what it wrote."""
    return run("kubectl", *arguments)


def run(
    *command: str, folder: Path | None = None, environment: dict[str, str] | None = None, given: str | None = None
) -> str:
    """Run a program; what it wrote to its standard output.

    Raises:
        subprocess.CalledProcessError: it failed; its complaints were printed.
    """
    done = subprocess.run(  # noqa: S603  # kubectl and go, as a person would
        command,
        cwd=folder,
        env=os.environ | (environment or {}),
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stderr.strip(), file=sys.stderr)
        done.check_returncode()
    return done.stdout


def say(step: str) -> None:
    """Show progress."""
    print(f"staging: {step}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
