"""The command line against a real API server: rights that are given and taken, words under one's own name."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.api.conftest import OPTED_IN, kubectl
from tests.e2e.api.test_messages import drill

from kubedrill.api.drill import Desired
from kubedrill.core.machine.desired import desired_of, stop_because

OPERATOR = "system:serviceaccount:drills:kubedrill"


def kubedrill(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kubedrill.cli.main", *arguments], capture_output=True, text=True, check=False
    )


def may(user: str, verb: str, resource: str, namespace: str) -> bool:
    return kubectl("auth", "can-i", verb, resource, "-n", namespace, "--as", user).stdout.strip() == "yes"


@pytest.fixture
def player(namespace: str) -> Iterator[str]:
    """Somebody who may speak in the namespace, and nothing else."""
    name = f"alice-{uuid.uuid4().hex[:6]}@example.com"
    role = f"speaker-{uuid.uuid4().hex[:6]}"
    made = kubectl("create", "role", role, "-n", namespace, "--verb=create", "--resource=playeractions.kubedrill.dev")
    assert made.returncode == 0, made.stderr
    bound = kubectl("create", "rolebinding", role, "-n", namespace, f"--role={role}", f"--user={name}")
    assert bound.returncode == 0, bound.stderr
    yield name
    kubectl("delete", "rolebinding", role, "-n", namespace)


def test_opting_in_gives_the_operator_its_rights_there_and_opting_out_takes_them(closed_namespace: str):
    namespace = closed_namespace
    assert not may(OPERATOR, "patch", "deployments.apps", namespace)
    done = kubedrill("opt-in", namespace)
    assert done.returncode == 0, done.stderr
    assert may(OPERATOR, "patch", "deployments.apps", namespace)
    assert not may(OPERATOR, "patch", "deployments.apps", "default")
    assert not may(OPERATOR, "get", "secrets", namespace)
    labels = kubectl("get", "namespace", namespace, "-o", "jsonpath={.metadata.labels}").stdout
    assert json.loads(labels)["kubedrill.dev/control-namespace"] == "drills"
    assert kubedrill("opt-in", namespace).returncode == 0, "twice is as good as once"
    assert kubedrill("opt-out", namespace).returncode == 0
    assert not may(OPERATOR, "patch", "deployments.apps", namespace)


def test_a_players_word_bears_their_own_name_and_the_servers_time(namespace: str, player: str):
    done = kubedrill("severity", "P1", "it", "hurts", "-n", namespace, "--as", player)
    assert done.returncode == 0, done.stderr
    name = done.stdout.split(f"({namespace}/")[1].rstrip(")\n")
    stored = json.loads(kubectl("get", "playeraction", name, "-n", namespace, "-o", "json").stdout)
    assert stored["spec"] == {
        "actor": player,
        "action": "AssessSeverity",
        "severity": "P1",
        "message": "it hurts",
    }
    assert done.stdout.startswith(stored["metadata"]["creationTimestamp"])


@pytest.fixture
def finds(player: str) -> Iterator[str]:
    """The same, who may see the names of all namespaces."""
    name = f"find-{uuid.uuid4().hex[:6]}"
    people = Path(__file__).parents[3] / "manifests/base/people.yaml"
    assert kubectl("apply", "-f", str(people)).returncode == 0
    bound = kubectl("create", "clusterrolebinding", name, "--clusterrole=kubedrill-find", f"--user={player}")
    assert bound.returncode == 0, bound.stderr
    yield player
    kubectl("delete", "clusterrolebinding", name)


def test_a_player_says_no_namespace_and_is_heard_where_they_may_speak(namespace: str, finds: str):
    assert kubedrill("opt-in", namespace).returncode == 0
    try:
        done = kubedrill("note", "odd", "--as", finds)
        assert done.returncode == 0, done.stderr
        assert [line.split("(")[1].split("/")[0] for line in done.stdout.splitlines()] == [namespace]
        assert kubedrill("opt-out", namespace).returncode == 0
        unheard = kubedrill("note", "odd", "--as", finds)
        assert unheard.returncode == 3
        assert "you may speak in none of the namespaces that have opted in to drills" in unheard.stderr
    finally:
        kubedrill("opt-out", namespace)
        kubectl("label", "namespace", namespace, OPTED_IN, "--overwrite")  # as the other tests want it


def test_who_may_not_speak_is_told_so(namespace: str):
    done = kubedrill("ack", "-n", namespace, "--as", "stranger@example.com")
    assert done.returncode == 3
    assert 'User "stranger@example.com" cannot create resource "playeractions"' in done.stderr


def test_a_player_cannot_read_the_drill(namespace: str, player: str):
    done = kubedrill("watch", "any", "-n", namespace, "--as", player)
    assert done.returncode == 3
    assert "forbidden" in done.stderr


def test_the_watch_ends_with_the_verdict_of_a_drill_at_the_real_server(namespace: str):
    thing = drill()
    name = thing["metadata"]["name"]
    assert kubectl("apply", "-n", namespace, "-f", "-", given=thing).returncode == 0

    def patch(status: dict[str, object]) -> None:
        patched = kubectl(
            "patch",
            "drill",
            name,
            "-n",
            namespace,
            "--subresource=status",
            "--type=merge",
            "-p",
            json.dumps({"status": status}),
        )
        assert patched.returncode == 0, patched.stderr

    def operator() -> None:
        patch({"phase": "InPlay", "message": "in play: waiting for the players", "startExTime": "2026-03-02T12:00:00Z"})
        finished = {
            "type": "Finished",
            "status": "True",
            "reason": "AllObjectivesMet",
            "message": "",
            "lastTransitionTime": "2026-03-02T12:05:00Z",
        }
        patch(
            {
                "phase": "Completed",
                "verdict": "Passed",
                "conditions": [finished],
                "restore": {"complete": True},
            }
        )

    acting = threading.Thread(target=operator)
    acting.start()
    started = time.monotonic()
    done = kubedrill("watch", name, "-n", namespace)
    acting.join()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Everything is restored" in done.stdout
    assert time.monotonic() - started < 30


def test_a_stop_is_written_down_with_its_reason_and_cannot_be_taken_back(namespace: str):
    thing = drill()
    name = thing["metadata"]["name"]
    assert kubectl("apply", "-n", namespace, "-f", "-", given=thing).returncode == 0
    done = kubedrill("stop", name, "-n", namespace, "--because", "real incident", "--wait", "200ms")
    assert done.returncode == 6, "no operator is here to put anything back"
    said = json.loads(kubectl("get", "drill", name, "-n", namespace, "-o", "json").stdout)
    assert (desired_of(said), stop_because(said)) == (Desired.STOP, "real incident")
    assert "a stopped drill can't go on" in kubedrill("start", name, "-n", namespace).stderr
