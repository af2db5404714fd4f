"""`kubectl drill witness`: what tells the operator who asks for which write; it needs no further right for it."""

import base64

import pytest
import yaml

from kubedrill.cli.safety import installed
from kubedrill.cli.setup.witness import NAME, objects

SECRETS, SERVICES = "/api/v1/namespaces/drills/secrets", "/api/v1/namespaces/drills/services"
WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"


def told(api, collection):
    return api.collections.get(collection, {}).get(NAME)


def hook(api):
    (only,) = told(api, WEBHOOKS)["webhooks"]
    return only


def plain(api, key):
    return base64.b64decode(told(api, SECRETS)["data"][key]).decode()


def test_on_makes_a_ca_a_service_and_the_webhook_that_trusts_it(api, kubedrill):
    assert kubedrill("witness", "on").exit_code == 0
    service = hook(api)["clientConfig"]["service"]
    assert (service["namespace"], service["name"]) == ("drills", told(api, SERVICES)["metadata"]["name"])
    assert hook(api)["clientConfig"]["caBundle"] == told(api, SECRETS)["data"]["ca.crt"]
    assert service["path"] == f"/witness/{plain(api, 'path')}"


def test_it_holds_no_write_up_and_changes_none(api, kubedrill):
    kubedrill("witness", "on")
    assert {key: hook(api)[key] for key in ("failurePolicy", "timeoutSeconds", "sideEffects")} == {
        "failurePolicy": "Ignore",
        "timeoutSeconds": 1,
        "sideEffects": "None",
    }


def test_it_is_asked_in_namespaces_that_have_opted_in_alone(api, kubedrill):
    kubedrill("witness", "on")
    assert hook(api)["namespaceSelector"] == {"matchLabels": {"kubedrill.dev/control-namespace": "drills"}}
    assert all(rule["scope"] == "Namespaced" for rule in hook(api)["rules"])


def test_secrets_and_nodes_are_none_of_its_business(api, kubedrill):
    kubedrill("witness", "on")
    asked = {resource for rule in hook(api)["rules"] for resource in rule["resources"]}
    assert not {one for one in asked if one.split("/")[0] not in ("deployments", "statefulsets", "pods")}


def test_on_again_keeps_the_ca_and_the_path(api, kubedrill):
    kubedrill("witness", "on")
    before = dict(told(api, SECRETS)["data"])
    assert kubedrill("witness", "on").exit_code == 0
    assert told(api, SECRETS)["data"] == before


def test_off_leaves_nothing_and_asks_nobody_first(api, kubedrill):
    kubedrill("witness", "on")
    assert kubedrill("witness", "off").exit_code == 0
    assert [told(api, where) for where in (SECRETS, SERVICES, WEBHOOKS)] == [None, None, None]
    assert next(path for method, path, _ in api.requests if method == "DELETE") == f"{WEBHOOKS}/{NAME}"


@pytest.mark.usefixtures("api")
def test_off_where_it_never_was_on_is_off(kubedrill):
    assert kubedrill("witness", "off").exit_code == 0


def test_uninstall_removes_it_too():
    paths = [str(path) for path in installed.belongings("drills")]
    assert {f"{WEBHOOKS}/{NAME}", f"{SECRETS}/{NAME}", f"{SERVICES}/{NAME}"} <= set(paths)


@pytest.mark.usefixtures("api")
def test_status_says_whether_it_is_on(kubedrill):
    before = kubedrill("witness", "status").output
    kubedrill("witness", "on")
    assert (before.partition(":")[0], kubedrill("witness", "status").output.strip()) == ("off", "on")


def test_status_says_what_to_do_where_the_ca_is_another(api, kubedrill):
    kubedrill("witness", "on")
    told(api, SECRETS)["data"]["ca.crt"] = base64.b64encode(b"another").decode()
    answer = kubedrill("witness", "status")
    assert answer.exit_code != 0
    assert "kubectl drill witness on" in answer.output


def test_a_secret_that_is_not_whole_is_not_used(api, kubedrill):
    api.put(SECRETS, {"metadata": {"name": NAME}, "data": {"path": "eA=="}})
    assert kubedrill("witness", "on").exit_code == 2
    assert told(api, WEBHOOKS) is None


def test_the_manifest_is_the_one_that_is_applied(api, kubedrill):
    kubedrill("witness", "on")
    service, configuration = objects("drills", told(api, SECRETS)["data"])
    assert (service["kind"], configuration["kind"]) == ("Service", "ValidatingWebhookConfiguration")
    assert "@" not in yaml.safe_dump([service, configuration]).replace("@example", "")
