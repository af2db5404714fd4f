from tests.signals.builders import at, death, pod
from tests.sources.builders import Example

from kubedrill.core.evidence.facts import FactKind
from kubedrill.kube.paths import PODS

LOOPS = {"waiting": {"reason": "CrashLoopBackOff"}}
EXAMPLE = Example(
    truth={
        FactKind.POD_OOM_KILLED: at(7.4),
        FactKind.POD_CRASH_LOOPING: at(8.2),
        FactKind.POD_UNREADY: at(7.5),
    },
    there=[(PODS, pod(ready=True, since=-60) | {"spec": {"containers": [{"name": "worker", "image": "app"}]}})],
    event=(PODS, "MODIFIED", pod(state=LOOPS, last=death(7), restarts=1, ready=False, since=7)),
)
