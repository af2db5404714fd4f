"""Pods without a node: the API server and the controllers are real, and this says what a kubelet would say.

Pods whose scheduler does not exist are never placed. Those with the good limit are said to be ready, those with the
fault's limit to have been OOM-killed. So a drill goes its whole way in a second or two, on any number of workloads.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import Any, Final

from kubedrill.core.paths import ApiPath
from kubedrill.kube.client import MERGE_PATCH, Kube, Unreachable

SCHEDULER: Final = "nobody"
LABEL: Final = "faultmatrix"
FAULTED: Final = "24Mi"
"""The limit under which a container is said to have been killed; and how a target with any fault is told of."""
NO_SUCH_IMAGE: Final = "none:gone"


class Kubelet:
    """Tells of all pods with the label, in every namespace."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._told: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to watch."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Ends."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        query = [("labelSelector", LABEL)]
        while True:
            with contextlib.suppress(Unreachable):
                found = await self._kube.get(ApiPath("/api/v1/pods"), query=query)
                for pod in found.body.get("items", ()):
                    await self._tell(pod)
                version = (found.body.get("metadata") or {}).get("resourceVersion", "")
                async for event in self._kube.watch(ApiPath("/api/v1/pods"), version, query):
                    if event["type"] == "ERROR":
                        break
                    if event["type"] in ("ADDED", "MODIFIED"):
                        await self._tell(event["object"])
            await asyncio.sleep(0.1)

    async def _tell(self, pod: dict[str, Any]) -> None:
        meta = pod["metadata"]
        if meta["uid"] in self._told or meta.get("deletionTimestamp"):
            return
        path = ApiPath(f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/status")
        answer = await self._kube.call("PATCH", path, {"status": _status(pod)}, content_type=MERGE_PATCH)
        if answer.ok or answer.status == 404:
            self._told.add(meta["uid"])


def _status(pod: dict[str, Any]) -> dict[str, Any]:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")  # noqa: TID251  the kubelet has its own clock
    container = pod["spec"]["containers"][0]
    killed_at_once = container.get("resources", {}).get("limits", {}).get("memory") == FAULTED
    pulled = container["image"] != NO_SUCH_IMAGE
    faulted = killed_at_once or not pulled
    told: dict[str, Any] = {
        "name": container["name"],
        "image": container["image"],
        "imageID": "none",
        "ready": not faulted,
        "restartCount": int(killed_at_once),
    }
    if not pulled:
        told |= {"started": False, "state": {"waiting": {"reason": "ErrImagePull", "message": "no such tag"}}}
    elif killed_at_once:
        killed = {
            "exitCode": 137,
            "reason": "OOMKilled",
            "startedAt": now,
            "finishedAt": now,
            "containerID": f"matrix://{pod['metadata']['uid']}",
        }
        told |= {
            "lastState": {"terminated": killed},
            "started": False,
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
        }
    else:
        told |= {"state": {"running": {"startedAt": now}}, "started": True}
    ready = {"type": "Ready", "status": "False" if faulted else "True", "lastTransitionTime": now}
    whole = {"type": "ContainersReady", "status": ready["status"], "lastTransitionTime": now}
    return {
        "phase": "Running" if pulled else "Pending",
        "startTime": now,
        "containerStatuses": [told],
        "conditions": [ready, whole],
    }
