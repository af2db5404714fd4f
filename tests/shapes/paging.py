"""The Alertmanager of the drills: each play's alert goes over a receiver of its own to a pager, and to the operator.

What a shape says that keeps people from being told (`withheld`) or tells them late (`group_wait`) is here; of a silence
Alertmanager is told in the course.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tests.shapes.catalogue import Play

TOKEN: Final = "kubedrill-webhook"  # noqa: S105  the name of the Secret in which it is
MOUNTED: Final = "/etc/webhook"
ALWAYS: Final = {"name": "always", "time_intervals": [{"times": [{"start_time": "00:00", "end_time": "24:00"}]}]}


def receiver(play: Play) -> str:
    """The receiver over which this play's people are paged."""
    return f"pager-{play.name}"


def inhibiting(play: Play) -> str:
    """The name of the alert that fires all the time and inhibits the play's."""
    return f"{play.alert}Known"


def alertmanager(plays: Sequence[Play]) -> dict[str, Any]:
    """Its whole configuration."""
    inhibited = [play for play in plays if play.shape.withheld == "inhibition"]
    return {
        "route": {
            "receiver": "nobody",
            "group_by": ["alertname"],
            "group_wait": "1s",
            "group_interval": "1s",
            "routes": [_route(play) for play in plays],
        },
        "receivers": [{"name": "nobody"}, *map(_receiver, plays)],
        "inhibit_rules": [
            {"source_matchers": [f"alertname={inhibiting(p)}"], "target_matchers": [f"alertname={p.alert}"]}
            for p in inhibited
        ],
        "time_intervals": [ALWAYS],
    }


def _route(play: Play) -> Mapping[str, Any]:
    muted = {"mute_time_intervals": ["always"]} if play.shape.withheld == "mute" else {}
    waits = {"group_wait": f"{play.shape.group_wait}s"} if play.shape.group_wait else {}
    return {"matchers": [f"alertname={play.alert}"], "receiver": receiver(play), **muted, **waits}


def _receiver(play: Play) -> Mapping[str, Any]:
    """The pager is the exporter: it counts what it is told. The operator is told over the same receiver."""
    trusted = {"authorization": {"credentials_file": f"{MOUNTED}/token"}}
    operator = f"http://kubedrill.drills.svc:8080/alertmanager/{play.namespace}"
    addresses = [{"url": f"http://exporter:8000/pages/{play.namespace}"}, {"url": operator, "http_config": trusted}]
    return {"name": receiver(play), "webhook_configs": addresses}
