"""How the addresses end at which the operator is told of a namespace: for who calls, and for who looks at callers."""

from __future__ import annotations

from typing import Final

ALERTMANAGER: Final = "/alertmanager/{namespace}"
EVERY_NAMESPACE: Final = "_all"
"""In the place of a namespace: for each target namespace, what is about it. No namespace has such a name, so one
receiver serves every drill, whichever namespaces opt in later."""


def ends_of(route: str, namespace: str) -> tuple[str, str]:
    """The ends of a route's addresses for a namespace: its own, and that of every one."""
    return route.format(namespace=namespace), route.format(namespace=EVERY_NAMESPACE)
