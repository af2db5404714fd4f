"""What a real API server says when a policy or a webhook refuses a write: word by word as the fault matrix says it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import pytest
from tests.e2e.api.conftest import kubectl
from tests.faultmatrix.refusals import FREEZE, NAME, NO_ANSWER, NOBODY_THERE, Refused, refusal

from kubedrill.core.paths import ApiPath
from kubedrill.kube.client import MERGE_PATCH, Answer, Kube

IN_FORCE: Final = 20.0
"""Seconds until a new policy is obeyed at the latest; it takes one to five."""
EVERYTHING: Final = {
    "apiGroups": ["*"],
    "apiVersions": ["*"],
    "operations": ["CREATE", "UPDATE", "DELETE"],
    "resources": ["configmaps", "deployments"],
}
API: Final = {"apiVersion": "admissionregistration.k8s.io/v1"}


def refusers(name: str, namespace: str) -> list[dict[str, Any]]:
    """Two policies and two webhooks that nobody answers, each for the objects that bear its kind's name."""
    here = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    return [
        *_policy(name, "policy-422", here),
        *_policy(name, "policy-403", here, reason="Forbidden"),
        {
            **API,
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": name},
            "webhooks": [
                _webhook(f"{name}.example.com", "webhook-unreachable", NOBODY_THERE) | here,
                _webhook(f"{name}.example.org", "webhook-timeout", NO_ANSWER) | here,
            ],
        },
    ]


def _only(kind: str) -> list[dict[str, str]]:
    return [{"name": "this-one", "expression": f"request.name == '{kind}'"}]


def _policy(name: str, kind: str, here: dict[str, Any], **said: str) -> list[dict[str, Any]]:
    name = f"{name}-{kind}"
    validation = {"expression": "false", "message": FREEZE, **said}
    return [
        {
            **API,
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {"resourceRules": [EVERYTHING]},
                "matchConditions": _only(kind),
                "validations": [validation],
            },
        },
        {
            **API,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": {"policyName": name, "validationActions": ["Deny"], "matchResources": here},
        },
    ]


def _webhook(name: str, kind: str, url: str) -> dict[str, Any]:
    return {
        "name": name,
        "clientConfig": {"url": url},
        "rules": [EVERYTHING],
        "matchConditions": _only(kind),
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "timeoutSeconds": 1,
        "admissionReviewVersions": ["v1"],
    }


KINDS: Final = ("policy-422", "policy-403", "webhook-unreachable", "webhook-timeout")


def workload(name: str) -> dict[str, Any]:
    """A Deployment without pods."""
    pod = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "app", "image": "none"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": name}}, "template": pod},
    }


@pytest.fixture(scope="module")
def refuser(namespace: str) -> Iterator[str]:
    """The name that this run's refusers begin with. A workload for each kind was there before them."""
    wanted = refusers(namespace, namespace)
    for things in ([workload(kind) for kind in KINDS], wanted):
        made = kubectl("apply", "-n", namespace, "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": things})
        assert made.returncode == 0, made.stderr
    yield namespace
    for thing in wanted:
        kubectl("delete", thing["kind"].lower(), thing["metadata"]["name"])


@pytest.fixture
async def kube() -> AsyncIterator[Kube]:
    kube = await Kube.connect()
    yield kube
    await kube.close()


async def refused(kube: Kube, method: str, path: str, body: Any, **how: Any) -> Answer:
    """The answer to a write that is refused once what refuses it is in force."""
    deadline = time.monotonic() + IN_FORCE
    while (answer := await kube.call(method, ApiPath(path), body, query=[("dryRun", "All")], **how)).ok:
        assert time.monotonic() < deadline, f"{method} {path} is not refused"
        await asyncio.sleep(0.2)
    return answer


def told(answer: Answer, refuser: str, kind: str) -> Any:
    """The whole answer, this run's refuser by the name that it has in the fault matrix."""
    names = {"webhook-unreachable": f"{refuser}.example.com", "webhook-timeout": f"{refuser}.example.org"}
    return json.loads(json.dumps(answer.body).replace(names.get(kind, f"{refuser}-{kind}"), NAME))


@pytest.mark.parametrize("kind", KINDS)
async def test_a_create_is_refused_in_these_words(kube: Kube, namespace: str, refuser: str, kind: str):
    answer = await refused(kube, "POST", f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": {"name": kind}})

    assert told(answer, refuser, kind) == refusal(kind, Refused("configmaps", kind))
    assert answer.status == answer.body["code"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_change_of_a_workload_is_refused_in_these_words(kube: Kube, namespace: str, refuser: str, kind: str):
    path, change = f"/apis/apps/v1/namespaces/{namespace}/deployments/{kind}", {"spec": {"paused": True}}

    answer = await refused(kube, "PATCH", path, change, content_type=MERGE_PATCH)

    assert told(answer, refuser, kind) == refusal(kind, Refused("deployments", kind, "apps"))


@pytest.mark.parametrize("kind", KINDS)
async def test_a_removal_is_refused_in_these_words(kube: Kube, namespace: str, refuser: str, kind: str):
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{kind}"

    answer = await refused(kube, "DELETE", path, None)

    assert told(answer, refuser, kind) == refusal(kind, Refused("deployments", kind, "apps"))
