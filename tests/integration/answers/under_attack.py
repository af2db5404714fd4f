"""A process like the operator's or the watchdog's whose strangers are all hostile: what it takes of memory at most.

`python -m tests.integration.answers.under_attack (operator|watchdog) PORT DRILLS ROUNDS SECONDS` prints its own
high-water mark. SECONDS is how long the operator waits for an answer: long, so that a slow machine does not save it
from any.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any


def high_water_mark() -> float:
    """VmHWM of this process, MiB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


async def operator(port: int, drills: int, rounds: int, patience: int) -> None:
    """Every drill probes at once, with as many questions as a drill may have."""
    from tests.observers.builders import drill_plan  # noqa: PLC0415

    import kubedrill.controller.operator  # noqa: F401, PLC0415  all that the operator's process loads
    from kubedrill.controller import http_client  # noqa: PLC0415
    from kubedrill.controller.gathering import MonitoringProbe  # noqa: PLC0415
    from kubedrill.core.plan.drill_plan import PlannedStop, SteadyCheck  # noqa: PLC0415
    from kubedrill.kube.clock import ServerClock  # noqa: PLC0415

    clock = ServerClock(timedelta(0))
    began = high_water_mark()
    checks = tuple(SteadyCheck(f"c{n}", f"metric_{n}", above=0) for n in range(8))
    drill = replace(drill_plan(impact="depth", steady=checks), stop_when=(PlannedStop("s", promql="errors > 5"),))
    http_client.LARGE_WITHIN = patience  # type: ignore[misc]  # in this process alone
    clients = [http_client.WebClient(lambda _: f"http://127.0.0.1:{port}", patience) for _ in range(drills)]
    observed = [MonitoringProbe(client.fetch, clock) for client in clients]
    kept = []
    for _ in range(rounds):
        since = clock.now() - timedelta(minutes=10)
        kept = await timed([one.probe(drill, since) for one in observed])
    told(began, kept)
    await asyncio.gather(*(client.close() for client in clients))


async def watchdog(port: int, drills: int, rounds: int, _patience: int) -> None:
    """Every record of an alert is undone at once."""
    from tests.reverters.builders import record  # noqa: PLC0415

    import kubedrill.watchdog.process  # noqa: F401, PLC0415  all that the watchdog's process loads
    from kubedrill.core.undo.operations import Announce  # noqa: PLC0415
    from kubedrill.plugins.operations.alertmanager import AnnouncedAlerts  # noqa: PLC0415

    began = high_water_mark()
    reverter = AnnouncedAlerts(lambda: datetime.now(UTC))  # noqa: TID251  as Alertmanager has it
    undos = [record(Announce("127.0.0.1", port, {"alertname": f"A{n}"}, {})) for n in range(drills)]
    kept = []
    for _ in range(rounds):
        kept = await timed([reverter.revert(*undo) for undo in undos])
    told(began, kept)


SECONDS: list[float] = []


async def timed(work: list[Coroutine[Any, Any, Any]]) -> list[Any]:
    began = time.monotonic()
    found = await asyncio.gather(*work)
    SECONDS.append(round(time.monotonic() - began, 2))
    return found


def told(began: float, kept: list[Any]) -> None:
    sys.stdout.write(json.dumps({"began": began, "most": high_water_mark(), "of": len(kept), "seconds": SECONDS}))


if __name__ == "__main__":
    asyncio.run({"operator": operator, "watchdog": watchdog}[sys.argv[1]](*map(int, sys.argv[2:])))
