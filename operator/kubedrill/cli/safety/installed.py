"""All that an installation consists of: its objects in the order in which they are removed, and what it is at."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from kubedrill.api.base import GROUP
from kubedrill.cli.connection import OPT_IN_LABEL, SERVICE_ACCOUNT, CliError, demand
from kubedrill.cli.exit_codes import ExitCode
from kubedrill.cli.safety.restore_job import WATCHDOG
from kubedrill.cli.setup.opt_in import NAME
from kubedrill.cli.setup.witness import NAME as WITNESS
from kubedrill.cli.standing import ENDED
from kubedrill.core.paths import ApiPath
from kubedrill.kube.client import Kube
from kubedrill.kube.paths import (
    ALERTMANAGER_CONFIGS,
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    CONFIG_MAPS,
    DEFINITIONS,
    DEPLOYMENTS,
    DRILLS,
    JOBS,
    LEASES,
    NAMESPACES,
    PODS,
    POLICIES,
    POLICY_BINDINGS,
    PRIORITY_CLASSES,
    PROMETHEUS_RULES,
    ROLE_BINDINGS,
    ROLES,
    SECRETS,
    SERVICE_ACCOUNTS,
    SERVICE_MONITORS,
    SERVICES,
    WEBHOOKS,
)

_POLICIES: Final = (
    "kubedrill-undo-records",
    "kubedrill-put-back-first",
    "kubedrill-facilitators-word",
    "kubedrill-control-namespace",
    "kubedrill-definitions",
    "kubedrill-own-words",
    "kubedrill-one-environment",
)
TRIES: Final = 10
RETRY_AFTER: Final = 1.0
"""Seconds, where the API server does not say for how long it wants to be left alone."""
_ROLES: Final = ("namespaces", "player", "find", "opt-in", "observer", "environment-admin", "facilitator")
_BREAK_GLASS: Final = "kubedrill-break-glass"
KINDS: Final = ("drills", "drillscenarios", "drillenvironments", "drillrosters", "playeractions", "drillreports")


def policies() -> tuple[ApiPath, ...]:
    """What keeps records, words and environments apart: the bindings first, for a policy without one binds nobody."""
    return tuple(kind.one(name) for kind in (POLICY_BINDINGS, POLICIES) for name in _POLICIES)


def workloads(control: str) -> tuple[ApiPath, ...]:
    """What runs: the operator and the watchdog."""
    return tuple(DEPLOYMENTS.one(control, name) for name in (SERVICE_ACCOUNT, WATCHDOG))


def witness(control: str) -> tuple[ApiPath, ...]:
    """What tells the operator of everybody's writes: the configuration first, then nobody is asked any more."""
    return (WEBHOOKS.one(WITNESS), SERVICES.one(control, WITNESS), SECRETS.one(control, WITNESS))


def belongings(control: str) -> tuple[ApiPath, ...]:
    """What the workloads are reached by, speak with, may do and are worth."""
    names = (SERVICE_ACCOUNT, WATCHDOG, _BREAK_GLASS)
    return (
        *witness(control),
        *(SERVICE_MONITORS.one(control, name) for name in (SERVICE_ACCOUNT, WATCHDOG)),
        PROMETHEUS_RULES.one(control, SERVICE_ACCOUNT),
        ALERTMANAGER_CONFIGS.one(control, SERVICE_ACCOUNT),
        CONFIG_MAPS.one(control, "kubedrill-dashboards"),
        JOBS.one(control, "kubedrill-restore-first"),
        *(SERVICES.one(control, name) for name in (SERVICE_ACCOUNT, WATCHDOG)),
        SECRETS.one(control, "kubedrill-webhook"),
        LEASES.one(control, SERVICE_ACCOUNT),
        *(kind.one(control, name) for kind in (ROLE_BINDINGS, ROLES) for name in names),
        *(CLUSTER_ROLE_BINDINGS.one(name) for name in ("kubedrill-namespaces", _BREAK_GLASS)),
        *(CLUSTER_ROLES.one(f"kubedrill-{name}") for name in _ROLES),
        *(SERVICE_ACCOUNTS.one(control, name) for name in (SERVICE_ACCOUNT, WATCHDOG)),
        PRIORITY_CLASSES.one("kubedrill"),
    )


def definitions() -> tuple[ApiPath, ...]:
    """The CRDs: with them go all drills and all reports."""
    return tuple(DEFINITIONS.one(f"{kind}.{GROUP}") for kind in KINDS)


def short(path: str) -> str:
    """A path as people say it: `deployments/kubedrill`."""
    return "/".join(path.split("/")[-2:])


async def drills(kube: Kube, control: str | None = None) -> list[dict[str, Any]]:
    """The Drills of a control namespace, or of all; none where the kind is not served.

    Of a kind that was defined a moment ago the API server says 429 until it can store it.

    Raises:
        Trouble: they can't be listed.
    """
    path = DRILLS.of(control) if control else DRILLS.everywhere
    answer = await kube.get(path)
    for _ in range(TRIES):
        if answer.status != 429:
            break
        await asyncio.sleep(answer.retry_after.total_seconds() or RETRY_AFTER)
        answer = await kube.get(path)
    if answer.status == 404:
        return []
    if not answer.ok:
        code = ExitCode.REFUSED if answer.status in (401, 403) else ExitCode.ERROR
        raise CliError(f"drills of {control or 'all namespaces'}: {answer.message}", code)
    found: list[dict[str, Any]] = answer.body["items"]
    return found


async def active(kube: Kube, control: str) -> list[dict[str, Any]]:
    """The Drills that have not ended."""
    return [d for d in await drills(kube, control) if (d.get("status") or {}).get("phase") not in ENDED]


async def operator_runs(kube: Kube, control: str) -> bool:
    """Whether an operator is ready to put back what it has broken."""
    answer = await kube.get(workloads(control)[0])
    return answer.ok and bool((answer.body.get("status") or {}).get("readyReplicas"))


async def pods(kube: Kube, control: str) -> list[str]:
    """The pods of operator and watchdog that there still are.

    Raises:
        Trouble: they can't be listed.
    """
    found = []
    for name in (SERVICE_ACCOUNT, WATCHDOG):
        query = [("labelSelector", f"app.kubernetes.io/name={name}")]
        body = await demand(kube.get(PODS.of(control), query=query), f"pods of {name}")
        found += [item["metadata"]["name"] for item in body["items"]]
    return found


async def opted_in(kube: Kube, control: str) -> list[str]:
    """The namespaces that have opted in: by their label, or by their binding where the label was taken off.

    Raises:
        Trouble: they can't be listed.
    """
    labels = [("labelSelector", f"{OPT_IN_LABEL}={control}")]
    labelled = await demand(kube.get(NAMESPACES.all, query=labels), "namespaces that have opted in")
    named = [("fieldSelector", f"metadata.name={NAME}")]
    bound = await demand(kube.get(ROLE_BINDINGS.everywhere, query=named), "rights in namespaces that have opted in")
    names = {item["metadata"]["name"] for item in labelled["items"]}
    for binding in bound["items"]:
        if any(subject.get("namespace") == control for subject in binding.get("subjects") or ()):
            names.add(binding["metadata"]["namespace"])
    return sorted(names)


async def helm_records(kube: Kube, control: str) -> tuple[ApiPath, ...]:
    """What Helm remembers of a release that installed KubeDrill, a Secret each revision; none where it was no Helm.

    Without them Helm knows the release no more. Whose it is stands at each of its objects; the one that is asked is the
    last that is removed, so that an uninstall which was interrupted still knows.

    Raises:
        CliError: they can't be listed.
    """
    last = await kube.get(belongings(control)[-1])
    annotations = (last.body.get("metadata") or {}).get("annotations") or {} if last.ok else {}
    release = str(annotations.get("meta.helm.sh/release-name", ""))
    if not release or annotations.get("meta.helm.sh/release-namespace") != control:
        return ()
    query = [("labelSelector", f"owner=helm,name={release}"), ("fieldSelector", "type=helm.sh/release.v1")]
    body = await demand(kube.get(SECRETS.of(control), query=query), f"Helm's records of {release}")
    return tuple(SECRETS.one(control, item["metadata"]["name"]) for item in body["items"])
