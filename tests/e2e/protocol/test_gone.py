"""A target that is gone ends the revert; what can't be read is never taken for gone."""

from __future__ import annotations

from typing import cast

import pytest
from tests.e2e.protocol.lab import Lab, drill, ends, kubectl, memory_of, workload

from kubedrill.core.paths import ApiPath
from kubedrill.kube.client import Answer, Kube, Unreachable
from kubedrill.protocol.outcomes import Reversal


class Answering:
    """The API server, but what is asked of one path is answered otherwise (or not at all)."""

    def __init__(self, kube: Kube, path: str, answer: Answer | None) -> None:
        self._kube, self._path, self._answer = kube, path, answer

    @property
    def restoring(self) -> Answering:
        return self

    async def call(self, method: str, path: str, *args, **kwargs) -> Answer:
        if path == self._path:
            if self._answer is None:
                raise Unreachable(path)
            return self._answer
        return await self._kube.call(method, ApiPath(path), *args, **kwargs)

    async def get(self, path: str, **kwargs) -> Answer:
        return await self.call("GET", path, **kwargs)


async def test_a_deleted_target_is_gone_and_the_revert_ends(lab: Lab):
    target = await lab.made(workload("Deployment", "deleted"))
    injected = await lab.inject(drill(), target)
    kubectl("delete", "deployment", "-n", lab.namespace, target.name)

    outcome = await lab.put_back(injected)

    assert set(ends(outcome).values()) == {"Gone"}


async def test_a_target_made_again_without_our_values_is_gone(lab: Lab):
    target = await lab.made(workload("Deployment", "again"))
    injected = await lab.inject(drill(), target)
    kubectl("delete", "deployment", "-n", lab.namespace, target.name)
    await lab.made(workload("Deployment", target.name))

    assert set(ends(await lab.put_back(injected)).values()) == {"Gone"}


async def test_a_target_made_again_with_our_values_is_told_and_not_touched(lab: Lab):
    target = await lab.made(workload("Deployment", "carried"))
    injected = await lab.inject(drill(), target)
    carried = {"limits": {"memory": "32Mi"}, "requests": {"memory": "32Mi"}}
    kubectl("delete", "deployment", "-n", lab.namespace, target.name)
    await lab.made(workload("Deployment", target.name, carried))

    outcome = await lab.put_back(injected)

    assert set(ends(outcome).values()) == {"CarriedOver"}
    assert memory_of(await lab.read(target)) == ("32Mi", "32Mi")


async def test_a_deleted_namespace_is_gone_even_when_its_role_went_with_it(lab: Lab):
    name = f"{lab.namespace}-gone"
    kubectl("create", "namespace", name)
    other = Lab(lab.kube, name, lab.control)
    target = await other.made(workload("Deployment", "web"))
    injected = await other.inject(drill(), target)
    kubectl("delete", "namespace", name)
    refused = Answer(403, {"kind": "Status", "reason": "Forbidden", "message": "no Role any more"})

    other.kube = cast("Kube", Answering(lab.kube, target.path, refused))
    outcome = await other.put_back(injected)

    assert set(ends(outcome).values()) == {"Gone"}


UNSURE = {
    "forbidden": Answer(403, {"kind": "Status", "reason": "Forbidden", "message": "no"}),
    "a server error": Answer(500, {"kind": "Status", "reason": "InternalError", "message": "etcd"}),
    "too many requests": Answer(429, {"kind": "Status", "reason": "TooManyRequests", "message": "later"}),
    "a proxy's 404": Answer(404, {"kind": "Status", "message": "404 page not found"}),
    "an unserved kind": Answer(404, {"kind": "Status", "reason": "NotFound", "details": {}, "message": "no"}),
    "no answer": None,
}


@pytest.mark.parametrize("answer", UNSURE.values(), ids=UNSURE.keys())
async def test_what_cannot_be_read_is_not_gone_and_is_tried_again(lab: Lab, answer: Answer | None):
    target = await lab.made(workload("Deployment", f"unsure-{list(UNSURE.values()).index(answer)}"))
    injected = await lab.inject(drill(), target)
    behind = Lab(cast("Kube", Answering(lab.kube, target.path, answer)), lab.namespace, lab.control)

    outcome = await behind.revert(injected)

    assert outcome.state is (Reversal.STALLED if answer and answer.status == 403 else Reversal.RETRY)
    assert outcome.after.total_seconds() > 0
    assert set(ends(await lab.put_back(injected)).values()) == {"Restored"}
    assert memory_of(await lab.read(target)) == ("128Mi", "64Mi")


async def test_a_stuck_record_holds_up_no_other(lab: Lab):
    stuck, free = [await lab.made(workload("Deployment", name)) for name in ("stuck", "free")]
    first, second = [await lab.inject(drill(), target) for target in (stuck, free)]
    refusing = cast("Kube", Answering(lab.kube, stuck.path, UNSURE["forbidden"]))
    behind = Lab(refusing, lab.namespace, lab.control)

    assert (await behind.revert(first)).state is Reversal.STALLED
    assert set(ends(await behind.put_back(second)).values()) == {"Restored"}
    await lab.put_back(first)
