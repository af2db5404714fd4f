"""Somebody's admission: a policy or a webhook that refuses one write, or every write of a kind for a while."""

from __future__ import annotations

import json
from typing import Final

from tests.faultmatrix.refusals import Refused, refusal
from tests.model.server import Reply, Request

KINDS: Final = ("policy-422", "webhook-409", "webhook-404")
"""Forms that have been taken for something else: an edit that makes a value invalid, a failed precondition, gone."""
FREEZES: Final = (
    "deployments by policy-422",
    "deployments by webhook-409",
    "secrets by policy-422",
    "secrets by webhook-404",
    "drills by policy-422",
)
READS: Final = frozenset({"GET"})


def is_frozen(frozen: str, request: Request) -> str:
    """The kind of refusal that a freeze has for a request; empty where it lets it through."""
    plural, _, kind = frozen.partition(" by ")
    written = request.method not in READS and Refused.at(request.path, json.loads(request.body or "{}")).plural
    return kind if plural and written == plural else ""


def refused(kind: str, request: Request) -> Reply:
    """The answer to a write that is refused."""
    body = refusal(kind, Refused.at(request.path, json.loads(request.body or "{}")))
    return Reply(body["code"], json.dumps(body, sort_keys=True))
