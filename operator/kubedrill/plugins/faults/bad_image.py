"""badImage: gives a container an image that can't be pulled, as a release with a wrong tag does.

The new image goes into the workload's template, so the workload's own rollout decides which pods get it;
`plugins.faults.strategy` makes that rollout reach exactly `affected` pods.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import Field

from kubedrill.api.base import ApiModel, Line, Name
from kubedrill.api.faults import WorkloadTarget
from kubedrill.core.evidence.facts import Fact, FactKind
from kubedrill.core.undo.operations import FieldChange, Refusal, SetFields, Target
from kubedrill.plugins.faults import shortfall, strategy
from kubedrill.plugins.faults.base import Aftermath, Effect, FaultKind, Observed, Plan, injection, nth, pods_since
from kubedrill.plugins.faults.workload import CONTAINER, RIGHTS_TO_CHANGE, object_of

NO_SUCH_TAG: Final = "kubedrill-no-such-tag"


class BadImage(ApiModel):
    """Gives a container an image that can't be pulled, so that the asked number of new pods never starts."""

    target: WorkloadTarget = Field(description="The workload whose container gets the image.")
    container: Name | None = Field(None, description=CONTAINER)
    image: Line | None = Field(
        None,
        min_length=1,
        description="The image that the container gets. Derived when left out: its own, with a tag that nobody has.",
    )
    affected: int | None = Field(
        None,
        ge=1,
        le=1000,
        description="How many pods must be hit. Derived when left out: as many as the workload's own strategy"
        " replaces while the new ones fail. Where that strategy would not reach the number, its fields are set by"
        " the same patch and restored with it, as for memoryLimit.",
    )


def targets(params: BadImage, namespace: str) -> tuple[Target, ...]:
    """The workload alone."""
    return (object_of(params.target, namespace),)


def plan(params: BadImage, seen: Observed) -> Plan[BadImage] | Refusal:
    """The image, and the strategy where it would hit another number."""
    aim = strategy.aim(params.target, params.container, params.affected, seen)
    if isinstance(aim, Refusal):
        return aim
    target, workload, container, affected = aim.target, aim.workload, aim.container, aim.affected
    image = params.image or f"{_repository(container.image)}:{NO_SUCH_TAG}"
    if image == container.image:
        return Refusal("ImageUnchanged", f"{container.name} of {target} has the image {image} already: name another")
    root = container.path
    change = FieldChange(f"{root}/image", image, ((f"{root}/name", container.name),))
    rollout = strategy.changes_to_reach(workload, affected, seen.arm_within)
    operation = SetFields(target, (change, *rollout), strategy.pods_to_unstick(workload))
    settled = params.model_copy(update={"container": container.name, "image": image, "affected": affected})
    notes = strategy.in_words(workload, affected, params.affected, rollout)
    return Plan((operation,), settled, str(target), notes)


def effect(name: str, params: BadImage, facts: Iterable[Fact]) -> Effect:
    """`affected` distinct pods of the workload could not pull the image since the injection."""
    facts, wanted = tuple(facts), params.affected or 1
    since = injection(name, facts)
    if since is None:
        return Effect(0, wanted, "not injected")
    failed = pods_since(since, (fact for fact in facts if _is_of_it(fact, params)))
    names = f": {', '.join(sorted(failed))}" if failed else ""
    return Effect(
        len(failed),
        wanted,
        f"{len(failed)} of {wanted} pods of {params.target} can't pull {params.image or 'their image'}{names}",
        nth(list(failed.values()), wanted) if len(failed) >= wanted else None,
    )


def why_not(params: BadImage, after: Aftermath) -> tuple[str, ...]:
    """Why no pod failed to pull it: none asks for it, or it could be pulled."""

    def is_changed(pod: Mapping[str, Any]) -> bool:
        containers = (pod.get("spec") or {}).get("containers") or ()
        return any(c.get("name") == params.container and c.get("image") == params.image for c in containers)

    said = list(shortfall.why_no_pod(params.target, after, is_changed))
    changed = [pod for pod in shortfall.pods_of(params.target, after) if is_changed(pod)]
    if any(shortfall.is_running(pod, params.container or "") for pod in changed):
        said.append(f"the image {params.image} could be pulled, and runs: name one that is not there")
    return tuple(said)


def _is_of_it(fact: Fact, params: BadImage) -> bool:
    detail = fact.detail
    return (
        fact.kind is FactKind.IMAGE_NOT_PULLED
        and detail.get("target") == str(params.target)
        and params.container in (None, detail.get("container"))
        and params.image in (None, detail.get("image"))
    )


def describe(params: BadImage, plan: Plan[BadImage]) -> tuple[str, ...]:
    """One line for what is done, then the notes."""
    settled = plan.settled
    what = f"badImage: container {settled.container} of {params.target} gets the image {settled.image}"
    return (f"{what}; {settled.affected} of its pods can't start", *plan.notes)


def _repository(image: str) -> str:
    """An image without its tag and digest; a port of the registry is no tag."""
    plain = image.partition("@")[0]
    host, slash, name = plain.rpartition("/")
    return f"{host}{slash}{name.partition(':')[0]}"


FAULT: Final = FaultKind(
    kind="badImage",
    params=BadImage,
    summary="Give a container an image that can't be pulled.",
    targets=targets,
    rights=RIGHTS_TO_CHANGE,
    plan=plan,
    describe=describe,
    effect=effect,
    why_not=why_not,
    # Whoever sets the image repairs it; what only holds its rollout is no part of the cause.
    cause=r"/(c|initC)ontainers/\d+/image$",
    component=lambda params: params.target.name,
    called=("BadImage", "Image", "ImagePull", "ImagePullBackOff", "ErrImagePull"),
)
