"""Plain kubectl and no audit log: the API server's own webhook says whose change it was, a stranger's too."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from tests.e2e.drills.lab import CONTROL, NAMESPACE, TARGET, drill, in_phase, status, stop, target
from tests.e2e.staging.copies import kubectl, until

KUBEDRILL = str(Path(sys.executable).with_name("kubedrill"))
ALICE, TOM, MALLORY = "alice@example.com", "tom@example.com", "mallory@example.com"
PLAYERS = [
    {"name": "alice", "role": "L1", "identities": {"kubernetes": ALICE}},
    {"name": "tom", "role": "Engineering", "identities": {"kubernetes": TOM}},
]
NAME = "witnessed"


def as_user(user: str, *words: str, given: str = "") -> str:
    """Plain kubectl, as somebody who may edit the namespace."""
    return kubectl("-n", NAMESPACE, "--as", user, *words, given=given)


def set_resources(user: str, memory: str) -> None:
    as_user(user, "set", "resources", f"deployment/{TARGET}", f"--limits=memory={memory}")


def patch(user: str, memory: str) -> None:
    containers = [{"name": "app", "resources": {"limits": {"memory": memory}}}]
    body = {"spec": {"template": {"spec": {"containers": containers}}}}
    as_user(user, "patch", "deployment", TARGET, "-p", json.dumps(body))


def apply(user: str, memory: str) -> None:
    found = target()
    found["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"] = memory
    for noise in ("managedFields", "resourceVersion", "uid", "generation", "creationTimestamp"):
        found["metadata"].pop(noise, None)
    found.pop("status", None)
    as_user(user, "apply", "--server-side", "--force-conflicts", "-f", "-", given=json.dumps(found))


def json_patch(user: str, memory: str) -> None:
    path = "/spec/template/spec/containers/0/resources/limits/memory"
    change = [{"op": "replace", "path": path, "value": memory}]
    as_user(user, "patch", "deployment", TARGET, "--type=json", "-p", json.dumps(change))


FIXES: tuple[Callable[[str, str], None], ...] = (set_resources, patch, apply, json_patch)
ROUNDS = 5
"""Twenty changes by players, five of each way, each to a value that tells it apart."""
FIRST = 101
"""The first of these values, in MiB."""


@pytest.fixture(scope="module")
def witness(lab: None) -> Iterator[None]:  # noqa: ARG001  the namespace
    """The witness is on and serves; everybody may edit the namespace."""
    for user in (ALICE, TOM, MALLORY):
        binding = user.partition("@")[0]
        kubectl("-n", NAMESPACE, "create", "rolebinding", binding, "--clusterrole=edit", f"--user={user}")
    subprocess.run([KUBEDRILL, "witness", "on", "-n", CONTROL], check=True)
    # the kubelet tells a running pod of a new Secret within two minutes; a new pod has it at once
    kubectl("-n", CONTROL, "rollout", "restart", "deployment/kubedrill")
    kubectl("-n", CONTROL, "rollout", "status", "deployment/kubedrill", "--timeout=90s")
    until(serves, 30, "the witness serves")
    yield
    subprocess.run([KUBEDRILL, "witness", "off", "-n", CONTROL], check=True)


def serves() -> bool:
    logs = kubectl("-n", CONTROL, "logs", "deployment/kubedrill", "--tail=-1")
    return "the witness serves" in logs


@pytest.fixture(scope="module")
def played(witness: None) -> Iterator[None]:  # noqa: ARG001  who tells
    """A drill in which twenty changes were made by players, and four by a stranger; it is over."""
    kubectl("-n", NAMESPACE, "rollout", "status", f"deployment/{TARGET}", "--timeout=90s")
    kubectl("apply", "-f", "-", given=drill(NAME, players=PLAYERS, maxDuration="20m"))
    try:
        in_phase(NAME, "InPlay")
        for number in range(ROUNDS * len(FIXES)):
            FIXES[number % len(FIXES)]((ALICE, TOM)[number // len(FIXES) % 2], f"{FIRST + number}Mi")
        for number, fix in enumerate(FIXES, start=ROUNDS * len(FIXES)):
            fix(MALLORY, f"{FIRST + number}Mi")
        until(lambda: len(status(NAME).get("interference") or []) >= len(FIXES), 60, "the stranger's changes are told")
        stop(NAME)
        in_phase(NAME, "Stopped", "Completed")
        yield
    finally:
        kubectl("delete", "drill", NAME, "-n", CONTROL, "--timeout=60s")


@pytest.fixture(scope="module")
def record(played: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:  # noqa: ARG001  the drill
    """What its report says."""
    folder = tmp_path_factory.mktemp("report")
    subprocess.run([KUBEDRILL, "report", NAME, "-n", CONTROL, "-o", str(folder)], check=True)
    found: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))["record"]
    return found


def changes(record: dict[str, Any]) -> dict[str, str]:
    """Who is credited with each value of the limit."""
    told = [fact for fact in record["facts"] if fact["kind"] == "TargetChanged"]
    return {str(fact["detail"]["after"]): fact["actor"] for fact in told if "memory" in fact["detail"]["field"]}


def whose(record: dict[str, Any], first: int, many: int) -> list[str | None]:
    """Who is credited with so many changes in a row."""
    return [changes(record).get(f"{FIRST + number}Mi") for number in range(first, first + many)]


def test_each_change_of_a_players_is_credited_to_the_one_who_made_it(record: dict[str, Any]):
    made = [("alice", "tom")[turn % 2] for turn in range(ROUNDS) for _ in FIXES]
    assert whose(record, 0, len(made)) == made


def test_a_strangers_never_is(record: dict[str, Any]):
    assert whose(record, ROUNDS * len(FIXES), len(FIXES)) == [""] * len(FIXES)
    named = {fact["detail"]["who"] for fact in record["facts"] if fact["kind"] == "Interference"}
    assert named == {MALLORY}


@pytest.mark.usefixtures("played")
def test_the_drill_says_that_the_witness_told_of_it():
    assert {one["type"]: one["status"] for one in status(NAME)["conditions"]}["WitnessSeen"] == "True"


def test_the_report_says_how_it_is_known(record: dict[str, Any]):
    how = {fact["detail"].get("matched") for fact in record["facts"] if fact["actor"] and "change" in fact["detail"]}
    assert how == {f"witness, user {ALICE}", f"witness, user {TOM}"}


@pytest.mark.usefixtures("witness")
def test_writes_go_on_when_the_operator_is_gone():
    kubectl("-n", CONTROL, "scale", "deployment/kubedrill", "--replicas=0")
    kubectl("-n", CONTROL, "wait", "--for=delete", "pod", "-l", "app.kubernetes.io/name=kubedrill", "--timeout=60s")
    try:
        took = [written(f"{200 + number}Mi") for number in range(5)]
    finally:
        kubectl("-n", CONTROL, "scale", "deployment/kubedrill", "--replicas=1")
        kubectl("-n", CONTROL, "rollout", "status", "deployment/kubedrill", "--timeout=90s")
    assert max(took) < 2, f"median {median(took):.2f} s, longest {max(took):.2f} s"


def written(memory: str) -> float:
    """Seconds that a write takes."""
    start = time.monotonic()
    patch(ALICE, memory)
    return time.monotonic() - start
