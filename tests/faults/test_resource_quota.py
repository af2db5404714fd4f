"""resourceQuota: no new pod is let in; whoever removes the quota or raises it repairs it."""

from __future__ import annotations

import pytest
from tests.faults.builders import fact, injected, second, seen
from tests.observers.builders import drill_plan
from tests.signals.builders import receipt
from tests.signals.test_quotas import quota

from kubedrill.api.faults import Fault
from kubedrill.core.evidence.attribution import is_cause
from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.undo.operations import Create
from kubedrill.plugins.faults.base import Plan, together
from kubedrill.plugins.faults.resource_quota import ResourceQuota, effect, plan
from kubedrill.plugins.sources.quotas import facts_of


def planned(params: ResourceQuota) -> Create:
    decided = plan(params, seen())
    assert isinstance(decided, Plan), decided
    (operation,) = decided.operations
    assert isinstance(operation, Create)
    return operation


def test_when_nothing_is_said_no_pod_is_let_in_by_a_quota_with_a_usual_name():
    operation = planned(ResourceQuota())
    assert operation.manifest["metadata"] == {"name": "compute-resources"}
    assert operation.manifest["spec"] == {"hard": {"pods": "0"}}
    assert str(operation.target) == "ResourceQuota/compute-resources"


def test_what_is_said_is_made():
    operation = planned(ResourceQuota(name="team", hard={"requests.memory": "1Gi", "pods": "3"}))
    assert operation.manifest["spec"] == {"hard": {"pods": "3", "requests.memory": "1Gi"}}


@pytest.mark.parametrize("amount", ["-1", "lots", "1 Gi", ""])
def test_an_amount_that_is_no_quantity_is_refused(amount: str):
    with pytest.raises(ValueError, match="hard"):
        ResourceQuota(hard={"pods": amount})


def test_another_quota_that_is_used_up_or_one_from_before_is_not_its_effect():
    params = ResourceQuota(name="team")
    others = (
        fact(FactKind.QUOTA_REACHED, second(1), quota="compute-resources"),
        fact(FactKind.QUOTA_REACHED, second(-9), quota="team"),
    )
    assert not effect("squeeze", params, (injected(), *others)).complete


def test_it_is_effective_from_the_first_sign_on():
    signs = (
        fact(FactKind.PODS_REFUSED, second(4), quota="team", target="Deployment/web"),
        fact(FactKind.QUOTA_REACHED, second(2), quota="team"),
    )
    found = effect("squeeze", ResourceQuota(name="team"), (injected(), *signs))
    assert (found.complete, found.at) == (True, second(2))


def test_two_of_one_name_are_refused_together():
    plans = {name: plan(ResourceQuota(), seen()) for name in ("one", "two")}
    refused = together(plans)  # type: ignore[arg-type]
    assert getattr(refused, "reason", "") == "FaultsOverlap"


def test_removing_it_and_raising_it_are_fixes_and_a_change_of_another_is_none():
    fault = Fault.model_validate({"name": "full", "resourceQuota": {"name": "limits"}})
    drill = drill_plan(faults=(fault,))
    (gone,) = facts_of("DELETED", quota(), receipt(7), quota())
    (more,) = facts_of("MODIFIED", quota("100", 2, "kubectl-edit"), receipt(5), quota())
    assert is_cause(gone, drill)
    assert is_cause(more, drill)
    other = drill_plan(faults=(Fault.model_validate({"name": "full", "resourceQuota": {"name": "another"}}),))
    assert not is_cause(gone, other)
