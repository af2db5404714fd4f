"""Answers that nobody but the proxy gives: refusals in the API server's own form, and connections that end badly."""

from __future__ import annotations

import json
from typing import Any, Final

from aiohttp import web

REASONS: Final = {
    401: "Unauthorized",
    403: "Forbidden",
    409: "Conflict",
    410: "Expired",
    413: "RequestEntityTooLarge",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    502: "",
    503: "ServiceUnavailable",
    504: "Timeout",
}


def said(status: int, message: str, retry: str = "") -> web.Response:
    """An answer in the API server's own form; a 502 in a load balancer's. `retry`: seconds of Retry-After, if any."""
    headers = {"Retry-After": retry} if retry else {}
    if not REASONS.get(status):
        return web.Response(status=status, text=f"<html>{message}</html>", headers=headers)
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": REASONS[status],
        "code": status,
    }
    return web.json_response(body, status=status, headers=headers)


def replied(argument: str) -> web.Response:
    """What a rule's `reply` says: a status, and perhaps the seconds of Retry-After."""
    status, _, retry = argument.partition(" ")
    return said(int(status), "said by the fault matrix", retry)


def cut(incoming: web.Request) -> web.Response:
    """The connection ends here, without an answer."""
    if incoming.transport is not None:
        incoming.transport.abort()
    return web.Response(status=500)


async def truncated(incoming: web.Request, body: bytes) -> web.StreamResponse:
    """Half an answer, then nothing."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body) + 1)})
    await response.prepare(incoming)
    await response.write(body[: len(body) // 2])
    if incoming.transport is not None:
        incoming.transport.abort()
    return response


def parsed(body: bytes) -> Any:
    """What an answer's body says; None when it is no JSON."""
    try:
        return json.loads(body)
    except ValueError:
        return None
