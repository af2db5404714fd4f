from tests.signals.builders import at, deployment, wrote_limit
from tests.sources.builders import Example

from kubedrill.core.evidence.facts import FactKind
from kubedrill.kube.paths import DEPLOYMENTS

EXAMPLE = Example(
    truth={FactKind.TARGET_CHANGED: at(7.8), FactKind.SCALED: at(7.8)},
    there=[(DEPLOYMENTS, deployment("64Mi"))],
    event=(
        DEPLOYMENTS,
        "MODIFIED",
        deployment("128Mi", replicas=7, generation=2, managers=(wrote_limit("tom", 7),)),
    ),
)
