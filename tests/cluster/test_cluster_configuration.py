from pathlib import Path
from typing import Any

import pytest
import yaml
from cluster.commands import ClusterError
from cluster.kind import render_configuration
from cluster.settings import SOURCES

AUDIT = Path("/var/cache/drills/audit")
EVERYONE_READS = {"get", "list", "watch"}


@pytest.fixture
def configuration() -> dict[str, Any]:
    return yaml.safe_load(render_configuration("10.1.2.3", 6443, AUDIT))


@pytest.fixture
def rules() -> list[dict[str, Any]]:
    return yaml.safe_load((SOURCES / "audit-policy.yaml").read_text())["rules"]


def components(configuration: dict[str, Any]) -> dict[str, Any]:
    return yaml.safe_load(configuration["kubeadmConfigPatches"][0])


def test_the_cluster_is_a_control_plane_and_one_worker(configuration) -> None:
    assert [node["role"] for node in configuration["nodes"]] == ["control-plane", "worker"]


def test_the_api_server_is_published_where_this_machine_reaches_it(configuration) -> None:
    assert configuration["networking"] == {"apiServerAddress": "10.1.2.3", "apiServerPort": 6443}


def test_the_audit_log_lands_in_the_folder_of_this_machine(configuration) -> None:
    (mount,) = configuration["nodes"][0]["extraMounts"]
    arguments = components(configuration)["apiServer"]["extraArgs"]
    (volume,) = components(configuration)["apiServer"]["extraVolumes"]
    assert mount["hostPath"] == str(AUDIT)
    assert mount["containerPath"] == volume["hostPath"] == volume["mountPath"]
    assert arguments["audit-log-path"] == f"{volume['mountPath']}/log/audit.log"
    assert arguments["audit-policy-file"] == f"{volume['mountPath']}/policy.yaml"


def test_kubeadm_s_arguments_are_a_map_of_texts_in_every_component(configuration) -> None:
    for component in ("apiServer", "controllerManager"):
        arguments = components(configuration)[component]["extraArgs"]
        assert all(isinstance(value, str) for value in arguments.values())


def test_the_autoscaler_looks_every_five_seconds(configuration) -> None:
    arguments = components(configuration)["controllerManager"]["extraArgs"]
    assert arguments["horizontal-pod-autoscaler-sync-period"] == "5s"


def test_a_folder_that_would_break_the_yaml_is_refused() -> None:
    with pytest.raises(ClusterError, match="KUBEDRILL_CACHE"):
        render_configuration("10.1.2.3", 6443, Path("/var/a: b"))


def test_what_people_write_is_kept_with_its_content(rules) -> None:
    assert rules[-1] == {"level": "Request"}


def test_what_people_read_is_kept_without_its_content(rules) -> None:
    assert rules[-2]["level"] == "Metadata"
    assert set(rules[-2]["verbs"]) == EVERYONE_READS


def test_secrets_are_never_logged_with_their_content(rules) -> None:
    of_secrets = [
        rule for rule in rules for resource in rule.get("resources", []) if "secrets" in resource.get("resources", [])
    ]
    assert [rule["level"] for rule in of_secrets] == ["Metadata"]
    assert "verbs" not in of_secrets[0]


def test_only_reads_of_the_operator_are_left_out_not_its_writes(rules) -> None:
    (rule,) = [rule for rule in rules if rule.get("userGroups") == ["system:serviceaccounts:drills"]]
    assert rule["level"] == "None"
    assert set(rule["verbs"]) == EVERYONE_READS


def test_node_and_controller_noise_is_left_out_whatever_it_does(rules) -> None:
    silenced = {group for rule in rules if rule["level"] == "None" for group in rule.get("userGroups", [])}
    assert {"system:nodes", "system:serviceaccounts:kube-system"} <= silenced
