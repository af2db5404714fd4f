"""What a turn sees before the start: everything around the target, checked and planned, and nothing touched."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from kubedrill.api.drill import Desired
from kubedrill.controller.drill_sources import DrillSources
from kubedrill.controller.injection_plan import InjectionPlan
from kubedrill.controller.preflight_inputs import look_around, surroundings
from kubedrill.core.machine.state import Observation, State
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.core.plan.preflight import preflight
from kubedrill.core.plan.trouble import AlertRule
from kubedrill.core.undo.operations import Refusal
from kubedrill.kube.together import together
from kubedrill.plugins.sources.base import OwnWrites
from kubedrill.store.undo_records import Listing

LOOK_BACK: Final = timedelta(seconds=60)
BASELINE: Final = timedelta(seconds=150)
"""How far back one looks before the start: two samples of what is scraped once a minute tell that it is."""


async def planned_drill(
    sources: DrillSources, drill: dict[str, Any], state: State
) -> tuple[DrillPlan | None, Refusal | None]:
    """What the drill is judged by, or why there is nothing."""

    async def rules_for(drill_plan: DrillPlan) -> dict[str, AlertRule]:
        return dict((await sources.monitoring.probe(drill_plan, sources.clock.now() - LOOK_BACK)).rules)

    known = sources.monitoring.last
    return await sources.planning.planned(drill, state, known.rules if known else {}, rules_for)


async def before_start(
    sources: DrillSources, drill: dict[str, Any], drill_plan: DrillPlan, listing: Listing, seen: Observation
) -> Observation:
    """What is around the target, what the checks say of it, and what each fault would do."""
    now = sources.clock.now()
    kept = sources.look.of(seen.generation, now)
    if kept:
        # the turn that set the finalizer has looked a moment ago, and this is what is started
        return replace(seen, drill_plan=kept.drill_plan, checks=kept.checks, plans=kept.plans, scenario=kept.scenario)
    watching = asyncio.ensure_future(_watch_or_not(sources, drill, drill_plan, held=seen.desired is not Desired.RUN))
    try:
        # The API server, Prometheus and the watches tell of different things: none waits for another.
        probe, used, found = await together(
            sources.monitoring.look(drill_plan, now - BASELINE, before_start=True),
            sources.monitoring.working_sets(drill_plan),
            look_around(sources.kube, sources.control, drill_plan),
        )
    except BaseException:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        raise
    if probe.rules:
        asked, drill_plan = drill_plan.impact, sources.planning.with_rules(probe.rules)
        if drill_plan.impact.query != asked.query:  # only now is it known what to ask for
            probe = await sources.monitoring.look(drill_plan, now - BASELINE, before_start=True)
    read = surroundings(found, sources.control, drill, drill_plan, listing, probe, used, now)
    checks = preflight(drill_plan, read.around)
    if not any(c.hard and c.ok is False for c in checks):
        await watching  # where nothing may be read, the lists are not waited for
    sources.planning.injection = InjectionPlan(read.operations)
    own = sources.watches.own
    sources.watches.own = OwnWrites(own.managers | read.managers, own.values)
    scenario = sources.planning.scenario
    return sources.look.keep(replace(seen, drill_plan=drill_plan, checks=checks, plans=read.plans, scenario=scenario))


async def _watch_or_not(sources: DrillSources, drill: dict[str, Any], drill_plan: DrillPlan, *, held: bool) -> None:
    """Watches from just before the start on. A drill that is held may be so for days, and holds no watch."""
    if held:
        await sources.watches.stop()
    else:
        await sources.watch(drill, drill_plan, State())
