"""What is read around the target before anything is touched: what is there, what is not, and what can't be known."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from tests.gather.server import Server
from tests.machine.world import START, drill_plan
from tests.wire import connected_to

from kubedrill.controller.gathering import Probe
from kubedrill.controller.preflight_inputs import (
    PreflightInputs,
    look_around,
    missing_rights,
    surroundings,
)
from kubedrill.core.evidence.facts import Sample, Series
from kubedrill.core.undo.operations import SetFields
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.plugins.faults.of_drill import rights_for
from kubedrill.store.undo_records import Listing

SPACE = "/api/v1/namespaces/shop"
WORKLOAD = "/apis/apps/v1/namespaces/shop/deployments/limit"
DRILLS = "/apis/kubedrill.dev/v1alpha1/namespaces/drills/drills"
OURS: dict[str, Any] = {"metadata": {"name": "storm", "uid": "d1"}}
EVERYTHING = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}


def workload(replicas: int = 2, ready: int = 2, updated: int = 2) -> dict[str, Any]:
    container = {"name": "app", "resources": {"limits": {"memory": "128Mi"}}}
    return {
        "metadata": {"name": "limit", "namespace": "shop", "uid": "w1", "generation": 1, "resourceVersion": "7"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "limit"}},
            "template": {"metadata": {"labels": {"app": "limit"}}, "spec": {"containers": [container]}},
        },
        "status": {
            "observedGeneration": 1,
            "replicas": replicas,
            "readyReplicas": ready,
            "updatedReplicas": updated,
            "availableReplicas": ready,
            "conditions": [{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}],
        },
    }


def a_drill(name: str, phase: str, namespace: str = "shop") -> dict[str, Any]:
    status = {"machine": {"phase": phase}} if phase else {}
    return {
        "metadata": {"name": name, "uid": f"uid-{name}"},
        "spec": {"targetNamespace": namespace},
        "status": status,
    }


@pytest.fixture
def server() -> Server:
    opted_in = {"metadata": {"uid": "n1", "labels": {"kubedrill.dev/control-namespace": "drills"}}}
    return Server({SPACE: opted_in, WORKLOAD: workload()}, rights={"status": {"resourceRules": [EVERYTHING]}})


async def read(kube: Kube, probe: Probe | None = None) -> PreflightInputs:
    found = await look_around(kube, "drills", drill_plan())
    return surroundings(
        found, "drills", OURS, drill_plan(), Listing(), probe or Probe(START, reachable=True), {}, START
    )


async def test_where_all_is_well_nothing_is_in_the_way(kube):
    around = (await read(kube)).around

    assert (around.namespace_found, around.namespace_control) == (True, "drills")
    assert around.missing_rights == around.other_drills == around.not_ready == ()
    assert around.refusals == {}


async def test_a_fault_is_planned_against_the_workload_that_was_found(kube):
    found = await read(kube)

    assert found.plans["limit"].touches
    (operation,) = found.operations["limit"]
    assert isinstance(operation, SetFields)
    assert operation.target.name == "limit"
    assert len(found.managers) == 1


@pytest.mark.parametrize(("status", "known"), [(404, False), (403, None), (500, None)])
async def test_a_namespace_is_not_there_only_where_that_is_what_was_answered(server, kube, status, known):
    server.refused[SPACE] = (status, {"reason": "NotFound" if status == 404 else "Refused"})

    assert (await read(kube)).around.namespace_found is known


async def test_a_workload_that_is_not_there_is_the_refusal_of_its_fault(server, kube):
    server.refused[WORKLOAD] = (404, {"reason": "no"})
    found = await read(kube)

    assert found.around.refusals["limit"].reason == "TargetNotFound"
    assert found.around.hidden == ()
    assert found.operations == {}


async def test_a_workload_that_we_may_not_see_may_be_there(server, kube):
    server.refused[WORKLOAD] = (403, {"reason": "no"})
    found = await read(kube)

    assert found.around.hidden == ("Deployment/limit",)
    assert found.operations == {}


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_workload_that_could_not_be_read_is_no_missing_one(server, kube, status):
    server.refused[WORKLOAD] = (status, {"message": "later"})

    with pytest.raises(Unreachable, match=f"{status} later"):
        await read(kube)


@pytest.mark.parametrize(
    ("replicas", "ready", "updated", "said"),
    [
        (2, 1, 2, ("Deployment/limit: 1 of 2 pods are ready",)),
        (2, 2, 1, ("Deployment/limit: 2 of 2 pods are ready",)),
        (0, 0, 0, ()),
    ],
)
async def test_a_workload_is_steady_when_all_its_pods_are_new_and_ready(server, kube, replicas, ready, updated, said):
    server.objects[WORKLOAD] = workload(replicas, ready, updated)

    assert (await read(kube)).around.not_ready == said


@pytest.mark.parametrize(
    ("phase", "namespace", "counts"),
    [
        ("InPlay", "shop", True),
        ("Recovering", "shop", True),
        ("InPlay", "bank", False),
        ("", "shop", False),
        ("Held", "shop", False),
        ("Completed", "shop", False),
    ],
)
async def test_another_drill_is_in_the_way_while_it_is_on_in_the_same_namespace(server, kube, phase, namespace, counts):
    server.objects[f"{DRILLS}/flood"] = a_drill("flood", phase, namespace)
    server.objects[f"{DRILLS}/storm"] = a_drill("storm", "InPlay") | {"metadata": OURS["metadata"]}

    assert (await read(kube)).around.other_drills == (("flood",) if counts else ())


async def test_without_an_answer_of_prometheus_neither_rules_nor_alerts_are_known(kube):
    around = (await read(kube, Probe(START, reachable=False, error="it is down"))).around

    assert (around.rules_loaded, around.firing, around.monitoring_error) == (None, None, "it is down")


async def test_every_right_that_no_rule_gives_is_named(server, kube):
    pods = {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]}
    server.rights = {"status": {"resourceRules": [pods, {"apiGroups": ["apps"], "resources": ["*"], "verbs": ["get"]}]}}

    needed = rights_for(drill_plan())
    missing = await missing_rights(kube, "shop", needed)

    listed = {("pods", "list"), ("pods", "watch")}
    assert missing == tuple(str(right) for right in needed if (right.resource, right.verb) not in listed)
    assert "patch deployments" in missing


async def test_rights_that_could_not_be_asked_for_are_unknown(server, kube):
    server.refused["/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"] = (500, {})

    assert await missing_rights(kube, "shop", rights_for(drill_plan())) is None


async def test_where_the_installed_definition_selects_nothing_all_drills_are_read(server):
    async def older(request: web.Request) -> web.Response:
        if "fieldSelector" in request.query:
            return web.json_response({"message": "field label not supported: spec.targetNamespace"}, status=400)
        return await server.answer(request)

    server.objects[f"{DRILLS}/other"] = a_drill("other", "InPlay")
    async with connected_to(older) as kube:
        assert (await read(kube)).around.other_drills == ("other",)


def scraped(every: float, last: float, number: int = 3) -> Series:
    """Samples so many seconds apart, the last one so many seconds ago."""
    newest = START - timedelta(seconds=last)
    samples = [Sample(newest - n * timedelta(seconds=every), 0.0) for n in reversed(range(number))]
    return Series("queue", tuple(samples), timedelta(seconds=every))


@pytest.mark.parametrize(
    ("series", "number"),
    [
        (scraped(1, last=0.5, number=60), 15),
        (scraped(15, last=14), 2),
        (scraped(30, last=29), 2),
        (scraped(60, last=59), 2),
        (scraped(1, last=16, number=60), 0),
        (scraped(30, last=61), 0),
    ],
    ids=["1s", "15s", "30s", "60s", "1s, and stale", "30s, and stale"],
)
async def test_what_is_scraped_rarely_is_steady_by_its_last_samples(kube, series, number):
    """Two series that are scraped once a minute, half a minute apart, never both have one of the last 15 s."""
    probe = Probe(START, reachable=True, steady={"queue": series}, impact=series)
    around = (await read(kube, probe)).around

    assert len(around.series["queue"].samples) == len(around.impact.samples) == number
