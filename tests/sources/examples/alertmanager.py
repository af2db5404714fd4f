from tests.signals.builders import at
from tests.signals.test_alertmanager import alert, message, read
from tests.sources.builders import Example

from kubedrill.core.evidence.facts import FactKind

EXAMPLE = Example(
    truth={FactKind.ALERT_FIRING: at(5.123), FactKind.PAGE_SENT: at(5.9)}, read=lambda: read(message(alert()))
)
