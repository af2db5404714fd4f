from tests.signals.builders import at
from tests.signals.test_autoscaler import scaler
from tests.sources.builders import Example

from kubedrill.core.evidence.facts import FactKind
from kubedrill.kube.paths import AUTOSCALERS

EXAMPLE = Example(
    truth={FactKind.SCALED: at(7.2)},
    there=[(AUTOSCALERS, scaler(5, None))],
    event=(AUTOSCALERS, "MODIFIED", scaler(8, 7)),
)
