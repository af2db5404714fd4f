"""What one drill is judged by: derived anew until its start, and from then on the plan that was frozen, or none.

The plan is stored before the status that names its hash: that status is the point of commitment. A plan that is not
that hash is not carried out, like an undo record that says something else than when it was stored. Undo never asks
for a plan.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from pydantic import ValidationError

from kubedrill.api.base import in_words
from kubedrill.api.drill import DrillSpec
from kubedrill.api.scenario import ScenarioSpec
from kubedrill.api.stored import understood
from kubedrill.controller.injection_plan import InjectionPlan
from kubedrill.core.evidence.about import About
from kubedrill.core.machine.phases import UNTOUCHED
from kubedrill.core.machine.settled import NOT_STORED, as_started, with_settled
from kubedrill.core.machine.state import CheckResult, Observation, State
from kubedrill.core.paths import BadName
from kubedrill.core.plan.codec import UnreadablePlan
from kubedrill.core.plan.derive import derive
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.core.plan.setting import DrillSetting, alone, out_of_reach
from kubedrill.core.plan.trouble import AlertRule
from kubedrill.core.undo.operations import Refusal
from kubedrill.core.undo.record import DrillIdentity
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.kube.paths import SCENARIOS
from kubedrill.plugins.faults import of_drill
from kubedrill.store.environments import setting_beside
from kubedrill.store.plans import PlanGone, PlanRefused, read_plan, store_plan

Rules = Mapping[str, AlertRule]
Ask = Callable[[DrillPlan], Awaitable[Rules]]
WHAT_NOW = "everything is restored from the undo records; then make another drill"


class DrillPlanning:
    """The plan of one drill. `injection` is what its faults do to what is there, as it was planned last."""

    def __init__(self, kube: Kube, drill: DrillIdentity) -> None:
        self._kube, self._drill = kube, drill
        self._frozen: tuple[str, DrillPlan] | None = None
        self._derived: DrillPlan | None = None
        self._derive_with: Callable[[Rules], DrillPlan] | None = None
        self.scenario: Mapping[str, Any] = {}
        self.injection = InjectionPlan()

    async def planned(
        self, drill: Mapping[str, Any], state: State, known: Rules, ask: Ask
    ) -> tuple[DrillPlan | None, Refusal | None]:
        """The plan, or why there is none.

        `known` are the alert rules that are known to be loaded; `ask` asks for those that matter to a plan.

        Raises:
            Unreachable: whether there is one could not be read.
        """
        if state.start_ex and state.plan:
            return await self._as_frozen(state.plan)
        if self._derived is not None and state.phase not in UNTOUCHED:
            self._derived = as_started(self._derived, state)
            return self._derived, None
        plan = await self._derive(drill, state, known, ask)
        if isinstance(plan, Refusal):
            return None, plan
        self._derived = as_started(plan, state)
        return self._derived, None

    def with_rules(self, rules: Rules) -> DrillPlan:
        """The plan from what was read last, now that it is known which alert rules are loaded."""
        assert self._derive_with is not None  # noqa: S101  which rules matter is known from a plan
        self._derived = self._derive_with(rules)
        return self._derived

    @property
    def about(self) -> About | None:
        """Which alerts are about its target namespace; None before there was a plan."""
        known = self._frozen[1] if self._frozen else self._derived
        return known.about if known else None

    async def freeze(self, seen: Observation) -> CheckResult | None:
        """Stores the plan of what was seen; why it can't be stored, as one more check of the preflight.

        Raises:
            Unreachable: there was no answer.
        """
        assert seen.drill_plan is not None  # noqa: S101  nothing is committed to without a plan
        plan = with_settled(seen.drill_plan, seen.plans)
        try:
            digest = await store_plan(self._kube, self._drill, plan)
        except PlanRefused as refused:
            ok = False if refused.for_good else None
            return CheckResult(NOT_STORED, ok, "PlanNotStored", str(refused), hard=refused.for_good)
        self._frozen = digest, plan
        return None

    async def _as_frozen(self, digest: str) -> tuple[DrillPlan | None, Refusal | None]:
        if self._frozen is None or self._frozen[0] != digest:
            try:
                self._frozen = digest, await read_plan(self._kube.restoring, self._drill, digest)
            except PlanGone as gone:
                return None, Refusal("PlanGone", f"{gone}: {WHAT_NOW}")
            except UnreadablePlan as unreadable:
                return None, Refusal("PlanUnreadable", f"its plan is not carried out: {unreadable}; {WHAT_NOW}")
        return self._frozen[1], None

    async def _derive(self, drill: Mapping[str, Any], state: State, known: Rules, ask: Ask) -> DrillPlan | Refusal:
        try:
            spec = understood(DrillSpec, drill["spec"])
            scenario = spec.scenario or await self._scenario(spec.scenario_ref or "", state)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "scenario"
            return Refusal("SpecInvalid", f"{where}: {in_words(first)}")
        except BadName as wrong:
            return Refusal("SpecInvalid", str(wrong))
        if isinstance(scenario, Refusal):
            return scenario
        begun = state.phase not in UNTOUCHED
        # a version that froze no plan knew no environment and no roster either
        setting = alone(spec) if begun else await setting_beside(self._kube, self._drill.namespace, spec)
        if isinstance(setting, Refusal):
            return setting
        self.scenario = scenario.to_wire()
        derive_with = self._derive_with = partial(_derived, spec, scenario, setting)
        plan = derive_with(known)
        if not begun and (refusal := out_of_reach(plan)):
            return refusal
        if not plan.impact.query and begun:
            plan = derive_with(await ask(plan))
        return plan

    async def _scenario(self, name: str, state: State) -> ScenarioSpec | Refusal:
        """The scenario as it was when the drill started: a later change of it does not change a drill."""
        if state.scenario:
            return understood(ScenarioSpec, state.scenario)
        namespace = self._drill.namespace
        answer = await self._kube.get(SCENARIOS.one(namespace, name))
        if answer.status == 404:
            return Refusal("ScenarioNotFound", f"there is no DrillScenario {name} in namespace {namespace}")
        if not answer.ok:
            raise Unreachable(f"DrillScenario {name} can't be read: {answer.status} {answer.message}")
        return understood(ScenarioSpec, answer.body.get("spec"))


def _derived(spec: DrillSpec, scenario: ScenarioSpec, setting: DrillSetting, rules: Rules) -> DrillPlan:
    return derive(spec, scenario, of_drill.profile, rules, setting)
