"""When nobody wanted any pods of a workload: nothing of it can be in trouble then, and nothing is any better."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from kubedrill.core.evidence.facts import FactKind, FactSet, Interval, in_order


def emptied(facts: FactSet, workloads: Iterable[str], until: datetime) -> Iterator[tuple[Interval, Interval | None]]:
    """Each time that one of these was scaled to nothing by `until`: since when, and when pods were wanted again."""
    states = [f for f in in_order(facts, FactKind.WORKLOAD_STATE) if f.at.not_before <= until]
    for target in sorted(workloads):
        since: Interval | None = None
        for state in (f for f in states if f.detail.get("target") == target):
            wanted = state.detail["desired"] > 0
            if since is not None and wanted:
                yield since, state.at
            since = None if wanted else since or state.at
        if since is not None:
            yield since, None
