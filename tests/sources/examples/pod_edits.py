from tests.signals.builders import at, resizable, resized
from tests.sources.builders import Example

from kubedrill.core.evidence.facts import FactKind
from kubedrill.kube.paths import PODS

EXAMPLE = Example(
    truth={FactKind.TARGET_CHANGED: at(7.8)},
    there=[(PODS, resizable("24Mi"))],
    event=(PODS, "MODIFIED", resizable("80Mi", generation=2, managers=(resized("kubectl", 7),))),
)
