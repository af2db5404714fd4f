"""What the drilled shops tell of themselves, as Prometheus reads it. It runs in the cluster, on the standard library.

Everything follows from how many pods of a namespace's Deployment answer: nobody sets a figure, so a figure is well when
the Deployment is. Two annotations of a namespace are the exceptions: `shapes/note` is a gauge of that value, which has
nothing to do with the shop, and `shapes/quiet` makes all its figures disappear.

It is the pager, too, and counts the pages that came for each shop.
"""

from __future__ import annotations

import http.server
import json
import ssl
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/"
WHOLE = 3
"""So many pods a shop is made with."""
Figure = tuple[str, dict[str, str], float]


@dataclass(frozen=True)
class Seen:
    """A shop's Deployment and pods at one moment. A pod: its name, whether it answers, restarts, what it waits for."""

    wanted: int = WHOLE
    available: int = WHOLE
    pods: tuple[tuple[str, bool, int, str], ...] = ()
    exists: bool = True


@dataclass
class Shop:
    """What its clients notice: a queue that grows while pods are missing, requests that fail or are slow.

    They come once it is open, which it is when it was whole for the first time.
    """

    opened: bool = False
    queue: float = 0
    requests: float = 0
    errors: float = 0
    fast: float = 0
    annotations: dict[str, str] = field(default_factory=dict)

    def goes_on(self, seconds: float, available: int) -> None:
        """Time passes with so many pods."""
        self.opened = self.opened or available >= WHOLE
        if not self.opened:
            return
        missing = max(0, WHOLE - available)
        self.queue = min(300, max(0, self.queue + (12 * missing or -60) * seconds))
        self.requests += 100 * seconds
        self.errors += 100 * seconds * missing / WHOLE
        self.fast += 100 * seconds * min(available, WHOLE) / WHOLE

    def figures(self, seen: Seen) -> Iterator[Figure]:
        """Its figures now."""
        if self.annotations.get("shapes/quiet"):
            return
        if seen.exists:
            yield "deploy_wanted", {"deployment": "app"}, seen.wanted
            yield "deploy_available", {"deployment": "app"}, seen.available
            yield "deploy_unavailable", {"deployment": "app"}, max(0, seen.wanted - seen.available)
        for name, _, restarts, waiting in seen.pods:
            yield "pod_restarts_total", {"pod": name}, restarts
            if waiting:
                yield "pod_waiting", {"pod": name, "reason": waiting}, 1
        yield "shop_queue_depth", {}, round(self.queue)
        yield "shop_requests_total", {}, round(self.requests)
        yield "shop_errors_total", {}, round(self.errors)
        for le, count in (("0.1", self.fast), ("1", self.fast), ("5", self.requests), ("+Inf", self.requests)):
            yield "shop_latency_seconds_bucket", {"le": le}, round(count)
        if seen.available >= WHOLE:
            yield "shop_heartbeat", {}, 1
        if "shapes/note" in self.annotations:
            yield "shop_note", {}, float(self.annotations["shapes/note"])


def line(figure: Figure, namespace: str) -> str:
    """A figure as Prometheus reads it."""
    name, labels, value = figure
    told = ",".join(f'{key}="{one}"' for key, one in sorted((labels | {"namespace": namespace}).items()))
    return f"{name}{{{told}}} {value:g}"


def got(path: str, trust: ssl.SSLContext) -> list[dict[str, Any]]:
    """A list of the API server's."""
    with open(ACCOUNT + "token", encoding="utf-8") as token:  # noqa: PTH123  it is short, and there is but the library
        headers = {"Authorization": f"Bearer {token.read()}"}
    asked = urllib.request.Request(f"https://kubernetes.default.svc{path}", headers=headers)
    with urllib.request.urlopen(asked, context=trust, timeout=5) as answer:  # noqa: S310
        items: list[dict[str, Any]] = json.load(answer)["items"]
    return items


def seen_of(deployments: list[dict[str, Any]], pods: list[dict[str, Any]]) -> Seen:
    """A namespace's `app`, from its objects."""
    found = []
    for pod in pods:
        for one in (pod.get("status") or {}).get("containerStatuses", ()):
            waits = ((one.get("state") or {}).get("waiting") or {}).get("reason", "")
            found.append((pod["metadata"]["name"], one["ready"], one["restartCount"], waits))
    for thing in deployments:
        status = thing.get("status") or {}
        return Seen(thing["spec"].get("replicas", 1), status.get("availableReplicas", 0), tuple(found))
    return Seen(0, 0, tuple(found), exists=False)


class Street:
    """All shops: the namespaces with the label."""

    def __init__(self, trust: ssl.SSLContext) -> None:
        self.text = ""
        self.pages: dict[str, int] = {}
        self._shops: dict[str, Shop] = {}
        self._looked = time.monotonic()
        self._trust = trust

    def looks(self) -> None:
        """One look at everything."""
        chosen = "?labelSelector=kubedrill-shapes"
        paths = ("/api/v1/namespaces", "/apis/apps/v1/deployments", "/api/v1/pods")
        spaces, deployments, pods = (got(path + chosen, self._trust) for path in paths)
        now = time.monotonic()
        passed, self._looked = now - self._looked, now
        told = []
        for space in spaces:
            name = space["metadata"]["name"]
            shop = self._shops.setdefault(name, Shop())
            shop.annotations = space["metadata"].get("annotations") or {}
            mine = [[one for one in kind if one["metadata"]["namespace"] == name] for kind in (deployments, pods)]
            seen = seen_of(*mine)
            shop.goes_on(passed, seen.available)
            told += [line(figure, name) for figure in shop.figures(seen)]
            told.append(line(("pages_total", {}, self.pages.get(name, 0)), name))
        self.text = "\n".join(told) + "\n"

    def is_told(self, path: str, body: bytes) -> None:
        """A page: its path ends with the shop's namespace. That something is over is none."""
        if json.loads(body).get("status") == "firing":
            name = path.rsplit("/", 1)[-1]
            self.pages[name] = self.pages.get(name, 0) + 1

    def looks_for_ever(self) -> None:
        """A look every half second; one that fails changes nothing."""
        while True:
            try:
                self.looks()
            except OSError as error:
                print("look:", error, flush=True)
            time.sleep(0.5)


def serve() -> None:
    """For ever, on port 8000."""
    street = Street(ssl.create_default_context(cafile=ACCOUNT + "ca.crt"))

    class Told(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            self.wfile.write(street.text.encode())

        def do_POST(self) -> None:
            street.is_told(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    threading.Thread(target=street.looks_for_ever, daemon=True).start()
    http.server.ThreadingHTTPServer(("", 8000), Told).serve_forever()


if __name__ == "__main__":
    serve()
