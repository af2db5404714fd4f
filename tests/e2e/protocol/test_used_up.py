"""What the change of an object may use up is used up, and it is put back all the same."""

from __future__ import annotations

from collections.abc import Callable

from tests.e2e.protocol.lab import Lab, drill, ends, kubectl, memory_of, workload
from tests.e2e.protocol.test_made_and_removed import Making

from kubedrill.core.undo.operations import Consumable, Create, SetFields


def quota(lab: Lab) -> None:
    """No pod and no memory is left, and no pod of the size that is to come back would be let in."""
    for kind, spec in {
        "ResourceQuota": {"hard": {"pods": "0", "requests.memory": "0", "limits.memory": "0"}},
        "LimitRange": {"limits": [{"type": "Container", "max": {"memory": "48Mi"}}]},
    }.items():
        lab.applied({"apiVersion": "v1", "kind": kind, "metadata": {"name": "used-up"}, "spec": spec})


USE_UP: dict[Consumable, Callable[[Lab], None]] = {Consumable.QUOTA: quota}


async def test_fields_are_put_back_while_everything_that_they_may_use_up_is_used_up(lab: Lab):
    assert USE_UP.keys() == SetFields.uses_up
    target = await lab.made(workload("Deployment", "used-up"))
    injected = await lab.inject(drill(), target)
    for use_up in USE_UP.values():
        use_up(lab)

    outcome = await lab.put_back(injected)
    kubectl("delete", "-n", lab.namespace, "resourcequota/used-up", "limitrange/used-up")

    assert set(ends(outcome).values()) == {"Restored"}
    assert memory_of(await lab.read(target)) == ("128Mi", "64Mi")


async def test_what_was_made_is_removed_while_no_more_of_its_kind_may_be_made(lab: Lab):
    assert Create.uses_up == {Consumable.QUOTA}
    making = Making(lab, "made-beside")
    await making.inject()
    spec = {"hard": {"resourcequotas": "0"}}
    lab.applied({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "no-more"}, "spec": spec})

    outcome = await making.put_back()
    kubectl("delete", "-n", lab.namespace, "resourcequota/no-more")

    assert [field.outcome for field in outcome.fields] == ["Restored"]
    assert await making.there() is None
