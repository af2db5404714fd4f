"""What really was, written down by somebody who knows nothing of KubeDrill: neither its code nor its Prometheus.

Twice a second it asks the API server for the Deployments and the exporter for its figures, through `kubectl proxy`, and
keeps what they say with the time before and after. It uses the standard library alone; a test says so.
"""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final, Self

EVERY: Final = 0.5
DEPLOYMENTS: Final = "/apis/apps/v1/deployments?labelSelector=kubedrill-shapes"
LINE: Final = re.compile(r'^(\w+)\{.*namespace="([^"]+)".*\} (\S+)$')


@dataclass(frozen=True)
class Look:
    """A namespace at one look: between which two moments, and what Deployment and exporter say of it."""

    before: float
    after: float
    figures: Mapping[str, float]
    limit: str = ""


@dataclass
class Recorder:
    """Records until it is left. `of` gives what was seen of a namespace."""

    exporter: str
    looks: dict[str, list[Look]] = field(default_factory=dict)
    failed: int = 0

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._proxy = subprocess.Popen(["kubectl", "proxy", "--port=0"], stdout=subprocess.PIPE, text=True)
        assert self._proxy.stdout is not None
        self._port = int(self._proxy.stdout.readline().rsplit(":", 1)[1])
        self._thread = threading.Thread(target=self._records, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(10)
        self._proxy.terminate()
        self._proxy.wait(10)

    def of(self, namespace: str) -> Sequence[Look]:
        """Everything that was seen of it, in order."""
        return tuple(self.looks.get(namespace, ()))

    def reads(self, path: str) -> str:
        """What the API server says at a path, for others who look often. Raises OSError: nothing, or that it can't."""
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)) as wire:
            return _got(wire, path)

    def _records(self) -> None:
        wire = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
        while not self._over.wait(EVERY):
            before = time.time()  # noqa: TID251  a recorder's own clock, that of the machine
            try:
                deployments, told = json.loads(_got(wire, DEPLOYMENTS))["items"], _got(wire, self.exporter)
            except (OSError, ValueError, KeyError, http.client.HTTPException):
                self.failed += 1
                wire.close()
                continue
            after = time.time()  # noqa: TID251  the same
            for namespace, (figures, limit) in seen(deployments, told).items():
                self.looks.setdefault(namespace, []).append(Look(before, after, figures, limit))


def _got(wire: http.client.HTTPConnection, path: str) -> str:
    wire.request("GET", path)
    answer = wire.getresponse()
    body = answer.read().decode()
    if answer.status != 200:
        raise OSError(f"{path}: {answer.status}")
    return body


def seen(deployments: Sequence[Mapping[str, Any]], told: str) -> dict[str, tuple[dict[str, float], str]]:
    """By namespace: figures, and the memory limit of `app`. Without a Deployment none of its pods is available."""
    found: dict[str, tuple[dict[str, float], str]] = {}
    for text in told.splitlines():
        if match := LINE.match(text):
            found.setdefault(match[2], ({"available": 0.0, "wanted": 0.0}, ""))[0][match[1]] = float(match[3])
    for thing in deployments:
        if thing["metadata"]["name"] != "app":
            continue
        (container,) = thing["spec"]["template"]["spec"]["containers"]
        figures, _ = found.get(thing["metadata"]["namespace"], ({}, ""))
        figures["available"] = float((thing.get("status") or {}).get("availableReplicas", 0))
        figures["wanted"] = float(thing["spec"].get("replicas", 1))
        found[thing["metadata"]["namespace"]] = (figures, container["resources"]["limits"]["memory"])
    return found
