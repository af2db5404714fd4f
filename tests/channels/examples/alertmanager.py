from tests.channels.builders import Example
from tests.signals.test_alertmanager import alert, message

from kubedrill.core.evidence.facts import FactKind

EXAMPLE = Example(gives=frozenset({FactKind.ALERT_FIRING, FactKind.NOTIFIED}), message=message(alert()))
