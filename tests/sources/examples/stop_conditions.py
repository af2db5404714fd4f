from tests.signals.builders import at
from tests.sources.builders import Example

from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.plan.surroundings import StopReading
from kubedrill.plugins.sources.stop_conditions import fact_of

MET = StopReading("errors", True, "errors > 5 gives 7")
EXAMPLE = Example(truth={FactKind.STOP_CONDITION_MET: at(7.1)}, read=lambda: [fact_of(MET, at(7), at(7.2))])
