"""What is refused is refused before anything is touched, and without an undo record."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.e2e.protocol.lab import Lab, changes, drill, kubectl, until, workload

from kubedrill.protocol.outcomes import Injection, InjectionOutcome
from kubedrill.store.undo_records import close, list_records


def policy(name: str, namespace: str) -> list[dict[str, object]]:
    """Somebody's admission policy: no limit below 100Mi in this namespace."""
    expression = (
        "object.spec.template.spec.containers.all(c, quantity(c.resources.limits.memory)"
        ".compareTo(quantity('100Mi')) >= 0)"
    )
    updates = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["UPDATE"]}
    rule = updates | {"resources": ["deployments"]}
    only_here = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    kind = {"apiVersion": "admissionregistration.k8s.io/v1"}
    return [
        kind
        | {
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": {
                "matchConstraints": {"resourceRules": [rule]},
                "matchConditions": [{"name": "this", "expression": "object.metadata.name == 'guarded'"}],
                "validations": [{"expression": expression, "message": "limits of 100Mi at least"}],
            },
        },
        kind
        | {
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": {
                "policyName": name,
                "validationActions": ["Deny"],
                "matchResources": {"namespaceSelector": only_here},
            },
        },
    ]


async def untouched(lab: Lab, outcome: InjectionOutcome, reason: str, uid: str) -> None:
    assert outcome.state is Injection.REFUSED
    assert outcome.why is not None
    assert outcome.why.reason == reason
    assert not await list_records(lab.kube, lab.control, uid)


async def test_a_target_that_does_not_exist(lab: Lab):
    who = drill()

    outcome = await lab.inject(who, lab.target("nobody"))

    await untouched(lab, outcome, "TargetMissing", who.uid)


async def test_a_limit_below_the_request_by_the_servers_own_dry_run(lab: Lab):
    target, who = await lab.made(workload("Deployment", "below")), drill()
    before = await lab.read(target)

    outcome = await lab.inject(who, target, *changes(limit="32Mi", request=None))

    await untouched(lab, outcome, "Invalid", who.uid)
    assert outcome.why is not None
    assert "must be less than or equal to memory limit" in outcome.why.message
    assert len(outcome.why.message) < 600
    assert (await lab.read(target))["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


async def test_an_admission_policy_of_the_cluster_by_dry_run(lab: Lab):
    target, who = await lab.made(workload("Deployment", "guarded")), drill()
    name = f"{lab.namespace}-policy"
    both = {"apiVersion": "v1", "kind": "List", "items": policy(name, lab.namespace)}
    kubectl("apply", "-f", "-", given=both)
    try:

        async def in_force() -> InjectionOutcome | None:
            # a try whose dry run came before the policy was in force is put back and closed by hand
            outcome = await lab.inject(who, target)
            stored = (await list_records(lab.kube, lab.control, who.uid)).readable
            if outcome.state is Injection.REFUSED and not stored:
                return outcome
            for one in stored:
                reverted = await lab.put_back(one.ref)
                assert reverted.stored is not None
                assert await close(lab.kube, reverted.stored)
            return None

        outcome = await until(in_force)
    finally:
        kubectl("delete", "validatingadmissionpolicy,validatingadmissionpolicybinding", name)

    await untouched(lab, outcome, "Refused", who.uid)
    assert outcome.why is not None
    assert "limits of 100Mi at least" in outcome.why.message


async def test_less_than_the_margin_left_to_the_deadline(lab: Lab):
    target, who = await lab.made(workload("Deployment", "late")), drill()

    outcome = await lab.inject(who, target, left=timedelta(seconds=19))

    await untouched(lab, outcome, "TooLate", who.uid)


async def test_a_target_that_has_the_values_already(lab: Lab):
    target, who = await lab.made(workload("Deployment", "same")), drill()

    outcome = await lab.inject(who, target, *changes("128Mi", "64Mi"))

    await untouched(lab, outcome, "NothingToChange", who.uid)


@pytest.mark.parametrize("path", ["/spec/template/spec/containers/0/resourcess"])
async def test_an_unknown_field(lab: Lab, path: str):
    target, who = await lab.made(workload("Deployment", "typo")), drill()
    wished = changes()[0]

    outcome = await lab.inject(who, target, type(wished)(path, {"limits": {}}))

    await untouched(lab, outcome, "Invalid", who.uid)
