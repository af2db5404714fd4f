"""Rules that the API server keeps beyond the form of a field, so that a file is refused before a cluster sees it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from kubedrill.api.drill import Drill
from kubedrill.api.environment import DrillEnvironment, MonitoringServer
from kubedrill.api.roster import DrillRoster
from kubedrill.api.scenario import DrillScenario, ScenarioSpec


def broken(thing: Drill | DrillScenario | DrillEnvironment | DrillRoster) -> Iterator[str]:
    """What the API server would refuse although each field is well formed, each with its place as people write it."""
    if isinstance(thing, DrillScenario):
        yield from _of_scenario(thing.spec, "spec")
    if isinstance(thing, DrillEnvironment):
        yield from _of_server("spec.prometheus", thing.spec.prometheus)
        yield from _of_server("spec.alertmanager", thing.spec.alertmanager)
    if not isinstance(thing, Drill):
        return
    spec = thing.spec
    if (spec.scenario is None) == (spec.scenario_ref is None):
        yield "spec: say exactly one of scenario and scenarioRef"
    for place, stop in _numbered("spec.stopWhen", spec.stop_when):
        if (stop.promql is None) == (stop.alert is None):
            yield f"{place}: say exactly one of promql and alert"
    yield from _twice("spec.stopWhen", spec.stop_when)
    yield from _twice("spec.players", spec.players)
    if spec.scenario is not None:
        yield from _of_scenario(spec.scenario, "spec.scenario")


def _of_scenario(spec: ScenarioSpec, where: str) -> Iterator[str]:
    for place, check in _numbered(f"{where}.steadyState", spec.steady_state):
        if (check.below is None) == (check.above is None):
            yield f"{place}: say exactly one of below and above"
    if sum(alert.starts_clock for alert in spec.expected_alerts) > 1:
        yield f"{where}.expectedAlerts: only one alert can start the clock (startsClock)"
    for name, things in (
        ("steadyState", spec.steady_state),
        ("faults", spec.faults),
        ("expectedAlerts", spec.expected_alerts),
        ("injects", spec.injects),
        ("objectives", spec.objectives),
    ):
        yield from _twice(f"{where}.{name}", things)


def _of_server(where: str, server: MonitoringServer | None) -> Iterator[str]:
    if server is None:
        return
    if (server.service is None) == (server.url is None):
        yield f"{where}: say exactly one of service and url"
    if server.url is not None and server.path_prefix is not None:
        yield f"{where}: the path stands in the url: leave pathPrefix out"
    if (server.url or "").startswith("http:") and (server.tls is not None or server.credentials is not None):
        yield f"{where}: tls and credentials take a url that begins with https://"


def _numbered(where: str, things: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    return ((f"{where}[{number}]", thing) for number, thing in enumerate(things))


def _twice(where: str, things: Sequence[Any]) -> Iterator[str]:
    """Names that stand twice in a list in which each may stand once."""
    names = [thing.name for thing in things]
    for number, name in enumerate(names):
        if name in names[:number]:
            yield f"{where}[{number}]: Duplicate value: there is {name!r} already"
