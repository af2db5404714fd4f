"""How a real API server tells that somebody has refused a write: a policy, a webhook, or a webhook that is not there.

`tests/e2e/api/test_refusals.py` holds policies, and webhooks that do not answer, against the real thing, word by word.
The words of webhooks that do answer were compared once, by hand, with one that did so on Kubernetes 1.35.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

FREEZE: Final = "change freeze: nothing here may be changed until Monday"
"""The refuser's own words."""
NAME: Final = "freeze.example.com"
"""The refuser's name: of a policy, its binding, a webhook."""
NOBODY_THERE: Final = "https://127.0.0.1:1/freeze"
NO_ANSWER: Final = "https://192.0.2.77/freeze"
"""Addresses of webhooks: a port at which nobody listens, and a network that nobody is in."""


@dataclass(frozen=True, slots=True)
class Refused:
    """What was to be written: resource and object as an admission review names them."""

    plural: str
    name: str
    group: str = ""

    def __str__(self) -> str:
        return f'{self.plural}{"." if self.group else ""}{self.group} "{self.name}"'

    @classmethod
    def at(cls, path: str, body: Any = None) -> Refused:
        """From a request's path, and from its body where it makes something new."""
        parts = [p for p in path.split("/") if p]
        group = parts[1] if parts[0] == "apis" else ""
        plural, *name = parts[parts.index("namespaces") + 2 :]
        made = (body or {}).get("metadata", {}) if isinstance(body, dict) else {}
        return cls(plural, name[0] if name else made.get("name") or made.get("generateName", ""), group)


def refusal(kind: str, what: Refused) -> dict[str, Any]:
    """The whole answer of a kind of `KINDS`.

    Raises:
        KeyError: there is no such kind.
    """
    said = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return said | KINDS[kind](what)


def words_of(kind: str) -> str:
    """What a person must be told of a refusal, whatever is said around it."""
    return {"webhook-timeout": "context deadline exceeded", "webhook-unreachable": "connection refused"}.get(
        kind, FREEZE
    )


def _by_policy(code: int, reason: str) -> Callable[[Refused], dict[str, Any]]:
    """A ValidatingAdmissionPolicy: 422 Invalid unless it says otherwise. Its one cause names no field."""

    def said(what: Refused) -> dict[str, Any]:
        denied = f"ValidatingAdmissionPolicy '{NAME}' with binding '{NAME}' denied request: {FREEZE}"
        group = {"group": what.group} if what.group else {}
        return {
            "message": f"{what} is forbidden: {denied}",
            "reason": reason,
            "code": code,
            "details": {"name": what.name, **group, "kind": what.plural, "causes": [{"message": denied}]},
        }

    return said


def _by_webhook(code: int, reason: str = "") -> Callable[[Refused], dict[str, Any]]:
    """A webhook says no with a code, and mostly without a reason: then the code is all that there is."""

    def said(_what: Refused) -> dict[str, Any]:
        given = {"reason": reason} if reason else {}
        return {"message": f'admission webhook "{NAME}" denied the request: {FREEZE}', "code": code} | given

    return said


def _without_webhook(url: str, why: str) -> Callable[[Refused], dict[str, Any]]:
    """A webhook whose failurePolicy is Fail, and which did not answer."""

    def said(_what: Refused) -> dict[str, Any]:
        failed = f'failed calling webhook "{NAME}": failed to call webhook: Post "{url}?timeout=1s": {why}'
        return {
            "message": f"Internal error occurred: {failed}",
            "reason": "InternalError",
            "code": 500,
            "details": {"causes": [{"message": failed}]},
        }

    return said


KINDS: Final[Mapping[str, Callable[[Refused], dict[str, Any]]]] = {
    "policy-422": _by_policy(422, "Invalid"),
    "policy-403": _by_policy(403, "Forbidden"),
    "webhook-400": _by_webhook(400),
    "webhook-403": _by_webhook(403, "Forbidden"),
    "webhook-404": _by_webhook(404, "NotFound"),
    "webhook-409": _by_webhook(409, "Conflict"),
    "webhook-422": _by_webhook(422),
    "webhook-500": _by_webhook(500),
    "webhook-timeout": _without_webhook(NO_ANSWER, "context deadline exceeded"),
    "webhook-unreachable": _without_webhook(NOBODY_THERE, "dial tcp 127.0.0.1:1: connect: connection refused"),
}
"""By the words that the plans have for them. The 404, 409 and 422 of a webhook look like a failed precondition."""
