"""A real API server refuses the undo, by policy or by a webhook that is not there: stalled, told, done once it may be.

Field case C3 and attack F1: a change freeze that comes in the middle of a drill.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.e2e.protocol.lab import Lab, drill, ends, kubectl, memory_of, until, workload

from kubedrill.core.undo.operations import Target
from kubedrill.core.undo.record import RecordState
from kubedrill.protocol.outcomes import Reversal

FREEZE = "change freeze: not until Monday"
KIND = {"apiVersion": "admissionregistration.k8s.io/v1"}


def rule() -> dict[str, Any]:
    return {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["deployments"]}


def policy(name: str, target: Target, reason: str) -> list[dict[str, Any]]:
    """Nobody may change the template of this Deployment. `reason` empty: the default, Invalid."""
    validation = {"expression": "object.spec.template == oldObject.spec.template", "message": FREEZE}
    validation |= {"reason": reason} if reason else {}
    return [
        KIND
        | {
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": {
                "matchConstraints": {"resourceRules": [rule()]},
                "matchConditions": [{"name": "this", "expression": f"object.metadata.name == '{target.name}'"}],
                "validations": [validation],
            },
        },
        KIND
        | {
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": {
                "policyName": name,
                "validationActions": ["Deny"],
                "matchResources": {
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": target.namespace}}
                },
            },
        },
    ]


def webhook(name: str, target: Target) -> list[dict[str, Any]]:
    """A webhook that must be asked, at a port where nobody listens."""
    return [
        KIND
        | {
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": name},
            "webhooks": [
                {
                    "name": "freeze.example.com",
                    "clientConfig": {"url": "https://127.0.0.1:9/freeze"},
                    "rules": [rule()],
                    "failurePolicy": "Fail",
                    "sideEffects": "None",
                    "admissionReviewVersions": ["v1"],
                    "timeoutSeconds": 2,
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": target.namespace}},
                    "matchConditions": [{"name": "this", "expression": f"object.metadata.name == '{target.name}'"}],
                }
            ],
        }
    ]


@contextmanager
def in_force(name: str, things: list[dict[str, Any]]) -> Iterator[None]:
    kubectl("apply", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": things})
    try:
        yield
    finally:
        kinds = ",".join(sorted({thing["kind"].lower() for thing in things}))
        kubectl("delete", kinds, name)


WAYS = {
    "a policy, 422 with a cause that names no field": lambda name, target: policy(name, target, ""),
    "a policy, 403": lambda name, target: policy(name, target, "Forbidden"),
    "a webhook that is not there": webhook,
}


@pytest.mark.parametrize("way", WAYS)
async def test_it_is_stalled_with_the_refusers_words_and_restored_once_it_may_be(lab: Lab, way: str):
    number = list(WAYS).index(way)
    target, who = await lab.made(workload("Deployment", f"frozen-{number}")), drill()
    before = await lab.read(target)
    injected = await lab.inject(who, target)
    name = f"{lab.namespace}-{target.name}"

    with in_force(name, WAYS[way](name, target)):
        refused = await until(lambda: refusal(lab, target))
        outcome = await lab.revert(injected)

        assert (outcome.state, outcome.reason) == (Reversal.STALLED, "Refused")
        assert refused in outcome.message
        assert memory_of(await lab.read(target)) == ("32Mi", "32Mi")
        assert (await lab.record(who)).record.state is RecordState.REVERTING

    restored = await lab.put_back(injected)

    assert set(ends(restored).values()) == {"Restored"}
    assert (await lab.read(target))["spec"] == before["spec"]


async def refusal(lab: Lab, target: Target) -> str | None:
    """Some of the refuser's words, once it refuses whatever is asked of the target."""
    change = {"spec": {"template": {"metadata": {"annotations": {"try": "1"}}}}}
    answer = await lab.kube.call(
        "PATCH", target.path, change, content_type="application/merge-patch+json", query=[("dryRun", "All")]
    )
    if answer.ok:
        return None
    return FREEZE if FREEZE in answer.message else "failed calling webhook"
