from tests.signals.builders import at, deployment, pod
from tests.sources.builders import Example

from kubedrill.core.evidence.facts import FactKind
from kubedrill.kube.paths import DEPLOYMENTS, PODS

EXAMPLE = Example(
    truth={FactKind.WORKLOAD_STATE: at(7.9)},
    there=[(DEPLOYMENTS, deployment(replicas=2)), (PODS, pod("a", ready=True)), (PODS, pod("b", ready=True))],
    event=(PODS, "MODIFIED", pod("b", ready=False)),
)
