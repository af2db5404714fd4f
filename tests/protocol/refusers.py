"""What refuses a write, in the words of a real API server (1.35): policies, webhooks, webhooks that are not there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from aiohttp import web

WORDS: Final = "not until Monday"
_POLICY = f"ValidatingAdmissionPolicy 'freeze' with binding 'freeze' denied request: {WORDS}"
_WEBHOOK = f'admission webhook "freeze.example.com" denied the request: {WORDS}'
_FAILED = 'Internal error occurred: failed calling webhook "freeze.example.com": failed to call webhook: Post'
_ASKED = f'{_FAILED} "https://freeze.example.svc:443/?timeout=2s"'


def _said(code: int, reason: str, message: str, **details: Any) -> Callable[[], web.Response]:
    body = {
        "kind": "Status",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
        "details": details,
    }
    return lambda: web.json_response(body, status=code)


FORMS: Final[dict[str, Callable[[], web.Response]]] = {
    "a policy, 422": _said(
        422, "Invalid", f'deployments.apps "web" is invalid: : {_POLICY}', causes=[{"message": _POLICY}]
    ),
    "a policy, 403": _said(403, "Forbidden", f'deployments.apps "web" is forbidden: {_POLICY}'),
    "a webhook, 400": _said(400, "BadRequest", _WEBHOOK),
    "a webhook, 403": _said(403, "Forbidden", _WEBHOOK),
    "a webhook, 404": _said(404, "NotFound", _WEBHOOK, kind="deployments", name="web"),
    "a webhook, 409": _said(409, "Conflict", _WEBHOOK),
    "a webhook, 422": _said(422, "Invalid", _WEBHOOK),
    "a webhook, 500": _said(500, "InternalError", _WEBHOOK),
    "a webhook that takes too long": _said(500, "InternalError", f"{_ASKED}: context deadline exceeded {WORDS}"),
    "a webhook that is not there": _said(
        500, "InternalError", f"{_ASKED}: dial tcp 10.0.0.9:443: connect: connection refused {WORDS}"
    ),
}
"""Each can be told from a failed precondition by its words alone."""

DISGUISED: Final[dict[str, Callable[[], web.Response]]] = {
    "409 without a word": _said(409, "Conflict", WORDS),
    "422 without details": _said(422, "Invalid", WORDS),
    "404 without details": _said(404, "NotFound", WORDS),
}
"""Each reads like a failed precondition, as a proxy before the API server may answer."""
