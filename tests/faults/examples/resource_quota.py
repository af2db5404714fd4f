from tests.faults.builders import fact, second
from tests.faults.example import Example

from kubedrill.core.evidence.facts import FactKind
from kubedrill.plugins.faults.resource_quota import ResourceQuota

EXAMPLES = (
    Example(
        "resourceQuota",
        ResourceQuota(name="team-limits", hard={"pods": "3", "limits.memory": "1Gi"}),
        (fact(FactKind.QUOTA_REACHED, second(1), quota="team-limits"),),
    ),
    Example(
        "resourceQuota",
        ResourceQuota(),
        (fact(FactKind.PODS_REFUSED, second(1), quota="compute-resources", target="Deployment/web"),),
    ),
)
