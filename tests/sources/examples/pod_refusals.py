from tests.signals.builders import at
from tests.signals.test_pod_refusals import SAID, failing
from tests.sources.builders import Example

from kubedrill.core.evidence.facts import FactKind
from kubedrill.kube.paths import DEPLOYMENTS

EXAMPLE = Example(
    truth={FactKind.PODS_REFUSED: at(8)},
    there=[(DEPLOYMENTS, failing(SAID, "False"))],
    event=(DEPLOYMENTS, "MODIFIED", failing(SAID)),
)
