from tests.signals.builders import at
from tests.signals.test_alertmanager import alert, listed
from tests.sources.builders import Example

from kubedrill.core.evidence.facts import FactKind

EXAMPLE = Example(
    truth={FactKind.ALERT_FIRING: at(5.123)}, read=lambda: listed(alert() | {"status": {"state": "active"}})
)
