"""What people and automation do: before a drill, and once its alert has fired."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final

from tests.e2e.staging.copies import kubectl, until
from tests.shapes.catalogue import Play
from tests.shapes.judge import PLAYER
from tests.shapes.monitoring import APP_IMAGE, EXPORTER, NAMESPACE
from tests.shapes.recorder import seen
from tests.shapes.stage import GOOD, autoscaler, shop

AUTOMATION: Final = "shop-operator"
DEPLOYMENT: Final = "deployment/app"
Doing = Callable[[Play], None]


def comes_before(play: Play) -> None:
    """What is there when the drill starts: a silence, an autoscaler, an alert that has fired and ended."""
    if play.shape.withheld == "silence":
        _silences_the_alert(play)
    if play.course == "scaled":
        kubectl("apply", "-f", "-", given=autoscaler(play))
    if play.shape.flapped:
        _notes(play, "1")
        until(lambda: _fires(play), 90, "the alert fires before the drill")
        _notes(play, "0")
        until(lambda: not _fires(play), 90, "the alert has ended before the drill")


def _notes(play: Play, value: str) -> None:
    kubectl("annotate", "namespace", play.namespace, f"shapes/note={value}", "--overwrite")


def _fires(play: Play) -> bool:
    """Whether its alert fires, by Prometheus' own word."""
    path = f"/api/v1/namespaces/{NAMESPACE}/services/prometheus:9090/proxy/api/v1/alerts"
    alerts = json.loads(kubectl("get", "--raw", path))["data"]["alerts"]
    return any(one["labels"]["alertname"] == play.alert and one["state"] == "firing" for one in alerts)


def acts(play: Play) -> None:
    """What is done in this course, by whoever does something in it."""
    if play.course in ("fixed", "early"):
        if play.shape.group_wait:
            until(lambda: _is_paged(play), play.shape.group_wait + 30, "somebody is paged")
        repairs(play, PLAYER)
    elif play.course in ("healed", "taken-out"):
        repairs(play, AUTOMATION)
    elif play.course == "worse":
        TRICKS[play.shape.worse](play)


def _is_paged(play: Play) -> bool:
    figures, _ = seen([], kubectl("get", "--raw", EXPORTER)).get(play.namespace, ({}, ""))
    return figures.get("pages_total", 0) > 0


def repairs(play: Play, who: str) -> None:
    """The limit is what it was."""
    memory = f"memory={GOOD}"
    fix = ("set", "resources", DEPLOYMENT, f"--limits={memory}", f"--requests={memory}", f"--field-manager={who}")
    kubectl("-n", play.namespace, *fix)


def _lowers(play: Play) -> None:
    least = "memory=16Mi"
    by = f"--field-manager={PLAYER}"
    kubectl("-n", play.namespace, "set", "resources", DEPLOYMENT, f"--limits={least}", f"--requests={least}", by)


def _scales_to_zero(play: Play) -> None:
    kubectl("-n", play.namespace, "patch", DEPLOYMENT, "-p", '{"spec":{"replicas":0}}', f"--field-manager={PLAYER}")


def _restarts(play: Play) -> None:
    for number in range(5):
        again = {"spec": {"template": {"metadata": {"annotations": {"restarted": str(number)}}}}}
        kubectl("-n", play.namespace, "patch", DEPLOYMENT, "-p", json.dumps(again), f"--field-manager={PLAYER}")
        wanted = f"--for=jsonpath={{.status.observedGeneration}}={_generation(play)}"
        kubectl("-n", play.namespace, "wait", DEPLOYMENT, wanted, "--timeout=20s")


def _generation(play: Play) -> str:
    return kubectl("-n", play.namespace, "get", DEPLOYMENT, "-o", "jsonpath={.metadata.generation}")


def _deletes(play: Play) -> None:
    kubectl("-n", play.namespace, "delete", DEPLOYMENT, "--wait=false")


def _hides_all_figures(play: Play) -> None:
    kubectl("annotate", "namespace", play.namespace, "shapes/quiet=true")


def _silences_the_alert(play: Play) -> None:
    """The alert is heard of no more, and the shop is as broken as before."""
    by = ("--author", PLAYER, "--comment", "it is known", "--duration", "1h")
    at = ("--alertmanager.url", "http://localhost:9093")
    silence = ("amtool", "silence", "add", f"alertname={play.alert}", *by, *at)
    kubectl("-n", NAMESPACE, "exec", "deployment/alertmanager", "--", *silence)


def _heals_the_neighbour(play: Play) -> None:
    """Another team's shop gets well, this one does not."""
    kubectl("apply", "-f", "-", given=shop(neighbour(play), holds=4))
    kubectl("-n", neighbour(play), "rollout", "status", DEPLOYMENT, "--timeout=60s")


def neighbour(play: Play) -> str:
    """The namespace beside a play's."""
    return f"{play.namespace}-beside"


def is_broken(play: Play) -> str:
    """The neighbour's shop, none of whose pods ever starts."""
    return shop(neighbour(play), holds=4, image=APP_IMAGE.replace(":dev", ":no-such-image"))


def is_killed_beside(play: Play) -> None:
    """A Job of another name in the same namespace is killed for its memory (field case C10)."""
    holds = ["python3", "-c", "held = b'x' * (64 << 20)"]
    container = {"name": "db", "image": APP_IMAGE, "command": holds, "resources": {"limits": {"memory": "24Mi"}}}
    pod = {"restartPolicy": "Never", "containers": [container]}
    spec = {"backoffLimit": 0, "template": {"metadata": {"labels": {"job": "app-db"}}, "spec": pod}}
    named = {"name": "app-db", "namespace": play.namespace}
    kubectl(
        "apply", "-f", "-", given=json.dumps({"apiVersion": "batch/v1", "kind": "Job", "metadata": named, "spec": spec})
    )
    failed = "jsonpath={.status.failed}"
    until(lambda: kubectl("-n", play.namespace, "get", "job", "app-db", "-o", failed) == "1", 60, "the Job was killed")


TRICKS: Final[Mapping[str, Doing]] = {
    "scale-to-zero": _scales_to_zero,
    "lower-still": _lowers,
    "restarts": _restarts,
    "delete": _deletes,
    "quiet": _hides_all_figures,
    "heal-the-neighbour": _heals_the_neighbour,
    "silence": _silences_the_alert,
}
