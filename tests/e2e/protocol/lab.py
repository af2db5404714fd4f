"""A namespace with workloads on a real API server, and the protocol's steps on them in one word each."""

from __future__ import annotations

import asyncio
import json
import subprocess
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from kubedrill.core.paths import ApiPath
from kubedrill.core.undo.operations import FieldChange, SetFields, Target
from kubedrill.core.undo.record import DrillIdentity
from kubedrill.kube.client import MERGE_PATCH, Kube
from kubedrill.protocol.inject import inject
from kubedrill.protocol.outcomes import At, InjectionOutcome, RevertOutcome, nothing
from kubedrill.protocol.revert import revert
from kubedrill.store.undo_records import RecordRef, StoredRecord, list_records

T = TypeVar("T")
MEMORY = "/spec/template/spec/containers/0/resources"
NAMED_WEB = (("/spec/template/spec/containers/0/name", "web"),)
# with this strategy pods that never get ready are replaced all the same
REPLACING = {"rollingUpdate": {"maxUnavailable": 1, "maxSurge": 1}}
PLURALS = {"Deployment": "deployments", "StatefulSet": "statefulsets"}


class Crash(Exception):
    """The process is gone at this point."""


def crash_at(point: str) -> At:
    """A hook that ends the process at a named point."""

    async def at(reached: str) -> None:
        if reached == point:
            raise Crash(point)

    return at


def freeze_at(point: str) -> tuple[At, asyncio.Event, asyncio.Event]:
    """A hook that stops the process at a named point: (hook, it stands still, let it go on)."""
    frozen, thaw = asyncio.Event(), asyncio.Event()

    async def at(reached: str) -> None:
        if reached == point:
            frozen.set()
            await thaw.wait()

    return at, frozen, thaw


class WallClock:
    """This machine's clock, which is the API server's here."""

    error = timedelta(milliseconds=50)

    def __init__(self, ahead: timedelta = timedelta(0)) -> None:
        self.ahead = ahead

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead  # noqa: TID251  the tests' clock


def kubectl(*arguments: str, given: Any = None, succeeds: bool = True) -> str:
    """Run kubectl as a person would; what it said."""
    text = given if isinstance(given, str) or given is None else json.dumps(given)
    done = subprocess.run(["kubectl", *arguments], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is succeeds, f"kubectl {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def drill() -> DrillIdentity:
    return DrillIdentity(str(uuid.uuid4()), "storm", "control")


def changes(limit: str | None = "32Mi", request: str | None = "32Mi", **more: Any) -> tuple[FieldChange, ...]:
    """The fields of a memory fault; `more` are pointers below /spec/, with __ for a slash."""
    wished = {f"{MEMORY}/limits/memory": limit, f"{MEMORY}/requests/memory": request}
    found = [FieldChange(path, value, NAMED_WEB) for path, value in wished.items() if value]
    return (*found, *(FieldChange("/spec/" + path.replace("__", "/"), value) for path, value in more.items()))


def operator_of(control: str) -> str:
    """The name of the operator of a control namespace at the API server."""
    return f"system:serviceaccount:{control}:kubedrill"


def workload(kind: str, name: str, resources: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """A manifest. Its image can't be had, so that no pod of it ever starts."""
    if resources is None:
        resources = {"limits": {"memory": "128Mi"}, "requests": {"memory": "64Mi"}}
    container: dict[str, Any] = {"name": "web", "image": "localhost/none:1", "imagePullPolicy": "Never"}
    if resources:
        container |= {"resources": resources}
    pod = {"terminationGracePeriodSeconds": 0, "containers": [container]}
    template = {"metadata": {"labels": {"app": name}}, "spec": pod}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": name}}, "template": template}
        | ({"serviceName": name} if kind == "StatefulSet" else {})
        | spec,
    }


@dataclass
class Lab:
    """The steps. `control` is the control namespace, `namespace` the target's."""

    kube: Kube
    namespace: str
    control: str
    clock: WallClock = field(default_factory=WallClock)

    def target(self, name: str = "web", kind: str = "Deployment") -> Target:
        return Target("apps", "v1", kind, PLURALS[kind], self.namespace, name)

    def applied(self, manifest: dict[str, Any], *arguments: str) -> str:
        return kubectl("apply", "-n", self.namespace, *arguments, "-f", "-", given=manifest)

    async def made(self, manifest: dict[str, Any], *, quiet: bool = True) -> Target:
        """Create a workload and wait until its controller has seen it."""
        target = self.target(manifest["metadata"]["name"], manifest["kind"])
        path = ApiPath(target.path.rpartition("/")[0])
        answer = await self.kube.call("POST", path, manifest, query=[("fieldManager", "owner")])
        assert answer.ok, answer
        if quiet:
            await self.settled(target)
        return target

    async def settled(self, target: Target) -> dict[str, Any]:
        """The object once its controller has seen it and written what it writes on it."""

        async def caught_up() -> dict[str, Any] | None:
            seen = await self.read(target)
            metadata = seen["metadata"]
            observed = seen.get("status", {}).get("observedGeneration") == metadata["generation"]
            revised = target.kind != "Deployment" or metadata.get("annotations")
            return seen if observed and revised else None

        return await until(caught_up)

    async def read(self, target: Target) -> dict[str, Any]:
        answer = await self.kube.get(target.path)
        assert answer.ok, answer
        return answer.body

    async def merged(self, target: Target, body: dict[str, Any]) -> dict[str, Any]:
        """A player's change."""
        query = [("fieldManager", "kubectl-edit")]
        answer = await self.kube.call("PATCH", target.path, body, content_type=MERGE_PATCH, query=query)
        assert answer.ok, answer
        return answer.body

    async def set_memory(self, target: Target, limit: str | None = None, request: str | None = None) -> None:
        resources = {"limits": {"memory": limit}} if limit else {}
        resources |= {"requests": {"memory": request}} if request else {}
        seen = await self.read(target)
        containers = seen["spec"]["template"]["spec"]["containers"]
        for kind, values in resources.items():
            containers[0]["resources"].setdefault(kind, {}).update(values)
        await self.merged(target, {"spec": {"template": {"spec": {"containers": containers}}}})

    async def inject(
        self,
        who: DrillIdentity,
        target: Target,
        *wished: FieldChange,
        on: At = nothing,
        left: timedelta = timedelta(minutes=5),
        unstick: dict[str, str] | None = None,
    ) -> InjectionOutcome:
        operation = SetFields(target, wished or changes(), unstick or {})
        # All tests' workloads are in one namespace; to the lock on namespaces each is in one of its own.
        identity = DrillIdentity(who.uid, who.name, self.control, f"{self.namespace}-{target.name}")
        deadline = self.clock.now() + left
        return await inject(self.kube, identity, {"squeeze": [operation]}, deadline, self.clock, on=on)

    async def revert(self, outcome: InjectionOutcome | RecordRef, **options: Any) -> RevertOutcome:
        """One call; see `put_back` for a whole revert."""
        ref = outcome if isinstance(outcome, RecordRef) else outcome.targets[0].record
        assert ref is not None
        return await revert(self.kube, ref, "Operator", self.clock, **options)

    async def put_back(self, ref: InjectionOutcome | RecordRef, **options: Any) -> RevertOutcome:
        """Revert as a turn does: again until it is Reverted."""

        async def reverted() -> RevertOutcome | None:
            outcome = await self.revert(ref, **options)
            return outcome if outcome.state == "Reverted" else None

        return await until(reverted, within=20)

    async def record(self, who: DrillIdentity) -> StoredRecord:
        (stored,) = (await list_records(self.kube, self.control, who.uid)).readable
        return stored


async def until(condition: Callable[[], Awaitable[T | None]], within: float = 15) -> T:
    """What a condition gives, once it gives something; fails after a while."""
    deadline = asyncio.get_running_loop().time() + within
    while asyncio.get_running_loop().time() < deadline:
        found = await condition()
        if found is not None:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"not so within {within} s: {condition}")


def memory_of(seen: dict[str, Any]) -> tuple[str | None, str | None]:
    """Limit and request of the first container."""
    resources = seen["spec"]["template"]["spec"]["containers"][0].get("resources", {})
    return resources.get("limits", {}).get("memory"), resources.get("requests", {}).get("memory")


def ownership(seen: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries of those who own fields of the spec, time included (not of controllers writing status)."""
    return [entry for entry in seen["metadata"]["managedFields"] if entry.get("subresource") != "status"]


def ends(outcome: RevertOutcome) -> dict[str, str]:
    """Every field's end by the last two steps of its path."""
    return {"/".join(f.path.split("/")[-2:]): f.outcome for f in outcome.fields}
