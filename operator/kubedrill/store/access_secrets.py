"""The credentials of monitoring: Secrets of a type of their own, each for one host, read and never written.

Their type is what keeps any other Secret of the control namespace from being sent to a server, and their `host` what
keeps one server's credentials from being sent to another: who may write environments need not be who knows the token.
A Secret that is not in order is refused in words that repeat nothing of it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kubedrill.core.access import MonitoringAccess
from kubedrill.kube.answers import NoAnswer
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.kube.paths import SECRETS

ACCESS_TYPE: Final = "kubedrill.dev/monitoring-access"
FIELDS: Final = ("host", "ca.crt", "tls.crt", "tls.key", "token", "username", "password")
MOST_BYTES: Final = 256 << 10
_READ_WITHIN: Final = 2.0
_LINE: Final = re.compile(r"[\x20-\x7e]+")
_SERVICE_SUFFIX: Final = ".svc"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a Secret holds for its host. `version` changes whenever the Secret does. Nothing of it is in its repr."""

    version: str = ""
    token: str = field(default="", repr=False)
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    ca: str = field(default="", repr=False)
    certificate: str = field(default="", repr=False)
    key: str = field(default="", repr=False)

    @property
    def authorization(self) -> str:
        """The header that says who asks; empty when none does."""
        if self.token:
            return f"Bearer {self.token}"
        pair = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        return f"Basic {pair}" if self.username else ""

    def hidden_in(self, text: str) -> str:
        """A stranger's words without what it may have repeated of them."""
        told = (self.token, self.password, self.authorization.partition(" ")[2])
        for secret in filter(None, told):
            text = text.replace(secret, "…")
        return text


NONE: Final = Credentials()


class SecretRefused(NoAnswer):
    """The Secret that an environment names can't be used; the message says why, and repeats nothing of it."""


def refused(access: MonitoringAccess, why: str) -> SecretRefused:
    """That the Secret of an access can't be used."""
    return SecretRefused(f"is not asked: Secret {access.secret} {why}")


async def read_credentials(kube: Kube, access: MonitoringAccess, host: str, port: int) -> Credentials:
    """What the Secret of an access holds for a host.

    Raises:
        SecretRefused: it is not there, of another type, for another host, or not in order.
        Unreachable: it could not be read.
    """
    answer = await kube.get(SECRETS.one(access.kept_in, access.credentials), timeout=_READ_WITHIN)
    if answer.status == 404:
        raise refused(access, "is not there")
    if not answer.ok:
        raise Unreachable(f"Secret {access.secret} can't be read: {answer.status} {answer.reason}")
    body = answer.body
    if body.get("type") != ACCESS_TYPE:
        raise refused(access, f"is of another type than {ACCESS_TYPE}")
    said = _decoded(access, body.get("data") or {})
    _demand_host(access, said, host, port)
    _demand_order(access, said, host)
    version = f"{body['metadata'].get('uid', '')}/{body['metadata'].get('resourceVersion', '')}"
    return Credentials(
        version=version,
        token=said.get("token", ""),
        username=said.get("username", ""),
        password=said.get("password", ""),
        ca=said.get("ca.crt", ""),
        certificate=said.get("tls.crt", ""),
        key=said.get("tls.key", ""),
    )


def _decoded(access: MonitoringAccess, data: Mapping[str, Any]) -> dict[str, str]:
    """Its fields as text, without the end of the line that a file brings along."""
    unknown = sorted(set(data) - set(FIELDS))
    if unknown:
        raise refused(access, f"has a field that is not known ({unknown[0]}): it may have {', '.join(FIELDS)}")
    if sum(map(len, data.values())) > MOST_BYTES:
        raise refused(access, f"is longer than {MOST_BYTES >> 10} KiB")
    try:
        return {
            name: base64.b64decode(value, validate=True).decode("utf-8").rstrip("\r\n") for name, value in data.items()
        }
    except (binascii.Error, UnicodeDecodeError):
        raise refused(access, "has a field that is no text") from None


def _demand_host(access: MonitoringAccess, said: Mapping[str, str], host: str, port: int) -> None:
    """Raises SecretRefused unless it is for this very host, and for this port where it says one."""
    bound = said.get("host", "").strip().lower()
    if not bound:
        raise refused(access, f"does not say in host which one it is for: {host}")
    if bound not in (host, f"{host}:{port}"):
        raise refused(access, f"is for another host than {host}:{port}")


def _demand_order(access: MonitoringAccess, said: Mapping[str, str], host: str) -> None:
    """Raises SecretRefused where its fields do not belong together."""

    def has(*names: str) -> bool:
        return any(said.get(name) for name in names)

    if not has(*FIELDS[1:]):
        raise refused(access, "holds nothing but host")
    if has("token") and has("username", "password"):
        raise refused(access, "has token and username: one of them says who asks")
    for pair in (("username", "password"), ("tls.crt", "tls.key")):
        missing = [name for name in pair if not has(name)]
        if len(missing) == 1:
            raise refused(access, f"has no {missing[0]}, which belongs to its {' and '.join({*pair} - {*missing})}")
    if has("ca.crt", "tls.crt") and not access.tls:
        raise refused(access, "has a certificate, and its environment says no tls")
    if not access.tls and not host.endswith(_SERVICE_SUFFIX):
        raise refused(access, f"is not sent to {host} without TLS")
    if ":" in said.get("username", ""):
        raise refused(access, "has a username with ':', which no server understands")
    if has("token") and not _LINE.fullmatch(said["token"]):
        raise refused(access, "has a token that is not one line of printable ASCII")
