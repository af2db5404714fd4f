from tests.signals.builders import at
from tests.signals.test_actions import heard, word
from tests.sources.builders import Example

from kubedrill.core.evidence.facts import FactKind

EXAMPLE = Example(truth={FactKind.ACKNOWLEDGED: at(7.2)}, read=lambda: heard(word("Acknowledge")))
