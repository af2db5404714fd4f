"""Where a drill's monitoring answers and how it is asked, from what its environment, or the drill itself, says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from kubedrill.api.environment import AnotherAlertmanager, MonitoringServer, ServerAccess
from kubedrill.api.faults import ServiceRef
from kubedrill.core.access import MonitoringAccess
from kubedrill.core.plan.drill_plan import Endpoint

_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a Service is whose namespace is left out, and where the Secrets are that an environment names."""

    target_namespace: str
    control_namespace: str


def served(
    own: ServiceRef | None, shared: MonitoringServer | None, default: tuple[str, int], where: Whereabouts
) -> Endpoint:
    """Where a server answers: where the drill says, else where its environment says, else where it usually is.

    What the environment says of its own server, credentials above all, is never said to one that a drill names.
    """
    if own is not None:
        return _service(own, None, where)
    if shared is None:
        return _service(ServiceRef(name=default[0], port=default[1]), None, where)
    if shared.url is not None:
        return _outside(shared.url, shared, where)
    return _service(shared.service or ServiceRef(name=default[0], port=default[1]), shared, where)


def another(server: AnotherAlertmanager, where: Whereabouts) -> Endpoint:
    """Where one more Alertmanager answers."""
    return _service(server, server, where)


def _service(ref: ServiceRef, how: ServerAccess | None, where: Whereabouts) -> Endpoint:
    prefix = (how.path_prefix or "") if how else ""
    access = _access(how, prefix, where, tls=how is not None and how.tls is not None)
    return Endpoint(ref.namespace or where.target_namespace, ref.name, ref.port, access)


def _outside(url: str, how: ServerAccess, where: Whereabouts) -> Endpoint:
    parts = urlsplit(url)
    access = _access(how, parts.path, where, tls=parts.scheme == "https")
    return Endpoint("", parts.hostname or "", parts.port or _PORTS[parts.scheme], access, is_outside=True)


def _access(how: ServerAccess | None, prefix: str, where: Whereabouts, *, tls: bool) -> MonitoringAccess:
    credentials = (how.credentials or "") if how else ""
    return MonitoringAccess(
        tls=tls,
        prefix=prefix.rstrip("/"),
        server_name=(how.tls.server_name or "") if how and how.tls else "",
        credentials=credentials,
        kept_in=where.control_namespace if credentials else "",
        tenant_header=how.tenant.header if how and how.tenant else "",
        tenant=how.tenant.name if how and how.tenant else "",
    )
