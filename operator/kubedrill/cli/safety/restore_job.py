"""The Job that puts back what only answers inside the cluster, with the watchdog's rights.

It runs this very `restore` for the named records, and says in one line of JSON how each revert stands; what came
of it field by field is in the records.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from kubedrill.api.durations import format_duration
from kubedrill.cli.clock import until_the_next_look
from kubedrill.cli.connection import SERVICE_ACCOUNT, CliError, demand
from kubedrill.cli.exit_codes import ExitCode
from kubedrill.cli.safety.one_record import FORBIDDEN, Effort
from kubedrill.core.undo.record import RecordState
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.kube.paths import DEPLOYMENTS, JOBS, PODS, SERVICE_ACCOUNTS
from kubedrill.protocol.outcomes import Reversal, RevertOutcome
from kubedrill.store import undo_records
from kubedrill.store.undo_records import RecordError, RecordRef

WATCHDOG: Final = "kubedrill-watchdog"
STARTING: Final = timedelta(seconds=60)
"""How long a pod may take until it runs."""


async def put_back_inside(
    kube: Kube, refs: tuple[RecordRef, ...], effort: Effort, image: str | None
) -> tuple[RevertOutcome, ...]:
    """Revert records of one control namespace from inside the cluster; an outcome for each, in their order."""
    namespace = refs[0].namespace
    try:
        await _demand_rights(kube, namespace)
        pod = await _pod_of(kube, namespace, image)
        manifest = job(namespace, tuple(ref.name for ref in refs), effort, pod)
        made = await demand(kube.call("POST", JOBS.of(namespace), manifest), "the Job that would restore it")
    except CliError as trouble:
        reason = FORBIDDEN if trouble.exit_code == ExitCode.REFUSED else "NoJob"
        return tuple(RevertOutcome(Reversal.STALLED, reason, trouble.message) for _ in refs)
    except Unreachable as error:
        return tuple(RevertOutcome(Reversal.RETRY, "Unreachable", str(error)[:500]) for _ in refs)
    name = str(made["metadata"]["name"])
    try:
        said = await _said(kube, namespace, name, effort.patience + STARTING)
    finally:
        with suppress(Unreachable):  # it goes by itself after a while
            await kube.call("DELETE", JOBS.one(namespace, name), {"propagationPolicy": "Background"})
    return tuple([await _outcome(kube, ref, said) for ref in refs])


def job(namespace: str, names: tuple[str, ...], effort: Effort, pod: Mapping[str, Any]) -> dict[str, Any]:
    """The Job. It fits a namespace that enforces the pod security level `restricted`."""
    seconds = max(1, int(effort.patience.total_seconds()))
    command = ["python3", "-m", "kubedrill.cli.main", "restore", "-n", namespace, "--by", effort.by]
    command += ["--wait", f"{seconds}s", *(f"--in-cluster={name}" for name in names)]
    container = {
        "name": "restore",
        "command": command,
        "resources": {"requests": {"cpu": "20m", "memory": "96Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "imagePullPolicy": "IfNotPresent",
        "image": pod["image"],
    }
    spec = {
        "serviceAccountName": WATCHDOG,
        "restartPolicy": "Never",
        "enableServiceLinks": False,
        "imagePullSecrets": pod["imagePullSecrets"],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
    }
    labels = {"app.kubernetes.io/name": "kubedrill-restore"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"generateName": "kubedrill-restore-", "namespace": namespace, "labels": labels},
        "spec": {
            "backoffLimit": 0,
            # whoever waits for it may be gone: it ends and goes by itself
            "activeDeadlineSeconds": seconds + int(STARTING.total_seconds()),
            "ttlSecondsAfterFinished": 300,
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


async def _demand_rights(kube: Kube, namespace: str) -> None:
    """Without its ServiceAccount a Job would wait for ever without a word. Unreadable says nothing."""
    answer = await kube.get(SERVICE_ACCOUNTS.one(namespace, WATCHDOG))
    if answer.status == 404:
        raise CliError(
            f"it is only reached inside the cluster, and ServiceAccount {WATCHDOG} is not there. It comes with"
            f" kubectl apply -k manifests/base, or by hand:\n"
            f"      kubectl create serviceaccount {WATCHDOG} -n {namespace}\n"
            f"      kubectl create role {WATCHDOG} -n {namespace} --verb=get,list,patch,delete --resource=secrets\n"
            f"      kubectl create rolebinding {WATCHDOG} -n {namespace} --role={WATCHDOG}"
            f" --serviceaccount={namespace}:{WATCHDOG}"
        )


async def _pod_of(kube: Kube, namespace: str, image: str | None) -> dict[str, Any]:
    """The image that holds KubeDrill, and how it is pulled: the operator's, or the one that was named."""
    if image:
        return {"image": image, "imagePullSecrets": []}
    for name in (SERVICE_ACCOUNT, WATCHDOG):
        answer = await kube.get(DEPLOYMENTS.one(namespace, name))
        if answer.ok:
            spec = answer.body["spec"]["template"]["spec"]
            image = spec["containers"][0]["image"]
            return {"image": image, "imagePullSecrets": spec.get("imagePullSecrets") or []}
    raise CliError(
        f"it is only reached inside the cluster, and no Deployment of KubeDrill is in {namespace} to take the"
        " image from: say it with --image"
    )


async def _said(kube: Kube, namespace: str, name: str, patience: timedelta) -> dict[str, Any]:
    """What the Job printed once it has ended; a reason and a message when it has not, or printed no JSON."""
    loop = asyncio.get_running_loop()
    until = loop.time() + patience.total_seconds()
    while loop.time() < until:
        with suppress(Unreachable):
            answer = await kube.get(JOBS.one(namespace, name))
            conditions = ((answer.body.get("status") or {}).get("conditions") or ()) if answer.ok else ()
            if any(c["type"] in ("Complete", "Failed") and c["status"] == "True" for c in conditions):
                return await _log(kube, namespace, name)
        await until_the_next_look()
    with suppress(Unreachable):
        why = _state_of(await _pod(kube, namespace, name))
        return {"message": f"Job {name} has not ended after {format_duration(patience)}; its pod: {why}"}
    return {"message": f"the API server does not say how Job {name} stands"}


def _state_of(pod: Mapping[str, Any]) -> str:
    """Why a pod does not run, in its own words."""
    status = pod.get("status") or {}
    containers: list[dict[str, Any]] = status.get("containerStatuses") or [{}]
    waiting = (containers[0].get("state") or {}).get("waiting") or {}
    return f"{waiting.get('reason') or status.get('phase', 'there is none')} {waiting.get('message', '')}".strip()


async def _log(kube: Kube, namespace: str, name: str) -> dict[str, Any]:
    pod = await _pod(kube, namespace, name)
    if not pod:
        return {}
    path = PODS.part(namespace, pod["metadata"]["name"], "log")
    return (await kube.get(path, query=[("tailLines", "5")])).body


async def _pod(kube: Kube, namespace: str, name: str) -> dict[str, Any]:
    answer = await kube.get(PODS.of(namespace), query=[("labelSelector", f"job-name={name}")])
    found: list[dict[str, Any]] = answer.body.get("items") or []
    return found[0] if answer.ok and found else {}


async def _outcome(kube: Kube, ref: RecordRef, said: Mapping[str, Any]) -> RevertOutcome:
    """How a record stands after the Job: the record itself is the truth, the Job only tells what resists."""
    try:
        stored = await undo_records.read(kube, ref)
    except (RecordError, Unreachable) as trouble:
        return RevertOutcome(Reversal.RETRY, "Unknown", str(trouble)[:500])
    if stored is None:
        return RevertOutcome(Reversal.REVERTED, "RecordClosed", "it was restored and closed before")
    if stored.record.state is RecordState.REVERTED:
        fields = stored.record.outcome.fields if stored.record.outcome else ()
        return RevertOutcome(Reversal.REVERTED, stored=stored, fields=fields, restored=True)
    told = said.get(ref.name) or {"reason": "JobFailed", "message": said.get("message") or "it printed nothing"}
    return RevertOutcome(Reversal.RETRY, str(told["reason"]), str(told["message"])[:500])
