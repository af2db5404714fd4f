"""Writes a Drill's status when it says something new, whatever version of the CRD is installed.

Operator and CRDs are upgraded one after the other, in any order, perhaps while a drill is on. A field that the
installed CRD does not know is left out by the API server, which is no reason to end a drill; it is said once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from kubedrill.core.machine.status import without_nulls, worth_writing
from kubedrill.kube.client import Answer, Kube
from kubedrill.kube.refusals import is_admission, is_unstorable
from kubedrill.protocol.drills import write_status

LOG = logging.getLogger(__name__)


class StatusRefused(Exception):
    """The API server would not store the status; the turn never was. `for_good` when it never will."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"the status can't be written: {answer.status} {answer.message}")
        self.for_good = is_unstorable(answer)


class StatusWriter:
    """The statuses of one Drill. It remembers what was sent and what was stored of it, for these may differ."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._sent: Mapping[str, Any] = {}
        self._stored: Mapping[str, Any] | None = None
        self._left_out: frozenset[str] = frozenset()

    async def write(self, drill: dict[str, Any], status: dict[str, Any]) -> bool:
        """Stores the status if it says anything new; the Drill then has its new resourceVersion.

        Returns:
            False when the Drill has changed since it was read, or is gone: the turn never was.

        Raises:
            StatusRefused: the API server would not store it.
            Unreachable: there was no answer.
        """
        stands = drill.get("status") or {}
        # where what stands is what became of our last write, that write is what tells whether there is anything new
        before = self._sent if stands == self._stored else stands
        if not worth_writing(before, status):
            return True
        answer = await write_status(self._kube, drill, status)
        if answer.status in (404, 409) and not is_admission(answer):
            return False
        if not answer.ok:
            raise StatusRefused(answer)
        drill["metadata"]["resourceVersion"] = answer.body["metadata"]["resourceVersion"]
        self._sent, self._stored = status, answer.body.get("status") or {}
        self._warn(drill["metadata"]["name"], frozenset(_missing(without_nulls(status), self._stored)))
        return True

    def _warn(self, name: str, left_out: frozenset[str]) -> None:
        if left_out - self._left_out:
            said = ", ".join(sorted(left_out))
            LOG.warning("drill %s: the installed CRD does not know status fields %s: apply this version's", name, said)
        self._left_out |= left_out


def _missing(sent: Any, stored: Any, path: str = "") -> Iterator[str]:
    """Paths of what was sent and is not stored; what is in a list is told once, as `list[].field`."""
    if isinstance(sent, Mapping) and isinstance(stored, Mapping):
        for key, value in sent.items():
            where = f"{path}.{key}".removeprefix(".")
            if key not in stored:
                yield where
            else:
                yield from _missing(value, stored[key], where)
    elif isinstance(sent, list) and isinstance(stored, list) and len(sent) == len(stored):
        for one, other in zip(sent, stored, strict=True):
            yield from _missing(one, other, f"{path}[]")
