from tests.faults.builders import PODS, fact, second
from tests.faults.example import Example

from kubedrill.api.faults import WorkloadTarget
from kubedrill.core.evidence.facts import FactKind
from kubedrill.plugins.faults.pod_kill import PodKill

EXAMPLES = (
    Example(
        "podKill",
        PodKill(target=WorkloadTarget(kind="Deployment", name="web"), pods=2, grace_period="0s"),
        tuple(fact(FactKind.POD_GONE, second(n), pod=pod, target="Deployment/web") for n, pod in enumerate(PODS, 1)),
    ),
    Example(
        "podKill",
        PodKill(target=WorkloadTarget(kind="StatefulSet", name="db")),
        (fact(FactKind.POD_GONE, second(1), pod="db-2", target="StatefulSet/db"),),
    ),
)
