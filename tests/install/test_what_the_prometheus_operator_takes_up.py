"""What is installed for the Prometheus Operator speaks of the Services, ports, routes and Secrets that there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from kubedrill.plugins.channels import discover
from kubedrill.plugins.webhook_addresses import EVERY_NAMESPACE

MANIFESTS = Path(__file__).parents[2] / "manifests"
COMPONENT = MANIFESTS / "components/prometheus-operator"
OVERLAYS = MANIFESTS / "overlays"


def things(*files: Path) -> dict[tuple[str, str], dict[str, Any]]:
    loaded = (thing for file in files for thing in yaml.safe_load_all(file.read_text(encoding="utf-8")))
    return {(thing["kind"], thing["metadata"]["name"]): thing for thing in loaded}


BASE = things(*(file for file in (MANIFESTS / "base").glob("*.yaml") if file.stem != "kustomization"))
OURS = things(*(file for file in COMPONENT.glob("*.yaml") if file.stem != "kustomization"))
SERVICES = {name: thing for (kind, name), thing in BASE.items() if kind == "Service"}


def test_the_component_is_all_that_its_folder_holds_and_the_dashboard():
    kustomization = yaml.safe_load((COMPONENT / "kustomization.yaml").read_text(encoding="utf-8"))
    files = {file.name for file in COMPONENT.glob("*.yaml") if file.stem != "kustomization"}
    assert set(kustomization["resources"]) == {*files, "../../dashboards"}


def test_each_service_is_scraped_at_a_port_that_it_has():
    for name, service in SERVICES.items():
        spec = OURS["ServiceMonitor", name]["spec"]
        assert spec["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
        assert {e["port"] for e in spec["endpoints"]} <= {p["name"] for p in service["spec"]["ports"]}
        assert all(e["honorLabels"] for e in spec["endpoints"]), "the label namespace is the drill's"


def test_the_rules_are_those_that_are_tested():
    groups = yaml.safe_load((MANIFESTS / "rules/kubedrill.rules.yml").read_text(encoding="utf-8"))
    assert OURS["PrometheusRule", "kubedrill"]["spec"] == groups


def test_alertmanager_calls_a_route_that_is_served_with_the_token_that_the_operator_makes():
    (receiver,) = OURS["AlertmanagerConfig", "kubedrill"]["spec"]["receivers"]
    (webhook,) = receiver["webhookConfigs"]
    (port,) = SERVICES["kubedrill"]["spec"]["ports"]
    route = discover()["alertmanager"].webhook
    assert route is not None
    path = route.route.format(namespace=EVERY_NAMESPACE)
    assert webhook["url"] == f"http://kubedrill.drills.svc:{port['port']}{path}"
    (container,) = BASE["Deployment", "kubedrill"]["spec"]["template"]["spec"]["containers"]
    secret = {one["name"]: one.get("value") for one in container["env"]}["KUBEDRILL_WEBHOOK_SECRET"]
    assert webhook["httpConfig"]["authorization"]["credentials"] == {"name": secret, "key": "token"}
    assert webhook["sendResolved"] is True


def test_everything_can_bear_the_label_by_which_it_is_selected():
    overlay = yaml.safe_load((OVERLAYS / "kube-prometheus-stack/kustomization.yaml").read_text(encoding="utf-8"))
    (patch,) = overlay["patches"]
    assert patch["target"] == {"group": "monitoring.coreos.com"}
    assert "path: /metadata/labels/release" in patch["patch"]
    assert all(thing["metadata"]["labels"] for thing in OURS.values()), "kustomize adds no key to what is not there"


def test_an_overlay_differs_from_the_other_by_what_it_adds_alone():
    plain, stack = (
        yaml.safe_load((OVERLAYS / name / "kustomization.yaml").read_text(encoding="utf-8"))
        for name in ("plain", "kube-prometheus-stack")
    )
    assert plain["resources"] == stack["resources"] == ["../../base"]
    assert plain["images"] == stack["images"]
