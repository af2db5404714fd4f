"""Where the name of a stranger's server leads, looked at before anything is sent there.

Whoever may edit a Service of a target namespace, or the DNS of a host, could lead the operator to its own pod, to its
node's metadata or, by a Service of type ExternalName, to anybody. No monitoring is at such a place.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Iterable
from typing import Final

import aiohttp
from aiohttp.abc import ResolveResult

from kubedrill.core.addresses import nobodys_kind

_SERVICE: Final = ".svc"


class WrongAddress(OSError):
    """A name leads to where no monitoring is. Nothing was sent."""


def demand_addresses(host: str, canonical: str, addresses: Iterable[str]) -> None:
    """Let a host pass with the addresses that it has, and the name that it has by DNS itself (empty: not known).

    Raises:
        WrongAddress: it must not be asked; the message says why.
    """
    if is_service(host) and canonical and not f"{canonical.lower()}.".startswith(f"{host.lower()}."):
        raise WrongAddress("leads out of its namespace: it is a Service of type ExternalName, which is not followed")
    for address in addresses:
        if kind := nobodys_kind(address):
            raise WrongAddress(f"has a {kind} address, where no monitoring is: it is not asked")


def is_service(host: str) -> bool:
    """Whether a host is a Service's name within the cluster."""
    return host.endswith(_SERVICE)


class StrangersNames(aiohttp.ThreadedResolver):
    """Looks for addresses, and lets none pass that no monitoring has. `looked_for` counts for whose it is looking now:

    a name that DNS does not know may take longer than an answer may.
    """

    def __init__(self, looked_for: Counter[str] | None = None) -> None:
        super().__init__()
        self._looked_for = Counter() if looked_for is None else looked_for

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses. Raises OSError, and WrongAddress, which is one."""
        self._looked_for[host] += 1
        try:
            canonical, found = await looked_up(host, port, family)
        finally:
            self._looked_for[host] -= 1
        demand_addresses(host, canonical, (address for _, address in found))
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST)
            for kind, address in found
        ]


async def looked_up(
    host: str, port: int, family: socket.AddressFamily
) -> tuple[str, list[tuple[socket.AddressFamily, str]]]:
    """The name that a host has by DNS itself, behind all aliases, and its addresses. Raises OSError."""
    flags = socket.AI_ADDRCONFIG | socket.AI_CANONNAME
    infos = await asyncio.get_running_loop().getaddrinfo(
        host, port, family=family, type=socket.SOCK_STREAM, flags=flags
    )
    canonical = next((name for _, _, _, name, _ in infos if name), "")
    return canonical, [(kind, str(address[0])) for kind, _, _, _, address in infos]
