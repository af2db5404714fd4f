"""What the harness' own tests are made of: requests, sightings, and a run that nothing is wrong with."""

from __future__ import annotations

import base64
import copy
import fnmatch
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any, Self, cast

from tests.faultmatrix import shapes
from tests.faultmatrix.evidence import Evidence
from tests.faultmatrix.kubelet import FAULTED
from tests.faultmatrix.oracles import judged
from tests.faultmatrix.plan import Plan, Rule
from tests.faultmatrix.requests import Request, request_of
from tests.faultmatrix.services import Services
from tests.faultmatrix.slot import Slot
from tests.faultmatrix.witness import Witness

from kubedrill.core.undo.pointers import put
from kubedrill.kube.client import Answer, Kube

APPS = "/apis/apps/v1/namespaces/shop"
WEB = f"{APPS}/deployments/web"
NOWHERE = Services(0, 0, 0)
DRILL = "/apis/kubedrill.dev/v1alpha1/namespaces/drills/drills/storm"
STORED = "/api/v1/namespaces/drills/secrets/undo-1"


def asked(method: str, path: str, body: Any = None, **query: str) -> Request:
    """A request as the proxy reads it."""
    return request_of(method, path, query, b"" if body is None else json.dumps(body).encode())


def a_plan(*rules: Rule, **changes: Any) -> Plan:
    """A plan on one workload's memory limit."""
    return Plan(**{"name": "a-plan", "rules": rules} | changes)


def workload(kind: str, name: str, limit: str = shapes.GOOD) -> dict[str, Any]:
    """A target as the API server has it."""
    made = shapes.workload(kind, "shop", name)
    made["metadata"] |= {"uid": f"uid-{name}", "resourceVersion": "1", "generation": 1}
    put(made, shapes.LIMIT, limit)
    return made


@dataclass
class Keys:
    """A Redis with a few keys, as `Slot.redis` gives it."""

    lists: dict[str, list[str]] = field(default_factory=dict)
    marks: dict[str, int] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def scan_iter(self, match: str) -> AsyncIterator[str]:
        for key in fnmatch.filter([*self.lists, *self.marks], match):
            yield key

    async def type(self, key: str) -> str:
        return "list" if key in self.lists else "string"

    async def lrange(self, key: str, _first: int, _last: int) -> list[str]:
        return self.lists[key]

    async def ttl(self, key: str) -> int:
        return self.marks.get(key, -2)


@dataclass
class StillSlot:
    """A slot in which nothing moves: the world as the oracles find it after a run."""

    targets: dict[str, dict[str, Any]]
    open_records: list[str] = field(default_factory=list)
    drills: list[str] = field(default_factory=list)
    revisions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    keys: Keys = field(default_factory=Keys)
    services: Services = NOWHERE
    target: str = "shop"

    async def workloads(self, _fault: str) -> dict[str, dict[str, Any]]:
        return self.targets

    async def records(self) -> list[dict[str, Any]]:
        return [{"metadata": {"name": name}} for name in self.open_records]

    async def drill(self, name: str) -> dict[str, Any] | None:
        return {"metadata": {"name": name}} if name in self.drills else None

    async def must(self, _method: str, path: str, **_how: Any) -> Answer:
        return Answer(200, {"items": self.revisions.get(path.rpartition("/")[2], [])})

    def redis(self) -> Keys:
        return self.keys


class Course:
    """What a witness sees of a run, version by version, a second apart."""

    def __init__(self) -> None:
        self.witness = Witness(cast("Kube", None), cast("Slot", None))  # it is told here, and watches nothing
        self.version = 0

    def limit(self, value: str, name: str = "web", uid: str = "", by: str = "") -> Self:
        """A version of a target in which its limit is this; `by` is who else has an entry in it."""
        thing = workload("Deployment", name, value)
        thing["metadata"]["uid"] = uid or f"uid-{name}"
        thing["metadata"]["managedFields"] = [{"manager": by, "time": "2026-03-01T12:00:00Z"}] if by else []
        return self._seen("target", "MODIFIED", thing)

    def record(self, state: str, target: str = "web", event: str = "MODIFIED") -> Self:
        """A version of the target's undo record."""
        stored = {
            "state": state,
            "drill": {"name": "storm", "uid": "d1"},
            "target": {"name": target},
            "groups": [],
            "intended_at": "2026-03-01T12:00:00Z",
            "deadline": "2026-03-01T13:00:00Z",
        }
        data = {"record": base64.b64encode(json.dumps(stored).encode()).decode()}
        return self._seen("record", event, {"metadata": {"name": f"undo-{target}", "uid": "r1"}, "data": data})

    def phase(self, phase: str, event: str = "MODIFIED", restored: str = "") -> Self:
        """A version of the Drill; `restored` is the reason why it says that it is."""
        said = [{"type": "Restored", "status": "True", "reason": restored}] if restored else []
        thing = {"metadata": {"name": "storm", "uid": "d1"}, "status": {"phase": phase, "conditions": said}}
        return self._seen("drill", event, thing)

    def told(self, words: str, event: str = "ADDED") -> Self:
        """An Event in which the players are told something by the client."""
        return self._seen("event", event, {"metadata": {"name": f"shop-{self.version}", "uid": "e"}, "message": words})

    def _seen(self, what: str, event: str, thing: dict[str, Any]) -> Self:
        self.version += 1
        thing["metadata"]["resourceVersion"] = str(self.version)
        self.witness._note(what, event, thing)
        self.witness.seen[-1] = replace(self.witness.seen[-1], at=float(self.version))
        return self


def a_course() -> Course:
    """As it should be: stored, touched, put back, closed."""
    course = Course().limit(shapes.GOOD).record("Intended", event="ADDED").limit(FAULTED).record("Injected")
    return course.record("Reverting").limit(shapes.GOOD).record("Reverted").record("Reverted", event="DELETED")


def a_status(**changes: Any) -> dict[str, Any]:
    """The status of a drill that was stopped and put back."""
    return {
        "phase": "Stopped",
        "verdict": "Stopped",
        "milestones": [{"name": "Injected"}],
        "restore": {"complete": True, "fields": [ended("Restored")]},
    } | changes


def ended(outcome: str, name: str = "web") -> dict[str, str]:
    """How a field of a target ended, as a Drill's status says it."""
    return {"target": f"Deployment/{name}", "path": shapes.LIMIT, "outcome": outcome}


def evidence(course: Course | None = None, plan: Plan | None = None, **changes: Any) -> Evidence:
    """A run of a plan on `web`, at the end of which everything is as it was; `changes` are fields of the evidence."""
    before = {"Deployment/web": workload("Deployment", "web")}
    said: dict[str, Any] = {
        "plan": plan or a_plan(),
        "slot": StillSlot(copy.deepcopy(before)),
        "witness": (course or a_course()).witness,
        "before": before,
        "status": a_status(),
        "ended_at": 5.0,
        "drills": ("storm",),
    }
    return Evidence(**said | changes)


async def said(seen: Evidence) -> list[str]:
    """What the oracles say, word by word."""
    return [str(finding) for finding in await judged(seen)]


def left(limit: str = shapes.GOOD, path: str = "", value: Any = None, **world: Any) -> StillSlot:
    """A slot at the end of a run, with something in it that was not there before."""
    here = workload("Deployment", "web", limit)
    if path:
        put(here, path, value)
    return StillSlot({"Deployment/web": here}, **world)
