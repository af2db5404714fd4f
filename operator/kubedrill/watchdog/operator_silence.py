"""For how long the operator has been silent: only changes of its Lease count, and only as they are seen here.

The times in the Lease are another machine's word. What is counted is the time that lies between two looks at a
Lease that has not changed; while it can't be read (an API server that is away is away for the operator, too),
or while this process is frozen, nothing is counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Final

from kubedrill.kube.client import Kube, Unreachable
from kubedrill.kube.refusals import is_not_found
from kubedrill.protocol.lease import LEASE, lease_path

LONGEST_STEP: Final = 10.0
"""Seconds that one look may add: looks further apart have missed what was in between."""
NONE: Final = ""


class Silence:
    """The operator's silence, by this process' monotonic clock."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._version: str | None = None
        self._silent = 0.0
        self._looked_at = 0.0
        self._known = False
        self._expected: dict[str, float] = {}

    async def look(self, kube: Kube, namespace: str) -> None:
        """One live look at the Lease; one that is not there has not changed either."""
        version = await _version(kube, namespace)
        self._known = version is not None
        if version is None:
            return
        now = self._monotonic()
        if version == self._version:
            self._silent += min(now - self._looked_at, LONGEST_STEP)
        else:
            self._version, self._silent = version, 0.0
        self._looked_at = now

    def expect(self, keys: Collection[str]) -> None:
        """What the operator is to be heard for, from now on: a record, a Drill that is being deleted.

        An operator with nothing to do is silent by design, so its silence counts from our first look at what it
        has to do.
        """
        now = self._monotonic()
        self._expected = {key: self._expected.get(key, now) for key in keys}

    def concerning(self, key: str) -> timedelta | None:
        """For how long the operator has been silent although it had this to do. None while that is unknown."""
        if not self._known or key not in self._expected:
            return None
        return timedelta(seconds=min(self._silent, self._monotonic() - self._expected[key]))


async def _version(kube: Kube, namespace: str) -> str | None:
    """What changes with every beat; empty when there is no Lease, None when that can't be told."""
    try:
        answer = await kube.get(lease_path(namespace, LEASE))
    except Unreachable:
        return None
    if answer.ok:
        return str(answer.body["metadata"]["resourceVersion"])
    return NONE if is_not_found(answer, "leases", LEASE) else None
