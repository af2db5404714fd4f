"""Three-way, field by field: ours goes back, somebody else's change stays and is told with who and when."""

from __future__ import annotations

from tests.e2e.protocol.lab import REPLACING, Lab, changes, drill, ends, memory_of, ownership, workload

from kubedrill.core.undo.record import RecordState


async def test_a_players_limit_stays_and_only_the_request_goes_back(lab: Lab):
    target = await lab.made(workload("Deployment", "raised"))
    injected = await lab.inject(drill(), target)
    await lab.set_memory(target, limit="256Mi")

    outcome = await lab.put_back(injected)

    assert ends(outcome) == {"limits/memory": "Superseded", "requests/memory": "Restored"}
    limit = outcome.fields[0]
    assert (limit.now, limit.who) == ("256Mi", "kubectl-edit")
    assert limit.when
    assert memory_of(await lab.read(target)) == ("256Mi", "64Mi")


async def test_a_player_who_restores_the_values_leaves_nothing_to_do(lab: Lab):
    target = await lab.made(workload("Deployment", "fixed"))
    injected = await lab.inject(drill(), target)
    await lab.set_memory(target, "128Mi", "64Mi")
    fixed = await lab.read(target)

    outcome = await lab.put_back(injected)

    assert set(ends(outcome).values()) == {"Untouched"}
    assert outcome.fields[0].who == "kubectl-edit"
    assert (await lab.read(target))["metadata"]["generation"] == fixed["metadata"]["generation"]


async def test_limit_and_request_stay_as_the_player_left_them_if_one_cannot_go_back_alone(lab: Lab):
    target = await lab.made(
        workload("Deployment", "kept", {"limits": {"memory": "256Mi"}, "requests": {"memory": "256Mi"}})
    )
    injected = await lab.inject(drill(), target, *changes(minReadySeconds=15))
    await lab.set_memory(target, limit="64Mi")

    outcome = await lab.put_back(injected)

    assert ends(outcome) == {
        "limits/memory": "Superseded",
        "requests/memory": "KeptPlayerEdit",
        "spec/minReadySeconds": "Restored",
    }
    seen = await lab.read(target)
    assert memory_of(seen) == ("64Mi", "32Mi")
    assert "minReadySeconds" not in seen["spec"]


async def test_the_facilitator_may_overwrite_what_a_player_left(lab: Lab):
    target = await lab.made(workload("Deployment", "overwritten"))
    before = await lab.read(target)
    injected = await lab.inject(drill(), target)
    await lab.set_memory(target, limit="48Mi")

    outcome = await lab.put_back(injected, overwrite=True)

    assert set(ends(outcome).values()) == {"Restored"}
    assert (await lab.read(target))["spec"] == before["spec"]


async def test_fields_are_found_again_when_a_sidecar_moves_the_container(lab: Lab):
    target = await lab.made(workload("Deployment", "sidecar"))
    injected = await lab.inject(drill(), target)
    seen = await lab.read(target)
    sidecar = {"name": "log", "image": "localhost/none:1", "imagePullPolicy": "Never"}
    containers = [sidecar, *seen["spec"]["template"]["spec"]["containers"]]
    await lab.merged(target, {"spec": {"template": {"spec": {"containers": containers}}}})

    outcome = await lab.put_back(injected)

    assert set(ends(outcome).values()) == {"Restored"}
    after = (await lab.read(target))["spec"]["template"]["spec"]["containers"]
    assert [c["name"] for c in after] == ["log", "web"]
    assert after[1]["resources"] == {"limits": {"memory": "128Mi"}, "requests": {"memory": "64Mi"}}


async def test_a_container_that_a_player_removed_is_not_made_again(lab: Lab):
    target = await lab.made(workload("Deployment", "swapped"))
    injected = await lab.inject(drill(), target)
    other = {"name": "other", "image": "localhost/none:1", "imagePullPolicy": "Never"}
    await lab.merged(target, {"spec": {"template": {"spec": {"containers": [other]}}}})

    outcome = await lab.put_back(injected)

    assert set(ends(outcome).values()) == {"Superseded"}
    seen = await lab.read(target)
    assert [c["name"] for c in seen["spec"]["template"]["spec"]["containers"]] == ["other"]


async def test_a_scale_of_a_player_or_an_autoscaler_is_not_touched(lab: Lab):
    target, who = await lab.made(workload("Deployment", "scaled", strategy=REPLACING)), drill()
    injected = await lab.inject(who, target)
    await lab.merged(target, {"spec": {"replicas": 1}})

    outcome = await lab.put_back(injected)

    assert set(ends(outcome).values()) == {"Restored"}
    assert (await lab.read(target))["spec"]["replicas"] == 1
    assert (await lab.record(who)).record.state is RecordState.REVERTED


async def test_another_persons_change_keeps_its_owner_through_the_revert(lab: Lab):
    target = await lab.made(workload("Deployment", "owners"))
    injected = await lab.inject(drill(), target)
    await lab.set_memory(target, limit="256Mi")
    edited = [e for e in ownership(await lab.read(target)) if e["manager"] == "kubectl-edit"]

    await lab.put_back(injected)

    after = ownership(await lab.read(target))
    assert [e for e in after if e["manager"] == "kubectl-edit"] == edited
    assert not [e for e in after if e["manager"].startswith("manager-")]
