"""What an example of a fault kind holds, and what follows from it: everything that the contract speaks of."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.builders import DB, WEB, deployment, seen, stateful_set
from tests.observers.builders import drill_plan

from kubedrill.api.base import ApiModel
from kubedrill.api.faults import Fault
from kubedrill.core.evidence.facts import Fact
from kubedrill.core.machine.settled import with_settled
from kubedrill.core.machine.state import FaultState
from kubedrill.core.plan.drill_plan import DrillPlan, FaultProfile
from kubedrill.core.undo.operations import Target
from kubedrill.core.undo.touches import planned_touches
from kubedrill.plugins.faults import discover
from kubedrill.plugins.faults.base import FaultKind, Plan
from kubedrill.plugins.faults.of_drill import profile

EXAMPLES = Path(__file__).parent / "examples"
REDIS = Target("", "v1", "Service", "services", "shop", "redis")
OBJECTS = {WEB: deployment(), DB: stateful_set(), REDIS: {"spec": {"ports": [{"port": 6379}]}}}


@dataclass(frozen=True)
class Example:
    """Parameters of a kind, and the facts after which a fault of that name and these parameters had its effect."""

    kind: str
    params: ApiModel
    complete: tuple[Fact, ...] = field(default=(), repr=False)
    name: str = "squeeze"

    @property
    def declared(self) -> FaultKind[Any]:
        return discover()[self.kind]

    @property
    def fault(self) -> Fault:
        return Fault.model_validate({"name": self.name, self.kind: self.params.to_wire()})

    @property
    def profile(self) -> FaultProfile:
        return profile(self.fault, "shop")

    def planned(self, **used: int) -> Plan[Any]:
        """Its plan, shown the objects that it asks for and no others."""
        asked_for = {target: OBJECTS[target] for target in self.declared.targets(self.params, "shop")}
        plan = self.declared.plan(self.params, seen(asked_for, used=used))
        assert isinstance(plan, Plan), plan
        return plan

    def operations_of(self, kind: type[Any]) -> list[Any]:
        return [o for o in self.planned().operations if isinstance(o, kind)]

    def started(self) -> DrillPlan:
        """The plan of a drill with this fault, once it was started."""
        touches = planned_touches(self.planned().operations, OBJECTS)
        return with_settled(drill_plan(faults=(self.fault,)), {self.name: FaultState(self.name, touches=touches)})


def examples() -> tuple[Example, ...]:
    """Those of every kind, from a module of its name, the kinds in the order in which they break something."""
    modules = (module.name for module in pkgutil.iter_modules([str(EXAMPLES)]))
    found = [one for name in modules for one in importlib.import_module(f"tests.faults.examples.{name}").EXAMPLES]
    order = list(discover())
    return tuple(sorted(found, key=lambda one: order.index(one.kind)))
