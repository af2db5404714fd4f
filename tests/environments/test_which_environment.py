"""Which environment a drill is played in, and what it takes over of it."""

import pytest
from tests.environments.builders import NAMESPACE, drill_spec, environment, refused, service, settled

from kubedrill.core.plan.drill_plan import Endpoint
from kubedrill.core.plan.setting import alone

CENTRAL = {
    "prometheus": service("prometheus-k8s", 9090, "monitoring"),
    "alertmanager": service("alertmanager-main", 9093, "monitoring"),
}


def test_it_is_the_one_that_lists_the_target_namespace_and_the_drill_says_so():
    found = settled(drill_spec(), environment("billing", "billing-staging"), environment("shop", **CENTRAL))

    assert (found.environment, found.prometheus) == ("shop", Endpoint("monitoring", "prometheus-k8s", 9090))
    assert found.alertmanager == Endpoint("monitoring", "alertmanager-main", 9093)
    assert found.said == (f"environment: shop, which lists {NAMESPACE}",)


def test_one_that_the_drill_names_needs_no_word():
    found = settled(drill_spec(environment="shop"), environment("shop"))

    assert (found.environment, found.said) == ("shop", ())


def test_without_any_monitoring_is_looked_for_in_the_target_namespace():
    found = settled(drill_spec(), environment("billing", "billing-staging"))

    assert found == alone(drill_spec())
    assert (found.environment, found.namespace_label) == ("", "namespace")
    assert found.prometheus == Endpoint(NAMESPACE, "prometheus", 9090)
    assert found.alertmanager == Endpoint(NAMESPACE, "alertmanager", 9093)


def test_a_service_of_no_namespace_is_one_of_the_drills_target_namespace():
    many = environment("copies", "shop-a", "shop-b", prometheus=service("metrics", 8080))

    for namespace in ("shop-a", "shop-b"):
        found = settled(drill_spec(targetNamespace=namespace), many)
        assert found.prometheus == Endpoint(namespace, "metrics", 8080)


def test_what_the_drill_says_of_its_monitoring_wins():
    own = {"prometheus": {"name": "thanos-query", "port": 10902}}
    found = settled(drill_spec(monitoring=own), environment("shop", **CENTRAL))

    assert found.prometheus == Endpoint(NAMESPACE, "thanos-query", 10902)
    assert found.alertmanager == Endpoint("monitoring", "alertmanager-main", 9093)


def test_the_label_that_names_the_namespace_is_the_environments():
    assert settled(drill_spec(), environment(labels={"namespace": "exported_namespace"})).namespace_label == (
        "exported_namespace"
    )


def test_two_that_list_the_namespace_are_refused_by_their_names_even_where_the_drill_names_one():
    for spec in (drill_spec(), drill_spec(environment="shop")):
        assert refused(spec, environment("shop"), environment("all-staging", "x", NAMESPACE)) == (
            "EnvironmentAmbiguous",
            f"several DrillEnvironments (all-staging, shop) list namespace {NAMESPACE}: take it out of all but one",
        )


def test_one_that_is_not_there_is_refused_by_name():
    assert refused(drill_spec(environment="shop"), environment("billing", "billing-staging")) == (
        "EnvironmentNotFound",
        (
            "there is no DrillEnvironment shop in the drill's namespace (billing): name another in environment, or"
            f" leave it out to use the one that lists {NAMESPACE}"
        ),
    )


def test_one_that_does_not_list_the_namespace_is_not_for_the_drill_and_says_for_which_it_is():
    assert refused(drill_spec(environment="billing"), environment("billing", "billing-a", "billing-b")) == (
        "EnvironmentNotForNamespace",
        (
            f"DrillEnvironment billing is not for namespace {NAMESPACE} (it lists billing-a, billing-b):"
            f" add {NAMESPACE} to its targetNamespaces, or name another"
        ),
    )


def test_of_many_names_a_refusal_lists_as_many_as_people_read():
    _, message = refused(drill_spec(environment="all"), environment("all", *(f"copy-{n:02}" for n in range(100))))

    assert "(it lists copy-00, copy-01, " in message
    assert "copy-09 and 90 more):" in message


@pytest.mark.parametrize("label", ["", "a-b", "1st", "a.b", 'x"}'])
def test_a_label_that_no_metric_can_have_is_none(label):
    with pytest.raises(ValueError, match="namespace"):
        environment(labels={"namespace": label})


def test_further_alertmanagers_and_the_receivers_of_people_are_the_environments():
    others = [{"name": "alertmanager-1", "port": 9093, "namespace": "mon"}]
    pair = service("alertmanager-0", 9093, "mon") | {"others": others, "receiversForPeople": ["pager"]}
    setting = settled(drill_spec(), environment(alertmanager=pair))

    assert setting.other_alertmanagers == (Endpoint("mon", "alertmanager-1", 9093),)
    assert setting.people_receivers == {"pager"}


def test_what_is_said_of_one_alertmanager_is_not_said_of_the_drills_own():
    pair = service("alertmanager-0", 9093, "mon") | {"receiversForPeople": ["pager"]}
    own = {"alertmanager": {"name": "own", "port": 9093}}

    assert settled(drill_spec(monitoring=own), environment(alertmanager=pair)).people_receivers == frozenset()


def test_further_alertmanagers_are_among_what_a_drill_may_reach():
    others = [{"name": "alertmanager-1", "port": 9093, "namespace": "mon"}]
    pair = service("alertmanager-0", 9093, "mon") | {"others": others}

    assert "mon/alertmanager-1" in settled(drill_spec(), environment(alertmanager=pair)).allowed_services
