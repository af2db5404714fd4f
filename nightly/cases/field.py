"""The field in which the cases are played: the inputs as they came, and one monitoring for all of them.

`inputs` holds what people had, in words of our own, and is not edited. What a case needs beside its file (an alert that
inhibits, a metric that goes away) is done in `courses.py`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Final
from urllib.parse import quote, urlencode

import yaml
from tests.e2e.staging.copies import kubectl, until
from tests.shapes.judge import Told

INPUTS: Final = Path(__file__).with_name("inputs")
KEPT: Final = Path("build/cases")
CONTROL, MONITORING = "drills", "fc-mon"
MONITORS: Final = ("ksm", "prometheus", "alertmanager")
TOKEN: Final = "kubedrill-webhook"  # noqa: S105  a Secret's name
ENDED: Final = ("Completed", "Stopped", "Aborted")
ALICE: Final = "alice@example.com"
KUBEDRILL: Final = str(Path(sys.executable).with_name("kubedrill"))
Document = dict[str, Any]


@dataclass(frozen=True)
class Outcome(Told):
    """What is told of a drill when it is over, in all places.

    `watched` and `exit_code` are those of `kubectl drill watch`; `record` is the report's JSON, `junit` its file for a
    pipeline; both are empty where nothing was ever touched. `seen` is what a course looked at on the way.
    """

    watched: str = ""
    exit_code: int = -1
    record: Mapping[str, Any] = field(default_factory=dict)
    junit: str = ""
    seen: Mapping[str, Any] = field(default_factory=dict)

    @property
    def message(self) -> str:
        return str(self.status.get("message", ""))

    @property
    def was_touched(self) -> bool:
        return bool(self.status.get("startExTime"))

    @property
    def said_by_rule(self) -> Mapping[str, str]:
        """Each finding's text, by its rule."""
        return {one["rule"]: one["text"] for one in self.record["findings"]}

    def objective(self, name: str) -> Mapping[str, Any]:
        return next((one for one in self.status.get("objectives", ()) if one["name"] == name), {})


def documents(file: str, instead: Mapping[str, str] | None = None) -> list[Document]:
    """An input's documents; `instead` gives namespaces of the file other names."""
    text = (INPUTS / f"{file}.yaml").read_text(encoding="utf-8")
    for old, new in (instead or {}).items():
        text = text.replace(old, new)
    return list(yaml.safe_load_all(text))


def the_drill(name: str) -> Document:
    """The Drill of that name, in whichever input it is."""
    found = (one for file in sorted(INPUTS.glob("*.yaml")) for one in documents(file.stem))
    return next(one for one in found if one["kind"] == "Drill" and one["metadata"]["name"] == name)


def environment(name: str, namespace: str, **more: Any) -> Document:
    """A DrillEnvironment that names the cases' monitoring."""
    spec: Document = {"targetNamespaces": [namespace], **more}
    for service, port in (("prometheus", 9090), ("alertmanager", 9093)):
        spec[service] = {"service": {"namespace": MONITORING, "name": service, "port": port}}
    named = {"name": name, "namespace": CONTROL}
    return {"apiVersion": "kubedrill.dev/v1alpha1", "kind": "DrillEnvironment", "metadata": named, "spec": spec}


def apply(*wanted: Document) -> None:
    """What is wanted, as whoever runs the platform applies it."""
    kubectl("apply", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(wanted)}))


def clear() -> None:
    """Nothing of any case is there. The drills go first: they put back what they hold."""
    ours = kubectl("-n", CONTROL, "get", "drills,drillenvironments", "-o", "name").split()
    if mine := [one for one in ours if one.partition("/")[2].startswith("fc-")]:
        kubectl("-n", CONTROL, "delete", *mine, "--timeout=120s")
    spaces = kubectl("get", "namespaces", "-o", "name").split()
    if mine := [one for one in spaces if one.startswith("namespace/fc-")]:
        kubectl("delete", *mine, "--timeout=180s")
    kubectl("delete", "clusterrolebinding", "fc-ksm", "--ignore-not-found")


def monitor() -> None:
    """Prometheus, Alertmanager and the metrics of all cases; Alertmanager has the operator's token."""
    wanted = documents("_infra-monitoring")
    apply(*(one for one in wanted if one["kind"] == "Namespace"))
    token = json.loads(kubectl("-n", CONTROL, "get", "secret", TOKEN, "-o", "json"))["data"]
    named = {"name": TOKEN, "namespace": MONITORING}
    apply({"apiVersion": "v1", "kind": "Secret", "metadata": named, "data": token}, *wanted)
    for name in MONITORS:
        kubectl("-n", MONITORING, "rollout", "status", f"deployment/{name}", "--timeout=180s")


def put_up(*wanted: Document) -> None:
    """Everything of a case but its Drills, as a facilitator puts it up: opted in, and settled.

    The first document is the target's namespace.
    """
    things = [one for one in wanted if one["kind"] != "Drill"]
    apply(*(one for one in things if one["kind"] == "Namespace"))
    apply(*things)
    target = things[0]["metadata"]["name"]
    kubedrill("opt-in", target)
    for one in things:
        if one["kind"] == "Deployment" and one["metadata"]["namespace"] == target:
            kubectl("-n", target, "rollout", "status", f"deployment/{one['metadata']['name']}", "--timeout=180s")


def kubedrill(*arguments: str, code: int = 0) -> str:
    """What a command prints, which is to end with this code."""
    done = subprocess.run([KUBEDRILL, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == code, f"kubedrill {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def server(service: str, port: int, path: str) -> str:
    """A path of the monitoring's, through the API server."""
    return f"/api/v1/namespaces/{MONITORING}/services/{service}:{port}/proxy{path}"


def gauge(metric: str, value: str, **labels: str) -> None:
    """Sets a metric; `none` takes it away."""
    kubectl("get", "--raw", server("ksm", 8000, "/set?" + urlencode({"m": metric, "v": value, **labels})))


def asked(query: str) -> list[Document]:
    """Prometheus' answer."""
    answer = kubectl("get", "--raw", server("prometheus", 9090, f"/api/v1/query?query={quote(query)}"))
    return list(json.loads(answer)["data"]["result"])


def clock() -> float:
    """Prometheus' own clock."""
    (sample,) = asked("vector(time())")
    return float(sample["value"][1])


class _Drills:
    """The Drills as they were a second ago at most: however many cases look, one request a second."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._seen: dict[str, Document] = {}
        self._when = 0.0

    def status(self, name: str) -> Document:
        with self._lock:
            if name not in self._seen or time.monotonic() > self._when + 1:
                found = json.loads(kubectl("-n", CONTROL, "get", "drills", "-o", "json"))["items"]
                self._seen = {one["metadata"]["name"]: dict(one.get("status") or {}) for one in found}
                self._when = time.monotonic()
            return self._seen[name]


status: Final = _Drills().status
"""A Drill's status as it was a second ago at most."""


def reached(name: str, milestone: str) -> Document:
    """The status once a drill has reached a milestone; one that ends without it fails with its own words."""

    def looks() -> Document | None:
        now = status(name)
        if any(one["name"] == milestone for one in now.get("milestones", ())):
            return now
        assert now.get("phase") not in ENDED, f"{name} ended without {milestone}: {now.get('message')}"
        return None

    return until(looks, 180, f"{name} has reached {milestone}")


def in_play(name: str) -> Document:
    """The status once the alert has fired and the drill is in play: nobody acts before."""
    reached(name, "AlertFired")
    until(lambda: status(name).get("phase") in ("InPlay", *ENDED), 60, f"{name} is in play")
    return status(name)


def over(name: str, **seen: Any) -> Outcome:
    """What is told of a drill in all places once it has ended; it is kept in build/cases."""
    until(lambda: status(name).get("phase") in ENDED, 400, f"{name} has ended")
    now, folder = status(name), KEPT / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "status.json").write_text(json.dumps(now, indent=1), encoding="utf-8")
    watched = subprocess.run([KUBEDRILL, "watch", name, "--plain"], capture_output=True, text=True, check=False)
    (folder / "watch.txt").write_text(watched.stdout, encoding="utf-8")
    if not now.get("reportName"):
        return Outcome(now, watched=watched.stdout, exit_code=watched.returncode, seen=seen)
    reported = json.loads(kubectl("-n", CONTROL, "get", "drillreport", now["reportName"], "-o", "json"))["spec"]
    kubedrill("report", name, "-o", str(folder))
    record = json.loads((folder / "report.json").read_text(encoding="utf-8"))["record"]
    junit = (folder / "report.xml").read_text(encoding="utf-8")
    code, text = watched.returncode, watched.stdout
    return Outcome(now, reported["verdict"], watched=text, exit_code=code, record=record, junit=junit, seen=seen)


def give_up(name: str) -> None:
    """A case that went wrong on the way leaves its namespace to the next one of its lane."""
    kubectl("-n", CONTROL, "delete", "drill", name, "--ignore-not-found", "--timeout=120s")


def says(*words: str) -> None:
    """Something that alice says, by her own name."""
    kubedrill(*words, "--as", ALICE)


def repairs(namespace: str) -> None:
    """Alice sets the limit to what it was, with plain kubectl."""
    memory = ("--limits=memory=80Mi", "--requests=memory=80Mi", "--field-manager=fc-alice", "--as", ALICE)
    kubectl("-n", namespace, "set", "resources", "deployment/app", *memory)
