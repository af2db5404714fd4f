"""What the witness adds to a write, and that writes go on without it, on a control plane of its own.

`python -m bench.witness [--rounds 300]`: a patch of a Deployment in a namespace that is witnessed and in one that is
not, in turn, over connections that are kept. Then the witness is gone (nobody listens), frozen (it takes connections
and says nothing) and cut off (what is sent to it is dropped). Prints Markdown for docs/performance.md.

Each write waits until the Deployment's controller has seen the one before: where it writes its status meanwhile, the
API server begins a patch anew, and asks the witness a second time.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import socket
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
from tests.scale.servers import ControlPlane, control_plane, free_port

from kubedrill.cli.setup.witness import objects
from kubedrill.controller.witness import WitnessServer
from kubedrill.core.evidence.facts import Fact
from kubedrill.kube.certificates import Certificate, make_ca
from kubedrill.kube.clock import ServerClock, local_now
from kubedrill.plugins.channels import discover

WITNESSED, ALONE, HOST, PATH = "witnessed", "alone", "localhost", "bench"
LONGEST = 2.0


class Writer:
    """Writes to the API server over connections that are kept."""

    def __init__(self, plane: ControlPlane, session: aiohttp.ClientSession) -> None:
        self._url, self._session = f"https://127.0.0.1:{plane.port}", session
        config = json.loads(plane.kubeconfig.read_text())
        self._headers = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}

    async def settled(self, url: str) -> None:
        """Until the controller has seen the last write."""
        while True:
            async with self._session.get(url, headers=self._headers, ssl=False) as answer:
                found = await answer.json()
            if (found.get("status") or {}).get("observedGeneration") == found["metadata"]["generation"]:
                return
            await asyncio.sleep(0.01)

    async def write(self, namespace: str, replicas: int) -> float:
        """Seconds that a patch of a Deployment takes."""
        url = f"{self._url}/apis/apps/v1/namespaces/{namespace}/deployments/web"
        await self.settled(url)
        headers = self._headers | {"Content-Type": "application/merge-patch+json"}
        start = time.perf_counter()
        async with self._session.patch(
            url, data=json.dumps({"spec": {"replicas": replicas}}), headers=headers, ssl=False
        ) as answer:
            await answer.read()
            if answer.status != 200:
                raise SystemExit(f"a write is answered {answer.status}: {await answer.text()}")
        return time.perf_counter() - start


def deployment(namespace: str) -> dict[str, Any]:
    """One without pods to speak of: no kubelet is there."""
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "web"}]}}
    spec = {"replicas": 0, "paused": True, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": namespace}} | {
        "spec": spec
    }


def apply(plane: ControlPlane, *things: dict[str, Any]) -> None:
    """As its administrator."""
    command = [plane.kubectl, "--kubeconfig", plane.kubeconfig, "apply", "-f", "-"]
    subprocess.run(
        command, input=json.dumps({"apiVersion": "v1", "kind": "List", "items": things}), text=True, check=True
    )


def hooked(ca: Certificate, url: str) -> dict[str, Any]:
    """The webhook's configuration as it is installed, but for where it is."""
    data = {"ca.crt": base64.b64encode(ca.certificate).decode(), "path": base64.b64encode(PATH.encode()).decode()}
    configuration = objects("drills", data)[1]
    configuration["webhooks"][0]["clientConfig"] = {"url": url, "caBundle": data["ca.crt"]}
    return configuration


@asynccontextmanager
async def serving(folder: Path, port: int) -> AsyncIterator[Counter[str]]:
    """The witness, which stores nothing."""
    (hook,) = (channel.admission for channel in discover().values() if channel.admission)

    async def deliver(_namespace: str, _facts: tuple[Fact, ...]) -> None:
        return

    counts: Counter[str] = Counter()
    server = WitnessServer(hook, deliver, ServerClock(timedelta(milliseconds=50)), counts)
    task = asyncio.create_task(server.run(folder, HOST, port, "127.0.0.1"))
    try:
        yield counts
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextmanager
def deaf(port: int) -> Iterator[None]:
    """Whoever connects is not answered: the queue of connections is full, so the kernel drops what comes."""
    with socket.create_server(("127.0.0.1", port), backlog=0) as listening, ExitStack() as stack:
        for _ in range(2):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield


async def told(writer: Writer, counts: Counter[str]) -> None:
    """Until the API server asks it."""
    for number in range(600):
        await writer.write(WITNESSED, number)
        if counts["witness-told"]:
            return
        await asyncio.sleep(0.1)
    raise SystemExit("the API server does not ask the witness")


async def measured(plane: ControlPlane, folder: Path, rounds: int) -> None:
    """All of it, printed."""
    port, ca = free_port(), make_ca(HOST, local_now())
    for name, content in {"ca.crt": ca.certificate, "ca.key": ca.key, "path": PATH.encode()}.items():
        (folder / name).write_bytes(content)
    labelled = {"kubedrill.dev/control-namespace": "drills"}
    spaces = [{"metadata": {"name": WITNESSED, "labels": labelled}}, {"metadata": {"name": ALONE}}]
    apply(plane, *({"apiVersion": "v1", "kind": "Namespace"} | one for one in spaces))
    apply(plane, *(deployment(one) for one in (WITNESSED, ALONE)))
    apply(plane, hooked(ca, f"https://{HOST}:{port}/witness/{PATH}"))
    async with aiohttp.ClientSession() as session:
        writer = Writer(plane, session)
        async with serving(folder, port) as counts:
            await told(writer, counts)
            took: dict[str, list[float]] = {WITNESSED: [], ALONE: []}
            for number in range(rounds):
                for namespace, times in took.items():
                    times.append(await writer.write(namespace, 1000 + number))
        shown(took)
        gone = [await writer.write(WITNESSED, 2000 + number) for number in range(20)]
        silent = socket.create_server(("127.0.0.1", port))  # connections are taken by the kernel, and nobody answers
        frozen = [await writer.write(WITNESSED, 3000 + number) for number in range(5)]
        silent.close()
        with deaf(port):
            cut_off = [await writer.write(WITNESSED, 4000 + number) for number in range(5)]
    for what, times in {"gone": gone, "frozen": frozen, "cut off": cut_off}.items():
        print(f"| the witness is {what} | longest write {max(times):.2f} s of {len(times)} |")
    if max(*gone, *frozen, *cut_off) > LONGEST:
        raise SystemExit(f"a write took longer than {LONGEST:g} s")


def shown(took: dict[str, list[float]]) -> None:
    """Medians and 99th percentiles, and what the witness adds to both."""
    for namespace, times in took.items():
        cuts = statistics.quantiles(times, n=100)
        print(f"| {namespace} | median {1000 * cuts[49]:.1f} ms, p99 {1000 * cuts[98]:.1f} ms, {len(times)} writes |")
    added = [1000 * (one - other) for one, other in zip(took[WITNESSED], took[ALONE], strict=True)]
    cuts = statistics.quantiles(added, n=100)
    print(f"| added, in pairs | median {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms |")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name, control_plane(Path(name)) as plane:
        asyncio.run(measured(plane, Path(name), rounds))


if __name__ == "__main__":
    main()
