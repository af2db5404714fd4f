from tests.faults.builders import fact, second
from tests.faults.example import Example

from kubedrill.core.evidence.facts import FactKind
from kubedrill.plugins.faults.manual import Manual

EXAMPLES = (
    Example(
        "manual",
        Manual(do="unplug rack 3", undo="plug rack 3 in again"),
        (fact(FactKind.CONFIRMED, second(1), fault="squeeze", step="Do"),),
    ),
)
