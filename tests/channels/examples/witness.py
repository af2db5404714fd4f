from tests.channels.builders import Example
from tests.signals.builders import deployment
from tests.signals.reviews import review

from kubedrill.core.evidence.facts import FactKind

EXAMPLE = Example(
    gives=frozenset({FactKind.ATTEMPTED}),
    message=review("UPDATE", deployment("24Mi"), deployment("128Mi", generation=2)),
)
