from tests.faults.builders import PODS, fact, second
from tests.faults.example import Example

from kubedrill.api.faults import WorkloadTarget
from kubedrill.core.evidence.facts import Fact, FactKind
from kubedrill.plugins.faults.bad_image import NO_SUCH_TAG, BadImage


def unpulled(pod: str, target: str, at: float) -> Fact:
    image = f"app:{NO_SUCH_TAG}"
    return fact(FactKind.IMAGE_NOT_PULLED, second(at), pod=pod, target=target, container="main", image=image)


EXAMPLES = (
    Example(
        "badImage",
        BadImage(target=WorkloadTarget(kind="Deployment", name="web"), affected=2),
        tuple(unpulled(pod, "Deployment/web", n) for n, pod in enumerate(PODS, start=1)),
    ),
    Example(
        "badImage",
        BadImage(target=WorkloadTarget(kind="StatefulSet", name="db")),
        (unpulled("db-2", "StatefulSet/db", 1),),
    ),
)
