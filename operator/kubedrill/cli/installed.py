"""All that an installation consists of: its objects in the order in which they are removed, and what it is at."""

from __future__ import annotations

from typing import Any, Final

from kubedrill.api.base import GROUP, VERSION
from kubedrill.cli.connection import OPT_IN_LABEL, SERVICE_ACCOUNT, Trouble, demand
from kubedrill.cli.exit_codes import ExitCode
from kubedrill.cli.facilitate import ENDED
from kubedrill.cli.opt_in import NAME
from kubedrill.cli.restore_job import WATCHDOG
from kubedrill.kube.client import Kube
from kubedrill.protocol.drills import drill_path

_ADMISSION: Final = "/apis/admissionregistration.k8s.io/v1"
_RBAC: Final = "/apis/rbac.authorization.k8s.io/v1"
_DEFINITIONS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_POLICIES: Final = (
    "kubedrill-undo-records",
    "kubedrill-put-back-first",
    "kubedrill-control-namespace",
    "kubedrill-definitions",
)
_BREAK_GLASS: Final = "kubedrill-break-glass"
KINDS: Final = ("drills", "drillscenarios", "playeractions", "drillreports")


def policies() -> tuple[str, ...]:
    """What keeps the undo records: the bindings first, for a policy without one binds nobody."""
    plurals = ("validatingadmissionpolicybindings", "validatingadmissionpolicies")
    return tuple(f"{_ADMISSION}/{plural}/{name}" for plural in plurals for name in _POLICIES)


def workloads(control: str) -> tuple[str, ...]:
    """What runs: the operator and the watchdog."""
    return tuple(f"/apis/apps/v1/namespaces/{control}/deployments/{name}" for name in (SERVICE_ACCOUNT, WATCHDOG))


def belongings(control: str) -> tuple[str, ...]:
    """What the workloads are reached by, speak with and may do."""
    core, rights = f"/api/v1/namespaces/{control}", f"{_RBAC}/namespaces/{control}"
    names = (SERVICE_ACCOUNT, WATCHDOG, _BREAK_GLASS)
    return (
        *(f"{core}/services/{name}" for name in (SERVICE_ACCOUNT, WATCHDOG)),
        f"{core}/secrets/kubedrill-webhook",
        f"/apis/coordination.k8s.io/v1/namespaces/{control}/leases/{SERVICE_ACCOUNT}",
        *(f"{rights}/{plural}/{name}" for plural in ("rolebindings", "roles") for name in names),
        *(f"{_RBAC}/clusterrolebindings/{name}" for name in ("kubedrill-namespaces", _BREAK_GLASS)),
        f"{_RBAC}/clusterroles/kubedrill-namespaces",
        *(f"{core}/serviceaccounts/{name}" for name in (SERVICE_ACCOUNT, WATCHDOG)),
    )


def definitions() -> tuple[str, ...]:
    """The CRDs: with them go all drills and all reports."""
    return tuple(f"{_DEFINITIONS}/{kind}.{GROUP}" for kind in KINDS)


def short(path: str) -> str:
    """A path as people say it: `deployments/kubedrill`."""
    return "/".join(path.split("/")[-2:])


async def drills(kube: Kube, control: str | None = None) -> list[dict[str, Any]]:
    """The Drills of a control namespace, or of all; none where the kind is not served.

    Raises:
        Trouble: they can't be listed.
    """
    answer = await kube.get(drill_path(control) if control else f"/apis/{GROUP}/{VERSION}/drills")
    if answer.status == 404:
        return []
    if not answer.ok:
        code = ExitCode.REFUSED if answer.status in (401, 403) else ExitCode.ERROR
        raise Trouble(f"drills of {control or 'all namespaces'}: {answer.message}", code)
    found: list[dict[str, Any]] = answer.body["items"]
    return found


async def active(kube: Kube, control: str) -> list[dict[str, Any]]:
    """The Drills that have not ended."""
    return [d for d in await drills(kube, control) if (d.get("status") or {}).get("phase") not in ENDED]


async def operator_runs(kube: Kube, control: str) -> bool:
    """Whether an operator is ready to put back what it has broken."""
    answer = await kube.get(workloads(control)[0])
    return bool((answer.body.get("status") or {}).get("readyReplicas"))


async def pods(kube: Kube, control: str) -> list[str]:
    """The pods of operator and watchdog that there still are.

    Raises:
        Trouble: they can't be listed.
    """
    found = []
    for name in (SERVICE_ACCOUNT, WATCHDOG):
        query = [("labelSelector", f"app.kubernetes.io/name={name}")]
        body = await demand(kube.get(f"/api/v1/namespaces/{control}/pods", query=query), f"pods of {name}")
        found += [item["metadata"]["name"] for item in body["items"]]
    return found


async def opted_in(kube: Kube, control: str) -> list[str]:
    """The namespaces that have opted in: by their label, or by their binding where the label was taken off.

    Raises:
        Trouble: they can't be listed.
    """
    labels = [("labelSelector", f"{OPT_IN_LABEL}={control}")]
    labelled = await demand(kube.get("/api/v1/namespaces", query=labels), "namespaces that have opted in")
    named = [("fieldSelector", f"metadata.name={NAME}")]
    bound = await demand(kube.get(f"{_RBAC}/rolebindings", query=named), "rights in namespaces that have opted in")
    names = {item["metadata"]["name"] for item in labelled["items"]}
    for binding in bound["items"]:
        if any(subject.get("namespace") == control for subject in binding.get("subjects") or ()):
            names.add(binding["metadata"]["namespace"])
    return sorted(names)
