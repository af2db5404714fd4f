from tests.faults.builders import fact, second
from tests.faults.example import Example

from kubedrill.core.evidence.facts import FactKind
from kubedrill.plugins.faults.alert import AlertAnnounce

EXAMPLES = (
    Example(
        "alert",
        AlertAnnounce(alert="CheckoutDown", labels={"severity": "page"}),
        (fact(FactKind.ALERT_FIRING, second(1), alert="CheckoutDown"),),
    ),
)
