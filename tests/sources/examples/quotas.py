from tests.signals.builders import at
from tests.signals.test_quotas import full, quota
from tests.sources.builders import Example

from kubedrill.api.faults import Fault
from kubedrill.core.evidence.facts import FactKind
from kubedrill.kube.paths import RESOURCE_QUOTAS

EXAMPLE = Example(
    truth={FactKind.QUOTA_REACHED: at(7.9), FactKind.TARGET_CHANGED: at(7.9)},
    there=[(RESOURCE_QUOTAS, quota("100"))],
    faults=(Fault.model_validate({"name": "full", "resourceQuota": {}}),),
    event=(RESOURCE_QUOTAS, "MODIFIED", full(quota("0", 2, "kubectl-edit", seconds=7))),
)
