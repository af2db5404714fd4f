"""How a stranger's server says no: what a status, or a broken connection, tells whoever wanted to ask it.

Of its words only those are looked at that name a known situation, and none is passed on.
"""

from __future__ import annotations

import errno
import ssl
from typing import Any, Final

import aiohttp

from kubedrill.core.access import OPEN, MonitoringAccess
from kubedrill.kube.addresses import WrongAddress
from kubedrill.kube.answers import NoAnswer, why_not

SPEAKS_TLS: Final = "speaks TLS: say tls beside it in its environment"
MAYBE_TLS: Final = f"closes the connection without an answer, as a server does that {SPEAKS_TLS}"
SPEAKS_NO_TLS: Final = "speaks no TLS: leave tls out in its environment"
_CERTIFICATE: Final = "a client certificate (tls.crt and tls.key of its Secret)"
WANTS_A_CERTIFICATE: Final = f"asks for {_CERTIFICATE}, and gets none that it takes"
MAYBE_A_CERTIFICATE: Final = f"closes the connection without an answer, as a server does that {WANTS_A_CERTIFICATE}"
NO_SERVICE: Final = "can't be found: there is no such Service"
NO_ADDRESS: Final = "can't be found: there is no such Service or host, or the cluster's DNS does not answer"
_TLS_ALERT: Final = r"\x15\x03"
"""How a TLS record that tells of an error begins, as it stands in the message of a failed read."""
_CUT_OFF: Final = (errno.ECONNRESET, errno.EPIPE)
_NO_TLS: Final = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST")
_CERTIFICATE_ALERTS: Final = ("CERTIFICATE_REQUIRED", "ALERT_BAD_CERTIFICATE", "HANDSHAKE_FAILURE", "UNKNOWN_CA")


class NotLetIn(NoAnswer):
    """It asks who is asking. With other credentials than those that were sent it may answer."""


def refusal(status: int, raw: bytes, said: Any, access: MonitoringAccess = OPEN) -> NoAnswer | None:
    """What an answer of that status says instead of what was asked; None when it is to be read.

    `said` is its JSON, if it is any. An error in Prometheus' own form is read whatever the status, for it says more;
    unless it is about who asks, for such an error may repeat what was sent.
    """
    if status in (401, 403):
        return NotLetIn(f"answers {status}: {_not_let_in(status, access)}")
    if 200 <= status < 300 or (isinstance(said, dict) and said.get("status") == "error"):
        return None
    if status == 400 and b"HTTPS" in raw[:1000]:
        return NoAnswer(SPEAKS_TLS)
    return NoAnswer(f"answers {status}: {_not_there(access)}" if status == 404 else f"answers {status}")


def _not_let_in(status: int, access: MonitoringAccess) -> str:
    if not access.credentials:
        wants = "it asks for credentials" if status == 401 else "it lets nobody in without credentials"
        return f"{wants} (user and password, a token, or a certificate). Name a Secret of them in its environment"
    if status == 401:
        return f"it does not take the credentials of Secret {access.secret}"
    tenant = f", or tenant {access.tenant} is not theirs" if access.tenant else ""
    return f"the credentials of Secret {access.secret} may not ask this{tenant}"


def _not_there(access: MonitoringAccess) -> str:
    if access.prefix:
        return f"its API is not below {access.prefix}. It is another server, or another path prefix"
    return "its API is not there. It is another server, or one behind a path prefix: say it in its environment"


def why_silent(error: Exception, access: MonitoringAccess = OPEN, *, looked_for: bool = False) -> str:
    """Why there is no answer at all: in the same words each time, however soon it is known.

    `looked_for`: its address was still looked for when time was up.
    """
    if (wrong := _found(error, WrongAddress)) is not None:
        return str(wrong)
    if isinstance(error, aiohttp.ClientConnectorDNSError) or (looked_for and isinstance(error, TimeoutError)):
        return NO_ADDRESS
    if said := why_no_tls(error, access):
        return said
    if isinstance(error, aiohttp.ClientResponseError) and _TLS_ALERT in error.message:
        return SPEAKS_TLS
    return MAYBE_TLS if isinstance(error, aiohttp.ServerDisconnectedError) else why_not(error)


def why_no_tls(error: BaseException, access: MonitoringAccess) -> str:
    """What a broken connection says of TLS, in words of OpenSSL and of ours alone; empty when it says nothing of it."""
    if (unverified := _found(error, ssl.SSLCertVerificationError)) is not None:
        where = f"ca.crt of Secret {access.secret}" if access.credentials else "ca.crt of a Secret in its credentials"
        return f"has a certificate that is not trusted ({unverified.verify_message}): see {where}, or tls.serverName"
    failed = _found(error, ssl.SSLError)
    reason = f"{failed.reason or ''} {failed}" if failed is not None else str(error)
    if any(sign in reason for sign in _CERTIFICATE_ALERTS):
        return WANTS_A_CERTIFICATE
    if failed is not None and any(sign in reason for sign in _NO_TLS):
        return SPEAKS_NO_TLS
    if failed is not None:
        return f"can't be asked over TLS ({failed.reason or 'SSLError'})"
    # who is refused and goes on writing may be cut off before the refusal is read
    is_cut_off = isinstance(error, aiohttp.ServerDisconnectedError) or getattr(error, "errno", None) in _CUT_OFF
    return MAYBE_A_CERTIFICATE if access.tls and is_cut_off else ""


def _found(error: BaseException, kind: type[Any]) -> Any:
    """The error of a kind that stands behind another one. aiohttp's own have these kinds and none of their fields."""
    seen: BaseException | None = error
    for _ in range(5):
        if seen is None or (isinstance(seen, kind) and not isinstance(seen, aiohttp.ClientError)):
            return seen
        seen = getattr(seen, "os_error", None) or seen.__cause__ or seen.__context__
    return None


def is_no_service(status: int, said: Any) -> bool:
    """Whether the API server, asked to pass something on to a Service, says that there is none of that name."""
    details = said.get("details") if isinstance(said, dict) else None
    return status == 404 and isinstance(details, dict) and details.get("kind") == "services"
