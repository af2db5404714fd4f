"""Fake jobs in a real Redis: as many as were asked for, none twice, and none of them left; every real job is."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from tests.e2e.drills.lab import CONTROL, NAMESPACE, drill, in_phase, kill, records, stop
from tests.e2e.staging.copies import kubectl, until

KEY, TAKEN = "jobs", "taken:worker-1"
REAL = tuple(json.dumps({"id": f"ticket-{n}"}) for n in range(3))
COUNT, RATE = 40, 5


def manifests() -> str:
    """A Redis that keeps nothing on disk."""
    labels = {"app": "redis"}
    container = {
        "name": "redis",
        "image": "localhost/kubedrill/services:dev",
        "imagePullPolicy": "IfNotPresent",
        "command": ["redis-server", "--save", "", "--protected-mode", "no"],
        "readinessProbe": {"exec": {"command": ["redis-cli", "ping"]}, "periodSeconds": 1},
    }
    items = [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "redis"},
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
                },
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "redis"},
            "spec": {"selector": labels, "ports": [{"port": 6379}]},
        },
    ]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


def redis(*arguments: str) -> list[str]:
    """What Redis answers, in lines."""
    return kubectl("-n", NAMESPACE, "exec", "deployment/redis", "--", "redis-cli", "--raw", *arguments).split("\n")[:-1]


def jobs(key: str = KEY) -> list[str]:
    """The jobs in a list."""
    return redis("LRANGE", key, "0", "-1")


def fakes() -> list[str]:
    """The ids of the drill's jobs in the queue."""
    return [identity for job in jobs() if (identity := json.loads(job)["id"]).startswith("drill-")]


@pytest.fixture
def queue(whole: None) -> Iterator[None]:  # noqa: ARG001  its namespace
    """A queue with two real jobs, and one that a worker has taken."""
    kubectl("-n", NAMESPACE, "apply", "-f", "-", given=manifests())
    kubectl("-n", NAMESPACE, "rollout", "status", "deployment/redis", "--timeout=60s")
    redis("FLUSHALL")
    redis("LPUSH", KEY, *REAL[:2])
    redis("LPUSH", TAKEN, REAL[2])
    yield
    kubectl("-n", NAMESPACE, "delete", "deployment/redis", "service/redis")


def load(name: str) -> str:
    """A drill that fills the queue."""
    params = {"key": KEY, "inFlight": ["taken:*"], "ratePerSecond": RATE, "count": COUNT, "redelivery": "2s"}
    return drill(name, faults=[{"name": "flood", "queueLoad": params}])


@pytest.mark.usefixtures("queue")
def test_only_the_fake_jobs_are_removed_in_flight_too():
    kubectl("apply", "-f", "-", given=load("flood"))
    in_phase("flood", "InPlay")
    until(lambda: len(fakes()) > RATE, 10, "jobs are pushed")
    redis("RPOPLPUSH", KEY, TAKEN)  # the oldest real one
    fake = next(job for job in jobs() if json.loads(job)["id"] in fakes())
    redis("LREM", KEY, "1", fake)
    redis("LPUSH", TAKEN, fake)
    stop("flood")
    in_phase("flood", "Stopped", within=20)
    assert sorted(jobs() + jobs(TAKEN)) == sorted(REAL)
    assert jobs() == [REAL[1]]
    assert records() == ""


@pytest.mark.usefixtures("queue")
def test_no_job_is_pushed_twice_when_the_operator_is_killed_meanwhile():
    kubectl("apply", "-f", "-", given=load("flood-and-kill"))
    in_phase("flood-and-kill", "InPlay")
    uid = kubectl("-n", CONTROL, "get", "drill", "flood-and-kill", "-o", "jsonpath={.metadata.uid}")
    until(lambda: len(fakes()) > RATE, 10, "jobs are pushed")
    kill()
    until(lambda: len(fakes()) >= COUNT, 60, "all jobs are pushed")
    assert sorted(fakes()) == sorted(f"drill-{uid}-flood-{n}" for n in range(1, COUNT + 1))
    stop("flood-and-kill")
    in_phase("flood-and-kill", "Stopped", within=30)
    assert sorted(jobs() + jobs(TAKEN)) == sorted(REAL)
