"""Asking the operator what a drill would do: with its rights, its way to Prometheus, and a dry run of its own.

It is asked by a Drill with `desired: Plan`, which is never started and is deleted again once it was answered.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Mapping
from typing import Any, Final

from kubedrill.api.drill import Desired, Drill, DrillSpec
from kubedrill.api.scenario import ScenarioSpec
from kubedrill.cli.clock import until_the_next_look
from kubedrill.cli.connection import CliError, demand, path_of
from kubedrill.cli.exit_codes import ExitCode
from kubedrill.cli.safety.installed import operator_runs
from kubedrill.cli.setup.preview import Preview
from kubedrill.cli.standing import ENDED
from kubedrill.core.machine.state import CheckResult
from kubedrill.core.plan.codec import UnreadablePlan
from kubedrill.core.undo.record import DrillIdentity
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.store.plans import PlanGone, read_plan

ANSWERED_WITHIN: Final = 20.0
MANAGER: Final = "kubectl-drill"


class NotAsked(Exception):
    """The operator could not be asked, or has not answered: the message says why."""


async def ask(kube: Kube, drill: Drill, scenario: ScenarioSpec, control: str) -> Preview:
    """What the operator says of a drill that is not there yet, or has not started.

    Raises:
        NotAsked: nobody is there to be asked, or nobody may, or there was no answer.
    """
    if not await operator_runs(kube, control):
        raise NotAsked(f"no operator is ready in {control}")
    name = f"{drill.metadata.name[:40].rstrip('-.')}-plan-{secrets.token_hex(3)}"
    answer = await kube.call(
        "POST",
        path_of("drills", control),
        _question(drill, scenario, name, control),
        query=[("fieldManager", MANAGER), ("fieldValidation", "Strict")],
    )
    if not answer.ok:
        raise NotAsked(f"no drill could be made in {control} to ask the operator: {answer.message or answer.status}")
    try:
        return await _read(kube, await _answered(kube, control, name), control)
    finally:
        await kube.call("DELETE", path_of("drills", control, name))


async def stored(kube: Kube, control: str, name: str) -> tuple[Preview, str]:
    """The plan that is stored of a drill that is there, and where.

    Raises:
        CliError: there is no such drill, no plan of it is stored, or it can't be read.
    """
    drill = await demand(kube.get(path_of("drills", control, name)), f"drill {control}/{name}")
    where = str(((drill.get("status") or {}).get("plan") or {}).get("name", ""))
    if not where:
        raise CliError(
            f"no plan of drill {control}/{name} is stored: it is when the drill starts, or while its desired is Plan",
            ExitCode.BAD_INPUT,
        )
    try:
        return await _read(kube, drill, control), where
    except NotAsked as trouble:
        raise CliError(str(trouble)) from trouble


def _question(drill: Drill, scenario: ScenarioSpec, name: str, control: str) -> dict[str, Any]:
    spec = drill.spec.to_wire()
    for left_out in ("scenarioRef", "stopBecause", "ttlAfterFinished"):
        spec.pop(left_out, None)
    return {
        "apiVersion": drill.api_version,
        "kind": drill.kind,
        "metadata": {"name": name, "namespace": control},
        "spec": DrillSpec.model_validate(
            spec | {"scenario": scenario.to_wire(), "desired": Desired.PLAN.value}
        ).to_wire(),
    }


async def _answered(kube: Kube, control: str, name: str) -> Mapping[str, Any]:
    loop = asyncio.get_running_loop()
    until = loop.time() + ANSWERED_WITHIN
    while loop.time() < until:
        drill = await demand(kube.get(path_of("drills", control, name)), f"drill {control}/{name}")
        status = drill.get("status") or {}
        if status.get("phase") in ENDED:
            raise NotAsked(f"the operator refuses it: {status.get('message', '')}")
        if status.get("rehearsal") and status.get("plan"):
            return drill
        await until_the_next_look(often=True)
    raise NotAsked(f"the operator has not answered within {ANSWERED_WITHIN:g} s")


async def _read(kube: Kube, drill: Mapping[str, Any], control: str) -> Preview:
    meta, status = drill["metadata"], drill["status"]
    rehearsal = status.get("rehearsal") or {}
    try:
        plan = await read_plan(kube, DrillIdentity(meta["uid"], meta["name"], control), str(status["plan"]["hash"]))
    except (PlanGone, UnreadablePlan, Unreachable) as trouble:
        raise NotAsked(f"the plan of drill {control}/{meta['name']} can't be read: {trouble}") from trouble
    does = {f["name"]: tuple(f.get("does") or ()) for f in rehearsal.get("faults") or ()}
    looked_at = rehearsal.get("channels")  # an operator before it looked at them says nothing of them
    channels = None if looked_at is None else _checks(looked_at)
    return Preview(plan, does, _checks(rehearsal.get("checks") or ()), channels=channels)


def _checks(told: Iterable[Mapping[str, Any]]) -> tuple[CheckResult, ...]:
    return tuple(CheckResult(c["name"], c.get("passed"), c.get("reason", ""), c.get("message", "")) for c in told)
