"""How a stranger's server says no: what a status, or a broken connection, tells whoever wanted to ask it.

Of its words only those are looked at that name a known situation, and none is passed on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kubedrill.kube.answers import NoAnswer

SPEAKS_TLS: Final = "speaks TLS, which can't be used yet: name one that speaks plain HTTP within the cluster"
MAYBE_TLS: Final = "closes the connection without an answer, as a server does that speaks TLS, which can't be used yet"
NO_SERVICE: Final = "can't be found: there is no such Service"
NO_ADDRESS: Final = f"{NO_SERVICE}, or the cluster's DNS does not answer"
_OF_STATUS: Final[Mapping[int, str]] = {
    401: "it asks for credentials (user and password, or a token), which can't be given yet",
    403: "it lets nobody in without credentials, which can't be given yet",
    404: "its API is not there. It is another Service, or one behind a path prefix, which can't be given yet",
}
_TLS_ALERT: Final = r"\x15\x03"
"""How a TLS record that tells of an error begins, as it stands in the message of a failed read."""


def refusal(status: int, raw: bytes, said: Any) -> NoAnswer | None:
    """What an answer of that status says instead of what was asked; None when it is to be read.

    `said` is its JSON, if it is any. An error in Prometheus' own form is read whatever the status: it says more.
    """
    if 200 <= status < 300 or (isinstance(said, dict) and said.get("status") == "error"):
        return None
    if status == 400 and b"HTTPS" in raw[:1000]:
        return NoAnswer(SPEAKS_TLS)
    more = _OF_STATUS.get(status)
    return NoAnswer(f"answers {status}: {more}" if more else f"answers {status}")


def told_by_tls(error_message: str) -> bool:
    """Whether what could not be read as HTTP begins as an alert of TLS does."""
    return _TLS_ALERT in error_message


def is_no_service(status: int, said: Any) -> bool:
    """Whether the API server, asked to pass something on to a Service, says that there is none of that name."""
    details = said.get("details") if isinstance(said, dict) else None
    return status == 404 and isinstance(details, dict) and details.get("kind") == "services"
