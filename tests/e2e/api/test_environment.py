"""Environments and rosters at the API server: what is stored, and with which sentence the rest is refused."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from tests.e2e.api.conftest import kubectl

Apply = Callable[[dict[str, Any]], str]
Change = Callable[[dict[str, Any]], Any]


def environment(change: Change = lambda _: None) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "targetNamespaces": ["shop-staging", "shop-qa"],
        "prometheus": {"service": {"namespace": "monitoring", "name": "prometheus-k8s", "port": 9090}},
        "alertmanager": {"service": {"name": "alertmanager", "port": 9093}},
        "labels": {"namespace": "exported_namespace"},
        "allowedServices": [{"namespace": "data", "name": "redis"}],
    }
    return made("DrillEnvironment", spec, change)


def roster(change: Change = lambda _: None) -> dict[str, Any]:
    people = [
        {"name": "alice", "role": "L1", "identities": {"kubernetes": "alice@example.com", "fieldManager": "alice"}},
        {"name": "robo", "role": "L2", "kind": "Script"},
    ]
    return made("DrillRoster", {"people": people}, change)


def made(kind: str, spec: dict[str, Any], change: Change) -> dict[str, Any]:
    change(spec)
    name = {"name": f"e-{uuid.uuid4().hex[:8]}"}
    return {"apiVersion": "kubedrill.dev/v1alpha1", "kind": kind, "metadata": name, "spec": spec}


@pytest.mark.parametrize("make", [environment, roster])
def test_it_is_accepted_as_it_stands(apply: Apply, make: Callable[[], dict[str, Any]]):
    assert not apply(make())


def test_an_environment_need_only_say_what_it_is_for(apply: Apply):
    assert not apply(made("DrillEnvironment", {"targetNamespaces": ["shop"]}, lambda _: None))


def test_monitoring_behind_a_door_is_accepted(apply: Apply):
    how = {"tls": {"serverName": "monitoring.example.com"}, "credentials": "monitoring", "tenant": {"name": "team-a"}}
    service = {"namespace": "monitoring", "name": "prometheus", "port": 9090}
    others = [{"name": "am-1", "port": 9093, "tls": {}, "credentials": "am-1"}]
    outside = {"url": "https://am.example.com:8443/select/0:0/", "credentials": "am", "others": others}
    assert not apply(
        environment(
            lambda s: s.update(prometheus={"service": service, "pathPrefix": "/a/b"} | how, alertmanager=outside)
        )
    )


def test_the_largest_ones_are_accepted(apply: Apply):
    services = [{"namespace": "n" * 63, "name": f"{'s' * 60}{n}"} for n in range(50)]
    targets = [f"{'t' * 60}{n}" for n in range(100)]
    assert not apply(environment(lambda s: s.update(targetNamespaces=targets, allowedServices=services)))
    people = [{"name": f"{'p' * 60}{n}", "role": "r" * 63, "identities": {"kubernetes": "k" * 256}} for n in range(200)]
    assert not apply(roster(lambda s: s.update(people=people)))


def served(**said: Any) -> Change:
    """Prometheus, as it is said, in place of a plain Service."""
    return lambda s: s.update(prometheus=said)


A_URL = "write a URL of small letters without user, query and '..'"
WRONG_ENVIRONMENTS: dict[str, tuple[Change, str]] = {
    "neither a service nor a url": (served(pathPrefix="/x"), "say exactly one of service and url"),
    "a service and a url": (
        lambda s: s["prometheus"].update(url="https://x"),
        "say exactly one of service and url",
    ),
    "a url with two prefixes": (served(url="https://x/a", pathPrefix="/b"), "the path stands in the url"),
    "a url without TLS that is told a secret": (
        served(url="http://x", credentials="x"),
        "tls and credentials take a url that begins with https://",
    ),
    "a url with a user": (served(url="https://me:secret@x"), A_URL),
    "a url with a step up": (served(url="https://x/a/../b"), A_URL),
    "a url with a query": (served(url="https://x/?a=b"), A_URL),
    "a url of a port that is none": (served(url="https://x:65536"), A_URL),
    "a url of another kind": (served(url="file:///etc/passwd"), A_URL),
    "a prefix with a step up": (
        lambda s: s["prometheus"].update(pathPrefix="/a/../b"),
        "write the path that comes before /api, as in /prometheus",
    ),
    "a tenant in the header of credentials": (
        lambda s: s["prometheus"].update(tenant={"header": "Authorization", "name": "x"}),
        "write a header that names a tenant, as X-Scope-OrgID",
    ),
    "no namespace": (lambda s: s.pop("targetNamespaces"), "spec.targetNamespaces: Required value"),
    "none in the list": (lambda s: s.update(targetNamespaces=[]), "should have at least 1 items"),
    "one twice": (lambda s: s["targetNamespaces"].append("shop-qa"), 'Duplicate value: "shop-qa"'),
    "a name that is none": (
        lambda s: s.update(targetNamespaces=["../x"]),
        "write a name of small letters, digits and '-', as in shop-web",
    ),
    "a label that is none": (
        lambda s: s.update(labels={"namespace": "exported-namespace"}),
        "write the name of a label: letters, digits and '_', as in exported_namespace",
    ),
    "a service without a namespace": (
        lambda s: s.update(allowedServices=[{"name": "redis"}]),
        "spec.allowedServices[0].namespace: Required value",
    ),
    "a service twice": (
        lambda s: s["allowedServices"].append({"namespace": "data", "name": "redis"}),
        'Duplicate value: {"name":"redis","namespace":"data"}',
    ),
    "a port that is none": (
        lambda s: s["prometheus"]["service"].update(port=0),
        "should be greater than or equal to 1",
    ),
    "what a later version may have": (lambda s: s.update(url="https://x"), 'unknown field "spec.url"'),
}
WRONG_ROSTERS: dict[str, tuple[Change, str]] = {
    "nobody": (lambda s: s.update(people=[]), "should have at least 1 items"),
    "somebody twice": (
        lambda s: s["people"].append({"name": "alice", "role": "L2"}),
        'Duplicate value: {"name":"alice"}',
    ),
    "somebody without a role": (lambda s: s["people"][0].pop("role"), "spec.people[0].role: Required value"),
    "a name that nothing reads yet": (
        lambda s: s["people"][0]["identities"].update(pagerduty="alice"),
        'unknown field "spec.people[0].identities.pagerduty"',
    ),
}


@pytest.mark.parametrize(("change", "message"), WRONG_ENVIRONMENTS.values(), ids=WRONG_ENVIRONMENTS)
def test_an_environment_that_cannot_be_is_refused_with_a_sentence(apply: Apply, change: Change, message: str):
    assert message in apply(environment(change))


@pytest.mark.parametrize(("change", "message"), WRONG_ROSTERS.values(), ids=WRONG_ROSTERS)
def test_a_roster_that_cannot_be_is_refused_with_a_sentence(apply: Apply, change: Change, message: str):
    assert message in apply(roster(change))


def test_they_are_listed_by_their_short_names_with_what_people_look_for(apply: Apply, namespace: str):
    shop, people = environment(), roster()
    assert not apply(shop)
    assert not apply(people)
    listed = kubectl("get", "denv", shop["metadata"]["name"], "-n", namespace, "-o", "wide").stdout
    for told in ("TARGETS", "shop-staging", "prometheus-k8s", "exported_namespace"):
        assert told in listed
    assert people["metadata"]["name"] in kubectl("get", "droster", "-n", namespace).stdout
