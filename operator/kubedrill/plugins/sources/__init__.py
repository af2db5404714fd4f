"""The registry of sources of evidence: one module a source, found by itself.

To add one: a module here with `SOURCE: Final = SourceKind(…)`, called after its module. What is watched is then
watched in the target namespace of every drill; nothing else of the operator names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from kubedrill.kube.kept_fields import union
from kubedrill.kube.paths import Namespaced
from kubedrill.plugins.registry import members
from kubedrill.plugins.sources.base import How, SourceKind, Watched

# Modules of this package that are no source.
_SHARED = frozenset(
    {
        "alert_matchers",
        "alert_routes",
        "alert_states",
        "base",
        "elsewhere",
        "mute_times",
        "plain_yaml",
        "foreseen",
        "pod_fields",
        "polled",
        "prometheus",
        "promql",
        "raw_values",
        "rule_turns",
        "trouble",
        "withheld",
    }
)


@cache
def discover() -> Mapping[str, SourceKind]:
    """Every source by its name.

    Raises:
        DefectiveMemberError: a module has no `SOURCE`, or one of another name.
    """
    return members(
        __name__,
        __path__,
        "SOURCE",
        SourceKind,
        noun="source",
        name=lambda source: source.name,
        named_after=str,
        shared=_SHARED,
    )


def of_kind(how: How) -> tuple[SourceKind, ...]:
    """The sources whose facts come in one way."""
    return tuple(source for source in discover().values() if source.how is how)


@cache
def watched_kinds() -> Mapping[Namespaced, Watched]:
    """What is watched for all sources together, once a kind, with all the fields that any of them reads."""
    declared = [one for source in of_kind(How.WATCH) for one in source.watches]
    return MappingProxyType(
        {
            where: Watched(
                where,
                next(one.kind for one in declared if one.where == where),
                tuple(sorted(union(one.fields for one in declared if one.where == where))),
                any(one.remembered for one in declared if one.where == where),
                all(one.where_made for one in declared if one.where == where),
            )
            for where in dict.fromkeys(one.where for one in declared)
        }
    )
