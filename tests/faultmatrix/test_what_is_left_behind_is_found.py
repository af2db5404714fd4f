"""O3 finds whatever of ours is left: in the control namespace, on the targets, in Redis, in Alertmanager."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from tests.faultmatrix.builders import Course, Keys, StillSlot, a_plan, evidence, left, said, workload
from tests.faultmatrix.kubelet import FAULTED
from tests.faultmatrix.services import Services


def owned(name: str, owner: str) -> dict[str, Any]:
    """The metadata of a revision."""
    return {"name": name, "ownerReferences": [{"name": owner}]}


def faulted(name: str, owner: str) -> dict[str, Any]:
    """A revision whose template has the fault's limit."""
    return workload("Deployment", name, FAULTED) | {"metadata": owned(name, owner)}


@pytest.mark.parametrize(
    ("slot", "finding"),
    [
        (left(open_records=["undo-1"]), "undo record undo-1"),
        (left(drills=["storm"]), "Drill storm"),
        (left(revisions={"replicasets": [faulted("web-2", "web")]}), "replicasets web-2 carries the fault"),
        (
            left(
                revisions={
                    "controllerrevisions": [{"metadata": owned("web-3", "web"), "data": faulted("web-3", "web")}]
                }
            ),
            "controllerrevisions web-3 carries the fault",
        ),
        (left(keys=Keys(lists={"shop:jobs": ['{"id": "drill-d1-1"}', '{"id": "42"}']})), "1 fake jobs in shop:jobs"),
        (left(keys=Keys(lists={"shop:inflight:w1": ['{"id": "drill-d1-2"}']})), "1 fake jobs in shop:inflight:w1"),
        (left(keys=Keys(marks={"drill-d1-mark": -1})), "the mark drill-d1-mark never ends"),
    ],
)
async def test_it_finds_what_is_left_behind(slot: StillSlot, finding: str):
    assert await said(evidence(slot=slot)) == [f"O3 {finding}"]


@pytest.mark.parametrize(
    ("path", "value", "finding"),
    [
        ("/metadata/labels", {"manager-1": ""}, "has label manager-1"),
        ("/metadata/annotations", {"kubedrill.dev/x": ""}, "has annotation kubedrill.dev/x"),
        ("/metadata/managedFields", [{"manager": "manager-1"}], "has an entry of manager-1"),
        ("/metadata/managedFields", [{"manager": "kubedrill"}], "has an entry of kubedrill"),
    ],
)
async def test_it_finds_our_mark_on_a_target(path: str, value: Any, finding: str):
    assert f"O3 Deployment/web {finding}" in await said(evidence(slot=left(path=path, value=value)))


async def test_a_revision_of_another_workload_is_none_of_the_plans():
    slot = left(revisions={"replicasets": [faulted("api-2", "api")]})

    assert await said(evidence(slot=slot)) == []


async def test_it_leaves_other_peoples_jobs_and_marks_that_end_alone():
    keys = Keys(lists={"shop:jobs": ['{"id": "42"}'], "other:jobs": ['{"id": "drill-d2-1"}']}, marks={"drill-d1": 60})

    assert await said(evidence(slot=left(keys=keys))) == []


@pytest.fixture
def burning() -> Iterator[int]:
    """The port of an Alertmanager that has an alert in `shop` and one in another namespace."""

    class Alerts(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(
                b'[{"labels": {"alertname": "Announced", "namespace": "shop"}},'
                b' {"labels": {"alertname": "Announced", "namespace": "other"}}]'
            )

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Alerts) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


async def test_it_finds_an_alert_that_still_burns(burning: int):
    slot = StillSlot({}, services=Services(0, 0, burning))
    seen = evidence(Course(), a_plan(fault="alert"), slot=slot, before={})

    assert await said(seen) == ["O3 alert Announced is active"]
