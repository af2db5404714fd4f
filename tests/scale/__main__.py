"""Everything that the operator's size and speed is held to. The last line: `at size: N of M bounds held`."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Final

from tests.faultmatrix.services import services
from tests.scale import long_drill
from tests.scale.at_size import AtSize
from tests.scale.bounds import Findings
from tests.scale.nodes import FakeNodes
from tests.scale.operator_process import OperatorProcess
from tests.scale.servers import control_plane
from tests.scale.sight import Sight
from tests.scale.small import Small
from tests.scale.world import CONTROL, World, full_size

from kubedrill.kube.client import Kube

FILLED_WITHIN: Final = 900.0
LOGS: Final = Path("build/scale")


@contextmanager
def folder_with_logs() -> Iterator[Path]:
    """A folder for all that runs; at the end its logs are kept in the build folder."""
    with tempfile.TemporaryDirectory(prefix="kubedrill-scale-") as place:
        try:
            yield Path(place)
        finally:
            LOGS.mkdir(parents=True, exist_ok=True)
            for log in Path(place).glob("*.log"):
                shutil.copy(log, LOGS / log.name)


async def in_a_cluster(folder: Path, only: str | None, findings: Findings) -> None:
    """What needs an API server: first while the cluster is small, then when it was filled."""
    async with AsyncExitStack() as stack:
        ports = stack.enter_context(services(folder))
        plane = stack.enter_context(control_plane(folder))
        os.environ["KUBECONFIG"] = str(plane.kubeconfig)
        kube = await Kube.connect()
        stack.push_async_callback(kube.close)
        nodes = await stack.enter_async_context(FakeNodes(kube))
        sight = await stack.enter_async_context(Sight(kube))
        world = World(plane, kube, nodes, ports)
        token = await world.install()
        if only != "size":
            with OperatorProcess(plane, token, CONTROL) as operator:
                await Small(world, sight, operator, findings).measured()
        if only != "small":
            took = await world.fill(full_size(), FILLED_WITHIN)
            findings.stated(f"{nodes.count} pods of {len(full_size())} workloads, made in {took:.0f} s")
            with OperatorProcess(plane, token, CONTROL) as operator:
                await AtSize(world, sight, operator, findings).measured()


def main() -> int:
    """The parts that are asked for; 1 when a bound did not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.scale", description=__doc__)
    parser.add_argument("--only", choices=("small", "size", "long"), help="one part of it")
    only = parser.parse_args().only
    findings, began = Findings(), time.monotonic()
    with folder_with_logs() as folder:
        if only in (None, "long"):
            long_drill.measured(findings)
        if only != "long":
            asyncio.run(in_a_cluster(folder, only, findings))
    findings.stated(f"{time.monotonic() - began:.0f} s")
    print(findings.verdict())
    return 0 if all(bound.held for bound in findings.bounds) else 1


if __name__ == "__main__":
    sys.exit(main())
