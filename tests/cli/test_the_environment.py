"""`lint`, `plan` and `doctor` know environments and rosters: those of the cluster, and those in the same files."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from tests.cli.drills import drill
from tests.cli.fake_api import GROUP
from tests.cli.test_planning import PROXY, cluster  # noqa: F401  a cluster in which the drill could start

ENVIRONMENTS, ROSTERS = f"{GROUP}/drills/drillenvironments", f"{GROUP}/drills/drillrosters"
CENTRAL = PROXY.replace("staging", "monitoring")
ALICE = {"name": "alice", "role": "IncidentCommander"}


def beside(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "kubedrill.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def environment(name: str = "shop", **spec: Any) -> dict[str, Any]:
    return beside("DrillEnvironment", name, targetNamespaces=["staging"], **spec)


@pytest.fixture
def file(tmp_path):
    """Writes documents to a file: the drill, whose player is a mere name, and what is given."""

    def written(*more: dict[str, Any], **changes: Any) -> str:
        thing = drill()
        thing["spec"] |= {"players": [{"name": "alice"}]} | changes
        path = tmp_path / "drill.yaml"
        path.write_text(yaml.safe_dump_all([thing, *more]), encoding="utf-8")
        return str(path)

    return written


def test_all_kinds_of_a_file_are_checked_without_a_cluster(api, kubedrill, file):
    said = kubedrill("lint", "-f", file(environment(), beside("DrillRoster", "people", people=[ALICE]))).output

    assert said == "Drill rush: well formed\nDrillEnvironment shop: well formed\nDrillRoster people: well formed\n"
    assert not api.requests


def test_what_nothing_reads_is_refused_with_its_place(kubedrill, file):
    alice = ALICE | {"identities": {"pagerduty": "alice"}}
    scenario = drill()["spec"]["scenario"] | {"runbook": "https://runbooks/queue"}
    result = kubedrill("lint", "-f", file(scenario=scenario))
    of_people = kubedrill("lint", "-f", file(beside("DrillRoster", "people", people=[alice])))

    assert (result.exit_code, of_people.exit_code) == (2, 2)
    assert "spec.scenario.runbook: nothing reads this yet: leave it out" in result.output
    assert "spec.people[0].identities.pagerduty: nothing reads this yet: leave it out" in of_people.output


def test_the_plan_is_made_with_those_of_the_cluster_and_says_which(cluster, kubedrill, file):  # noqa: F811
    for method_and_path, answer in list(cluster.answers.items()):
        if method_and_path[1].startswith(PROXY):
            cluster.answers[method_and_path[0], method_and_path[1].replace("staging", "monitoring")] = answer
    server = {"service": {"name": "prometheus", "port": 9090, "namespace": "monitoring"}}
    cluster.put(ENVIRONMENTS, environment(prometheus=server))
    cluster.put(ROSTERS, beside("DrillRoster", "people", people=[ALICE]))
    said = kubedrill("plan", "-f", file()).output

    assert "environment: shop, which lists staging" in said
    assert "players of roster people: alice (IncidentCommander)" in said
    assert said.endswith("All checks pass now.\n")
    assert [path for _, path, _ in cluster.requests if path.startswith(CENTRAL)]
    assert not [path for _, path, _ in cluster.requests if path.startswith(PROXY)]


@pytest.mark.usefixtures("cluster")
def test_the_doctor_says_which_environment_and_roster_are_used_and_where_monitoring_is(kubedrill, file):
    path = file(environment(), beside("DrillRoster", "people", people=[ALICE]))

    assert (
        "✓ environment: shop, roster people; Prometheus prometheus.staging:9090 and Alertmanager"
        " alertmanager.staging:9093"
    ) in kubedrill("doctor", "-f", path).output
    assert "✓ environment: none lists staging; Prometheus prometheus.staging:9090" in (
        kubedrill("doctor", "-f", file(players=[])).output
    )


WRONG: dict[str, tuple[tuple[dict[str, Any], ...], dict[str, Any], str]] = {
    "two environments": (
        (environment("a"), environment("b")),
        {},
        "several DrillEnvironments (a, b) list namespace staging",
    ),
    "nobody of that name": (
        (beside("DrillRoster", "people", people=[ALICE | {"name": "bob"}]),),
        {},
        "no role is given for alice",
    ),
    "a service that is not allowed": (
        (environment(),),
        {
            "players": [],
            "monitoring": {"prometheus": {"name": "prometheus", "port": 9090, "namespace": "monitoring"}},
        },
        "DrillEnvironment shop does not let drills on staging reach monitoring/prometheus",
    ),
}


@pytest.mark.parametrize(("more", "changes", "told"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_with_them_is_told_by_both_and_nobody_else_is_asked(
    cluster,  # noqa: F811
    kubedrill,
    file,
    more,
    changes,
    told,
):
    path = file(*more, **changes)
    planned, checked = kubedrill("plan", "-f", path), kubedrill("doctor", "-f", path)

    assert (planned.exit_code, checked.exit_code) == (3, 3)
    assert told in planned.output
    assert f"✗ environment: {told}" in checked.output
    assert not [path for _, path, _ in cluster.requests if "/proxy/" in path]


def test_without_the_right_to_read_them_it_is_said_so(cluster, kubedrill, file):  # noqa: F811
    cluster.answers["GET", ENVIRONMENTS] = (403, {"reason": "Forbidden", "message": "bob may not list them"})
    result = kubedrill("plan", "-f", file())

    assert result.exit_code != 0
    assert "drillenvironments of drills can't be read: 403 bob may not list them" in result.output


BEHIND = {
    "outside": {"url": "https://prometheus.example.com"},
    "TLS": {"service": {"name": "prometheus", "port": 9090}, "tls": {}},
    "credentials": {"service": {"name": "prometheus", "port": 9090}, "credentials": "prometheus"},
    "a tenant": {"service": {"name": "prometheus", "port": 9090}, "tenant": {"name": "a"}},
}


@pytest.mark.parametrize("name", BEHIND)
def test_what_only_the_operator_can_ask_is_said_to_be_so_and_is_not_asked_otherwise(cluster, kubedrill, file, name):  # noqa: F811
    cluster.put(ENVIRONMENTS, environment(prometheus=BEHIND[name]))
    result = kubedrill("plan", "-f", file(players=[]))
    where = "prometheus.example.com:443" if name == "outside" else "prometheus.staging:9090"
    assert result.exit_code == 7
    assert f"{where} is asked by the operator alone, which has the way in: see that it runs" in result.output
    assert not [path for _, path, _ in cluster.requests if path.startswith(PROXY)]


def test_a_path_prefix_is_asked_from_here_too(cluster, kubedrill, file):  # noqa: F811
    prefixed = {"service": {"name": "prometheus", "port": 9090}, "pathPrefix": "/monitoring"}
    for method_and_path, answer in list(cluster.answers.items()):
        if method_and_path[1].startswith(PROXY):
            path = method_and_path[1].replace("/proxy/api", "/proxy/monitoring/api")
            cluster.answers[method_and_path[0], path] = answer
            del cluster.answers[method_and_path]
    cluster.put(ENVIRONMENTS, environment(prometheus=prefixed))
    assert "All checks pass now." in kubedrill("plan", "-f", file(players=[])).output
