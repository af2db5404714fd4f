"""What the proxies have written down of a plan: lines for people, counts for the reference, and what was senseless."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from tests.faultmatrix.plan import Rule
from tests.faultmatrix.requests import Request

SENSELESS: Final = (400, 422)
MAY_FAIL: Final = ("target", "dry-run", "splice", "finalizer")
"""Patches that prove what they assume: that one of them is refused is its purpose."""


@dataclass
class Traced:
    """A request and what became of it. `status` 0: nobody was answered; `done`: the API server has committed it."""

    at: float
    actor: str
    request: Request
    raw_path: str = ""
    status: int = 0
    done: bool = False
    answer: Any = None
    rule: Rule | None = None


ADMISSION: Final = re.compile(r"exceeded|ValidatingAdmissionPolicy|admission webhook|failed calling webhook")
"""What somebody's admission says of a request that makes sense."""


def lines(trace: Iterable[Traced]) -> list[str]:
    """One line a request, in the order in which they came; with MATRIX_BODIES, what was written before it."""
    told = []
    for one in sorted(trace, key=lambda t: t.at):
        request = one.request
        mark = " <- " + ", ".join(one.rule.do) if one.rule else ""
        if os.environ.get("MATRIX_BODIES") and request.is_write:
            told.append(json.dumps(request.body))
        told.append(f"{one.at:.3f} {one.actor} {request.kind} {request.method} {request.path[-70:]} {one.status}{mark}")
    return told


def counts(trace: Iterable[Traced]) -> dict[str, int]:
    """How many writes of each kind were done."""
    return dict(Counter(one.request.kind for one in trace if one.request.is_write and one.done))


def refused(trace: Iterable[Traced]) -> list[str]:
    """What was sent and made no sense to the API server: nothing of the plan's doing, and never right."""
    return sorted(
        {
            f"{one.request.kind} with {one.status}: {(one.answer or {}).get('message', '')[:200]}"
            for one in trace
            if one.status in SENSELESS
            and one.rule is None
            and one.request.kind not in MAY_FAIL
            and not ADMISSION.search(str(one.answer))
        }
    )
