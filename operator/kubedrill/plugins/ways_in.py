"""How monitoring is asked, by the operator and by the watchdog alike: its URL, its headers and its TLS.

Credentials are read when somebody asks, kept for some seconds, and read again at once when a server does not take them
(any more): a Secret that is rotated in the middle of a drill costs no answer. They are never written anywhere: a
certificate's key goes from memory to OpenSSL.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, Final, TypeVar

import aiohttp

from kubedrill.core.access import MonitoringAccess
from kubedrill.kube.answers import NoAnswer
from kubedrill.kube.certificate_chain import present
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.kube.strangers import NotLetIn, why_no_tls
from kubedrill.store.access_secrets import NONE, Credentials, read_credentials, refused

T = TypeVar("T")
Read = Callable[[MonitoringAccess, str, int], Awaitable[Credentials]]
"""Reads the credentials of an access for a host and port. Raises SecretRefused and Unreachable."""

KEPT_FOR: Final = 30.0
"""Seconds for which credentials are used as they were read, while the server takes them."""
READ_EVERY: Final = 1.0
"""Seconds for which those are used that it does not take: not every question reads them anew."""
MOST_KEPT: Final = 200


@dataclass(frozen=True, slots=True)
class WayIn:
    """One server as it is asked now. What must not be seen is not in its repr."""

    host: str
    port: int
    access: MonitoringAccess
    credentials: Credentials = field(default=NONE, repr=False)
    context: ssl.SSLContext | None = field(default=None, repr=False)

    def url(self, base: str, path: str) -> str:
        """Where a path of the API is, behind the server's address (`https://host:port`)."""
        return f"{base}{self.access.prefix}{path}"

    @property
    def options(self) -> dict[str, Any]:
        """What a request takes beside its URL. A redirect is never followed: it may lead to anybody."""
        headers = {}
        if self.credentials.authorization:
            headers["Authorization"] = self.credentials.authorization
        if self.access.tenant_header:
            headers[self.access.tenant_header] = self.access.tenant
        tls: dict[str, Any] = {}
        if self.context is not None:
            tls = {"ssl": self.context, "server_hostname": self.access.server_name or self.host}
        return {"allow_redirects": False, "headers": headers, **tls}


@dataclass(frozen=True, slots=True)
class _Known:
    credentials: Credentials = field(repr=False)
    context: ssl.SSLContext | None = field(repr=False)
    since: float


async def nobodys(access: MonitoringAccess, _host: str, _port: int) -> Credentials:
    """Of whoever reads no Secrets. Raises SecretRefused."""
    raise refused(access, "can be read by the operator alone")


class WaysIn:
    """The ways of one drill, or of all undos of a process. Not shared between event loops."""

    def __init__(self, read: Read = nobodys) -> None:
        self._read = read
        self._known: dict[tuple[MonitoringAccess, str, int], _Known] = {}
        self._reading: defaultdict[tuple[MonitoringAccess, str, int], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def through(self, host: str, port: int, access: MonitoringAccess, ask: Callable[[WayIn], Awaitable[T]]) -> T:
        """What `ask` comes to; once more with newer credentials, where those that were known are not taken.

        Raises:
            SecretRefused: the Secret can't be used, and nobody was asked.
            Unreachable: the Secret could not be read.
        """
        way = await self._to(host, port, access, KEPT_FOR)
        try:
            return await _without_secrets(way, ask)
        except (NotLetIn, aiohttp.ClientError, OSError) as error:
            is_refusal = isinstance(error, NotLetIn) or why_no_tls(error, access)
            newer = await self._newer(way) if access.credentials and is_refusal else None
            if newer is None:
                raise
        return await _without_secrets(newer, ask)

    async def _to(self, host: str, port: int, access: MonitoringAccess, kept_for: float) -> WayIn:
        if not access.credentials:
            return WayIn(host, port, access, NONE, _public() if access.tls else None)
        key = access, host, port
        known = self._fresh(key, kept_for)
        if known is None:
            async with self._reading[key]:  # many questions, one look
                known = self._fresh(key, kept_for) or await self._read_anew(key)
        return WayIn(host, port, access, known.credentials, known.context)

    def _fresh(self, key: tuple[MonitoringAccess, str, int], kept_for: float) -> _Known | None:
        known = self._known.get(key)
        return known if known and asyncio.get_running_loop().time() - known.since < kept_for else None

    async def _read_anew(self, key: tuple[MonitoringAccess, str, int]) -> _Known:
        """The credentials as they are now; as they were known while the API server gives no answer."""
        access, known = key[0], self._known.get(key)
        try:
            credentials = await self._read(*key)
        except Unreachable:
            if known is None:
                raise
            credentials = known.credentials
        except NoAnswer:  # taken away, or not in order any more: what was known is not used either
            self._known.pop(key, None)
            raise
        if known is not None and known.credentials == credentials:
            context = known.context
        else:
            context = _context(access, credentials) if access.tls else None
        if len(self._known) >= MOST_KEPT:
            self._known.clear()
        found = self._known[key] = _Known(credentials, context, asyncio.get_running_loop().time())
        return found

    async def _newer(self, way: WayIn) -> WayIn | None:
        """The way by other credentials than those of `way`; None where there are none."""
        try:
            found = await self._to(way.host, way.port, way.access, READ_EVERY)
        except Unreachable:
            return None
        return found if found.credentials != way.credentials else None


def ways_in(kube: Kube) -> WaysIn:
    """The ways of whoever reads the Secrets of its control namespace."""
    return WaysIn(partial(read_credentials, kube))


async def _without_secrets(way: WayIn, ask: Callable[[WayIn], Awaitable[T]]) -> T:
    """What `ask` comes to. What a stranger says in an error may repeat what was sent: that is taken out of it."""
    try:
        return await ask(way)
    except NoAnswer as error:
        said, kind = way.credentials.hidden_in(str(error)), type(error)
        if said == str(error):
            raise
    raise kind(said)  # not from the other one: whoever logs it would log that too


@lru_cache(maxsize=1)
def _public() -> ssl.SSLContext:
    """Verifies by the public authorities that the image brings along."""
    return ssl.create_default_context()


def _context(access: MonitoringAccess, credentials: Credentials) -> ssl.SSLContext:
    """Raises SecretRefused: a certificate or key is none."""
    if not (credentials.ca or credentials.certificate):
        return _public()
    try:
        context = ssl.create_default_context(cadata=credentials.ca or None)
    except ssl.SSLError:
        raise refused(access, "has in ca.crt no certificate that can be read") from None
    try:
        if credentials.certificate:
            present(context, f"{credentials.certificate}\n{credentials.key}\n".encode())
    except ssl.SSLError:
        raise refused(access, "has in tls.crt and tls.key no certificate with its key (without a password)") from None
    return context
