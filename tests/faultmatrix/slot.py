"""A slot: a control and a target namespace of its own, with rights as installed, where plans run one by one."""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from redis.asyncio import Redis
from tests.faultmatrix import shapes
from tests.faultmatrix.installation import path_of, rights
from tests.faultmatrix.proxy import Upstream
from tests.faultmatrix.services import Services

from kubedrill.cli.setup.opt_in import MORE
from kubedrill.cli.setup.opt_in import objects as opt_in_objects
from kubedrill.core.paths import ApiPath
from kubedrill.kube.client import JSON_PATCH, MERGE_PATCH, Answer, Kube
from kubedrill.protocol.drills import drill_path

APPLY: Final = "application/apply-patch+yaml"
RECORDS: Final = [("fieldSelector", "type=kubedrill.dev/undo")]
ROLES: Final = ("kubedrill", "kubedrill-watchdog")


@dataclass
class Slot:
    """Where plans run. `kube` is an admin's own way to the API server, not through a proxy."""

    number: int
    kube: Kube
    upstream: Upstream
    services: Services
    folder: Path
    tokens: dict[str, str] = field(default_factory=dict)
    generation: int = 0
    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:4])

    @property
    def control(self) -> str:
        """The control namespace: of a name that no earlier run had, which may still be terminating."""
        return f"fm-{self.number}-{self.mark}"

    @property
    def target(self) -> str:
        """The namespace that is broken."""
        return f"{self.control}-t" + (f"{self.generation}" if self.generation else "")

    @property
    def queue(self) -> str:
        """The key of its queue."""
        return shapes.queue_of(self.target)

    async def set_up(self) -> None:
        """Namespaces, rights, tokens: as `make install` and `kubectl drill opt-in` give them."""
        meta = {"name": self.control, "labels": {"kubedrill.dev/control": "true"}}
        await self.must("POST", "/api/v1/namespaces", {"metadata": meta}, also=(409,))
        for thing in rights(self.control):
            await self.apply(thing)
        for role in ROLES:
            path = f"/api/v1/namespaces/{self.control}/serviceaccounts/{role}/token"
            made = await self.must("POST", path, {"spec": {"expirationSeconds": 3 * 3600}})
            self.tokens[role] = made.body["status"]["token"]
        await self.set_up_target()

    async def set_up_target(self) -> None:
        """The target namespace, opted in, with its Services."""
        await self.must("POST", "/api/v1/namespaces", {"metadata": {"name": self.target}}, also=(409,))
        await self.opt_in()
        for name, port in (
            ("redis", self.services.redis),
            ("prometheus", self.services.prometheus),
            ("alertmanager", self.services.alertmanager),
        ):
            await self.must(
                "POST",
                f"/api/v1/namespaces/{self.target}/services",
                shapes.service(self.target, name, port),
                also=(409,),
            )

    async def next_target(self) -> None:
        """Another target namespace: the one before was deleted by the plan."""
        self.generation += 1
        await self.set_up_target()

    async def opt_in(self) -> None:
        """What `kubectl drill opt-in` applies."""
        label, *granted = opt_in_objects(self.target, self.control, *MORE)
        labels = {"metadata": {"labels": label["metadata"]["labels"]}}
        await self.must("PATCH", f"/api/v1/namespaces/{self.target}", labels, MERGE_PATCH)
        for thing in granted:
            await self.apply(thing)

    async def tear_down(self) -> None:
        """Removes both namespaces and the cluster-wide bindings; the API server finishes alone."""
        for thing in rights(self.control):
            if thing["kind"] == "ClusterRoleBinding":
                await self.kube.call("DELETE", path_of(thing))
        found = await self.kube.get(drill_path(self.control))
        for drill in found.body.get("items") or ():  # of a plan that was cut short: nobody would let them go
            await self.clear(drill["metadata"]["name"])
        for namespace in (self.control, self.target):
            await self.kube.call("DELETE", ApiPath(f"/api/v1/namespaces/{namespace}"))

    def kubeconfig(self, role: str, port: int) -> Path:
        """The way of a role to the API server: through the proxy, under its own ServiceAccount."""
        path = self.folder / f"{role}.kubeconfig"
        path.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "matrix",
                    "clusters": [{"name": "matrix", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
                    "users": [{"name": "matrix", "user": {"token": self.tokens[role]}}],
                    "contexts": [{"name": "matrix", "context": {"cluster": "matrix", "user": "matrix"}}],
                }
            )
        )
        return path

    def environment(self, role: str, port: int) -> dict[str, str]:
        """What the image's environment says, and the way to the API server."""
        return {
            "KUBECONFIG": str(self.kubeconfig(role, port)),
            "KUBEDRILL_NAMESPACE": self.control,
            "KUBEDRILL_LOG": os.environ.get("KUBEDRILL_LOG", "INFO"),
            "PYTHONWARNINGS": "default",
        }

    # ---- the world of a plan
    async def whole(self, fault: str) -> None:
        """The plan's workloads as they were made, settled; nothing of an earlier plan is left."""
        if shapes.makes(fault):
            await self.gone(f"{shapes.quotas_of(self.target)}/{shapes.QUOTA}")
        for kind, name in shapes.targets_of(fault):
            async with asyncio.timeout(60):
                await self._made(kind, name)
        async with asyncio.timeout(30):
            for kind, name in shapes.targets_of(fault):
                while not shapes.settled(kind, (await self.kube.get(self.path_of(kind, name))).body):
                    await asyncio.sleep(0.05)

    async def _made(self, kind: str, name: str) -> None:
        """A workload as it was made, whoever else is at it."""
        path = self.path_of(kind, name)
        wanted = shapes.workload(kind, self.target, name)
        found = await self.kube.get(path)
        while not (found.ok and shapes.as_made(found.body, wanted)):
            if found.ok:
                await self.gone(path)
            # somebody of an earlier plan may be making one in this very moment: then it is looked at again
            await self.must("POST", path.rpartition("/")[0], wanted, also=(409,))
            found = await self.kube.get(path)

    async def gone(self, path: str) -> None:
        """Deletes an object with all that it owns, and waits until it is gone."""
        await self.kube.call("DELETE", ApiPath(path), {"propagationPolicy": "Foreground"})
        async with asyncio.timeout(30):
            while (await self.kube.get(ApiPath(path))).status != 404:
                await asyncio.sleep(0.05)

    async def without_quotas(self) -> None:
        """Nobody's quota is left: it would keep pods away from the plans that follow."""
        await self.kube.call("DELETE", shapes.quotas_of(self.target))

    async def clear(self, name: str) -> None:
        """After a failed plan: its Drill, its records and its jobs are taken away by force, and seen to be gone."""
        path = drill_path(self.control, name)
        await self.kube.call("DELETE", path)
        await self.as_break_glass("PATCH", path, {"metadata": {"finalizers": None}})
        for record in await self.records():
            # the policies let only the operator and the break-glass group do so
            secret = f"/api/v1/namespaces/{self.control}/secrets/{record['metadata']['name']}"
            await self.as_break_glass("DELETE", secret)
        async with asyncio.timeout(30):
            while await self.drill(name) or await self.records():
                await asyncio.sleep(0.05)
        async with self.redis() as redis:
            keys = [key async for key in redis.scan_iter(match=f"*{self.target}:*")]
            if keys:
                await redis.delete(*keys)

    async def as_break_glass(self, method: str, path: str, body: Any = None) -> Answer:
        """As a member of the break-glass group."""
        headers = {"Impersonate-User": "somebody", "Impersonate-Group": "kubedrill:break-glass"}
        content_type = MERGE_PATCH if method == "PATCH" else "application/json"
        return await self.kube.call(method, ApiPath(path), body, content_type=content_type, headers=headers)

    def redis(self) -> Redis:
        """A connection to the queue's Redis. All slots have one database: a slot's keys bear its target namespace."""
        return Redis(port=self.services.redis, decode_responses=True)

    async def workloads(self, fault: str) -> dict[str, dict[str, Any]]:
        """The targets as they are, by kind and name; empty where there is none."""
        return {
            f"{kind}/{name}": (await self.kube.get(self.path_of(kind, name))).body
            for kind, name in shapes.targets_of(fault)
        }

    async def records(self) -> list[dict[str, Any]]:
        """The undo records of the control namespace."""
        found = await self.must("GET", f"/api/v1/namespaces/{self.control}/secrets", query=RECORDS)
        return list(found.body.get("items") or ())

    async def drill(self, name: str) -> dict[str, Any] | None:
        """The Drill, None when it is gone."""
        found = await self.kube.get(drill_path(self.control, name))
        return None if found.status == 404 else found.body

    async def set_limit(self, kind: str, name: str, value: str, manager: str = "kubectl-set") -> Answer:
        """What `kubectl set resources` does: limit and request of the container."""
        resources = f"{shapes.CONTAINER}/resources"
        paths = [f"{resources}/{what}/memory" for what in ("limits", "requests")]
        patch = [{"op": "replace", "path": path, "value": value} for path in paths]
        return await self.kube.call(
            "PATCH", self.path_of(kind, name), patch, content_type=JSON_PATCH, query=[("fieldManager", manager)]
        )

    def path_of(self, kind: str, name: str) -> ApiPath:
        """A workload's path."""
        return ApiPath(f"/apis/apps/v1/namespaces/{self.target}/{shapes.PLURALS[kind]}/{name}")

    async def apply(self, thing: dict[str, Any]) -> None:
        """Server-side apply of any object that the manifests have."""
        await self.must("PATCH", path_of(thing), thing, APPLY, query=[("fieldManager", "matrix"), ("force", "true")])

    async def must(
        self,
        method: str,
        path: str,
        body: Any = None,
        content_type: str = "application/json",
        *,
        also: tuple[int, ...] = (),
        query: Any = (),
    ) -> Answer:
        """A request that has to succeed."""
        answer = await self.kube.call(method, ApiPath(path), body, content_type=content_type, query=query)
        assert answer.ok or answer.status in also, f"{method} {path}: {answer.status} {answer.message}"
        return answer
