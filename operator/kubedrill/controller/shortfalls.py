"""Looks once more at targets and pods when a fault has had no effect in its time: why, and what would have one."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from kubedrill.controller.drill_sources import DrillSources
from kubedrill.controller.preflight_inputs import read_pods, read_targets
from kubedrill.core.machine.effect_guards import is_overdue, without_effect
from kubedrill.core.machine.state import Observation
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.kube.answers import NoAnswer
from kubedrill.kube.client import Unreachable
from kubedrill.plugins.faults import of_drill
from kubedrill.plugins.faults.base import Aftermath

LOG = logging.getLogger(__name__)


async def shortfalls(sources: DrillSources, drill_plan: DrillPlan, seen: Observation) -> Mapping[str, str]:
    """Why faults have had no effect, by name; nothing while they still have time. It holds up no end of a drill."""
    missing = without_effect((fault.name for fault in drill_plan.faults), seen.facts)
    if not missing or not is_overdue(seen.facts, drill_plan, seen.now):
        return {}
    try:
        return of_drill.why_not(
            (f for f in drill_plan.faults if f.name in missing), await _aftermath(sources, drill_plan)
        )
    except (Unreachable, NoAnswer, KeyError, ValueError, TypeError, AttributeError) as error:
        LOG.warning("why a fault had no effect can't be told: %r", error)
        return {}


async def _aftermath(sources: DrillSources, drill_plan: DrillPlan) -> Aftermath:
    objects = await read_targets(sources.kube, drill_plan)
    pods = await read_pods(sources.kube, objects, objects)
    return Aftermath(objects, pods, await sources.monitoring.working_sets(drill_plan))
