"""Which Services elsewhere a drill may reach: those that its environment lists, and the monitoring that it names."""

import pytest
from tests.environments.builders import NAMESPACE, SCENARIO, drill_spec, environment, service, settled

from kubedrill.api.drill import DrillSpec
from kubedrill.api.environment import DrillEnvironment
from kubedrill.core.plan.derive import derive
from kubedrill.core.plan.setting import out_of_reach
from kubedrill.plugins.faults.of_drill import profile

QUEUE = {"namespace": "data", "name": "redis"}


def flood(namespace: str | None = "data") -> dict[str, object]:
    """A scenario that pushes jobs to a Redis."""
    redis = {"name": "redis", "port": 6379} | ({"namespace": namespace} if namespace else {})
    load = {"redis": redis, "key": "jobs", "ratePerSecond": 1, "count": 10}
    return SCENARIO | {"faults": [{"name": "flood", "queueLoad": load}]}


def told(spec: DrillSpec, *environments: DrillEnvironment) -> str:
    """Why the drill may not be played; empty when it may."""
    assert spec.scenario is not None
    refusal = out_of_reach(derive(spec, spec.scenario, profile, setting=settled(spec, *environments)))
    return f"{refusal.reason}: {refusal.message}" if refusal else ""


def test_a_queue_elsewhere_that_the_environment_does_not_list_is_refused():
    assert told(drill_spec(scenario=flood()), environment("shop")) == (
        f"ServiceNotAllowed: DrillEnvironment shop does not let drills on {NAMESPACE} reach data/redis: add it to"
        f" allowedServices, or use one in {NAMESPACE}"
    )


def test_one_that_it_lists_is_allowed_by_namespace_and_name():
    spec = drill_spec(scenario=flood())

    assert not told(spec, environment(allowedServices=[QUEUE]))
    assert "data/redis" in told(spec, environment(allowedServices=[QUEUE | {"namespace": "data-2"}]))
    assert "data/redis" in told(spec, environment(allowedServices=[QUEUE | {"name": "redis-2"}]))


@pytest.mark.parametrize("namespace", [None, NAMESPACE])
def test_the_target_namespaces_own_services_are_always_allowed(namespace):
    assert not told(drill_spec(scenario=flood(namespace)), environment())


def test_a_namespace_whose_name_begins_like_the_targets_is_another_one():
    assert f"{NAMESPACE}-2/redis" in told(drill_spec(scenario=flood(f"{NAMESPACE}-2")), environment())


def test_the_monitoring_that_the_environment_names_is_allowed_and_another_of_the_drills_is_not():
    central = environment("shop", prometheus=service("prometheus", 9090, "monitoring"))

    assert not told(drill_spec(), central)
    other = {"alertmanager": {"name": "alerts", "port": 9093, "namespace": "elsewhere"}}
    assert "reach elsewhere/alerts:" in told(drill_spec(monitoring=other), central)


def test_without_an_environment_nobody_has_said_what_is_allowed_and_nothing_is_refused():
    assert not told(drill_spec(scenario=flood()), environment("billing", "billing-staging"))
