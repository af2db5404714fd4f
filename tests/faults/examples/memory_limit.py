from tests.faults.builders import PODS, killed, squeeze
from tests.faults.example import Example

EXAMPLES = (
    Example(
        "memoryLimit", squeeze(limit="64Mi", affected=3), tuple(killed(pod, n) for n, pod in enumerate(PODS, start=1))
    ),
    Example("memoryLimit", squeeze("StatefulSet", "db", limit="64Mi"), (killed("db-2", 1, owner="StatefulSet/db"),)),
    Example("memoryLimit", squeeze(), (killed(PODS[0], 1),)),
)
