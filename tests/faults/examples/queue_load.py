from tests.faults.builders import fact, second
from tests.faults.example import Example

from kubedrill.core.evidence.facts import FactKind
from kubedrill.plugins.faults.queue_load import QueueLoad

EXAMPLES = (
    Example(
        "queueLoad",
        QueueLoad(key="jobs", rate_per_second=10, count=100, in_flight=["inflight:*"]),
        (fact(FactKind.JOBS_PUSHED, second(1), fault="squeeze", pushed=10),),
    ),
)
