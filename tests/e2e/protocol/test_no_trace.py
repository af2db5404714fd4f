"""Nothing of a drill is left on the target, and the owner's tools work during it and after it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.e2e.protocol.lab import Lab, changes, drill, kubectl, memory_of, ownership, workload

from kubedrill.core.undo.operations import Target


def raised(name: str, limit: str) -> dict[str, Any]:
    return workload("Deployment", name, {"limits": {"memory": limit}, "requests": {"memory": "64Mi"}})


def by_client_side_apply(lab: Lab, name: str) -> None:
    lab.applied(workload("Deployment", name))


def by_server_side_apply(lab: Lab, name: str) -> None:
    lab.applied(workload("Deployment", name), "--server-side", "--field-manager=argocd")


def by_kubectl_set(lab: Lab, name: str) -> None:
    kubectl("create", "-n", lab.namespace, "-f", "-", given=workload("Deployment", name, {}))
    kubectl(
        "set", "resources", "-n", lab.namespace, f"deployment/{name}", "--limits=memory=128Mi", "--requests=memory=64Mi"
    )


def by_server_side_apply_and_a_person(lab: Lab, name: str) -> None:
    by_server_side_apply(lab, name)
    kubectl("set", "resources", "-n", lab.namespace, f"deployment/{name}", "--limits=memory=127Mi")
    kubectl("set", "resources", "-n", lab.namespace, f"deployment/{name}", "--limits=memory=128Mi")


def by_two_who_share_the_field(lab: Lab, name: str) -> None:
    by_server_side_apply(lab, name)
    lab.applied(workload("Deployment", name), "--server-side", "--field-manager=flux")


OWNERS = [
    by_client_side_apply,
    by_server_side_apply,
    by_kubectl_set,
    by_server_side_apply_and_a_person,
    by_two_who_share_the_field,
]


def named(owner: Any) -> str:
    return owner.__name__.replace("_", "-")


async def owned(lab: Lab, owner: Any, prefix: str) -> tuple[Target, dict[str, Any]]:
    name = f"{prefix}-{OWNERS.index(owner)}"
    owner(lab, name)
    target = lab.target(name)
    return target, await lab.settled(target)


@pytest.mark.parametrize("owner", OWNERS, ids=named)
async def test_ownership_is_the_same_during_the_fault_and_after_it(lab: Lab, owner: Any):
    target, before = await owned(lab, owner, "same")

    injected = await lab.inject(
        drill(), target, *changes(strategy__rollingUpdate__maxUnavailable=3, minReadySeconds=15)
    )
    during = await lab.read(target)
    await lab.put_back(injected)
    after = await lab.read(target)

    assert memory_of(during) == ("32Mi", "32Mi")
    assert ownership(during) == ownership(before)
    assert ownership(after) == ownership(before)
    assert after["spec"] == before["spec"]
    assert after["metadata"].get("labels") == before["metadata"].get("labels")
    assert set(after["metadata"].get("annotations", {})) == set(before["metadata"].get("annotations", {}))


async def test_the_owners_client_side_apply_works_during_the_fault(lab: Lab):
    target, _ = await owned(lab, by_client_side_apply, "csa-during")
    injected = await lab.inject(drill(), target)

    said = lab.applied(raised(target.name, "256Mi"))

    assert "configured" in said
    await lab.put_back(injected)
    assert memory_of(await lab.read(target)) == ("256Mi", "64Mi")


async def test_the_owners_server_side_apply_works_during_the_fault_without_a_conflict(lab: Lab):
    target, _ = await owned(lab, by_server_side_apply, "ssa-during")
    injected = await lab.inject(drill(), target)

    said = lab.applied(raised(target.name, "256Mi"), "--server-side", "--field-manager=argocd")

    assert "conflict" not in said
    await lab.put_back(injected)
    assert memory_of(await lab.read(target)) == ("256Mi", "64Mi")


async def test_a_conflict_of_another_player_names_the_owner_and_never_the_drill(lab: Lab):
    target, _ = await owned(lab, by_server_side_apply, "conflict")
    await lab.inject(drill(), target)

    said = kubectl(
        "apply",
        "-n",
        lab.namespace,
        "--server-side",
        "--field-manager=bob",
        "-f",
        "-",
        given=raised(target.name, "256Mi"),
        succeeds=False,
    )

    assert '"argocd"' in said
    assert "manager-" not in said


@pytest.mark.parametrize("options", [(), ("--server-side", "--field-manager=argocd")], ids=["csa", "ssa"])
async def test_the_owner_can_deploy_a_changed_limit_after_the_drill(lab: Lab, options: tuple[str, ...]):
    owner = by_server_side_apply if options else by_client_side_apply
    target, _ = await owned(lab, owner, f"after-{len(options)}")
    await lab.put_back(await lab.inject(drill(), target))

    said = lab.applied(raised(target.name, "256Mi"), *options)

    assert "conflict" not in said
    assert memory_of(await lab.read(target)) == ("256Mi", "64Mi")


async def test_a_limit_that_was_not_there_is_not_there_again(lab: Lab):
    target = await lab.made(workload("Deployment", "unlimited", {}))
    before = await lab.read(target)

    injected = await lab.inject(drill(), target)
    assert memory_of(await lab.read(target)) == ("32Mi", "32Mi")
    await lab.put_back(injected)

    after = await lab.read(target)
    assert after["spec"] == before["spec"]
    assert ownership(after) == ownership(before)


async def test_a_stateful_set_is_put_back_like_a_deployment(lab: Lab):
    target = await lab.made(workload("StatefulSet", "ordered"))
    before = await lab.read(target)

    injected = await lab.inject(drill(), target, *changes(updateStrategy__rollingUpdate__partition=1))
    during = await lab.read(target)
    await lab.put_back(injected)
    after = await lab.read(target)

    assert (memory_of(during), ownership(during)) == (("32Mi", "32Mi"), ownership(before))
    assert after["spec"] == before["spec"]
    assert ownership(after) == ownership(before)


async def test_values_are_recorded_as_the_server_stores_them(lab: Lab):
    target, who = await lab.made(workload("Deployment", "normal", {"limits": {"memory": "1Gi"}})), drill()

    injected = await lab.inject(who, target, *changes(limit="0.5Gi", request=None))

    (field,) = (await lab.record(who)).record.fields
    assert (field.before, field.after) == ("1Gi", "512Mi")
    reverted = await lab.put_back(injected)
    assert [f.outcome for f in reverted.fields] == ["Restored"]
