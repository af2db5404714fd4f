"""`plan`, `lint` and `doctor`: everything is told before anything is touched."""

from datetime import timedelta
from typing import Any

import pytest
import yaml
from tests.cli.drills import drill
from tests.cli.fake_api import GROUP
from tests.cli.undo import SECRETS, secret
from tests.undo.builders import NOON

from kubedrill.api.drill import Drill
from kubedrill.cli.safety.installed import KINDS
from kubedrill.core.undo.operations import Enqueue
from kubedrill.core.undo.record import DrillIdentity, OutsideGroup, UndoRecord, record_name
from kubedrill.plugins.faults.memory_limit import MemoryLimit

ACTIONS = f"{GROUP}/drills/playeractions"
BY_POLICY = "ValidatingAdmissionPolicy 'kubedrill-own-words' with binding 'kubedrill-own-words' denied request: no"
DRILLS = f"{GROUP}/drills/drills"
PROXY = "/api/v1/namespaces/staging/services/prometheus:9090/proxy/api/v1"
STATUS = "/api/v1/namespaces/staging/services/alertmanager:9093/proxy/api/v2/status"
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
OPTED_IN = {"kubedrill.dev/control-namespace": "drills"}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "worker", "namespace": "staging", "generation": 1},
    "spec": {
        "replicas": 3,
        "selector": {"matchLabels": {"app": "worker"}},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}},
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "main",
                        "resources": {"limits": {"memory": "128Mi"}, "requests": {"memory": "64Mi"}},
                    }
                ]
            }
        },
    },
    "status": {
        "observedGeneration": 1,
        "replicas": 3,
        "updatedReplicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
    },
}
RULE = {"type": "alerting", "name": "HighQueueDepth", "query": "queue_depth > 50", "state": "inactive"}


@pytest.fixture
def cluster(api):
    """A cluster in which the drill could start, for somebody who may not ask the operator."""
    api.put("/api/v1/namespaces", {"metadata": {"name": "staging", "labels": OPTED_IN}})
    api.put("/apis/apps/v1/namespaces/staging/deployments", DEPLOYMENT)
    api.put(
        "/apis/apps/v1/namespaces/drills/deployments",
        {"metadata": {"name": "kubedrill"}, "status": {"readyReplicas": 1}},
    )
    api.collections |= {DRILLS: {}, SECRETS: {}}
    groups = {"groups": [{"name": "g", "interval": 1, "rules": [RULE]}]}
    kinds = KINDS
    api.answers |= {
        ("POST", DRILLS): (403, {"reason": "Forbidden", "message": "drills is forbidden"}),
        ("GET", f"{PROXY}/rules"): (200, {"status": "success", "data": groups}),
        ("GET", f"{PROXY}/query"): (
            200,
            {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [0, "0"]}]}},
        ),
        ("GET", STATUS): (
            200,
            {"config": {"original": "url: http://kubedrill.drills.svc/alertmanager/staging"}},
        ),
        ("POST", ACTIONS): (403, {"reason": "Forbidden", "message": BY_POLICY}),
        ("POST", REVIEWS): (201, {"status": {"allowed": True}}),
        ("GET", "/apis/kubedrill.dev/v1alpha1"): (200, {"resources": [{"name": k} for k in kinds]}),
    }
    return api


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "drill.yaml"
    path.write_text(yaml.safe_dump(drill()))
    return str(path)


def test_the_plan_shows_each_derived_value_and_how_it_is_undone(cluster, kubedrill, file):
    told = kubedrill("plan", "-f", file).output
    depth = 'queue_depth{namespace=~"staging|"}'
    assert f"impact: ({depth} > 50) or (0 * {depth})" in told
    assert f"the impact is 0 while HighQueueDepth has no reason to fire, and falls as {depth} falls" in told
    assert "Note: the impact is 0 now\n" in told
    assert "detection: AlertFired → Acknowledged within 5m" in told
    assert "limits/memory: 128Mi → 64Mi; restored to 128Mi" in told
    assert told.endswith("All checks pass now.\n")
    assert not [m for m, p, _ in cluster.requests if m != "GET" and p not in (REVIEWS, DRILLS)]
    assert told.startswith("Looked from here, as you, without a dry run: no drill could be made in drills to ask the")


def test_b1_an_alert_that_waits_longer_than_its_limit_is_refused(cluster, kubedrill, tmp_path):
    waits = {"groups": [{"name": "g", "interval": 30, "rules": [RULE | {"duration": 900}]}]}
    cluster.answers["GET", f"{PROXY}/rules"] = (200, {"status": "success", "data": waits})
    path, wanted = tmp_path / "drill.yaml", drill()
    wanted["spec"]["scenario"]["expectedAlerts"][0]["within"] = "10m"
    path.write_text(yaml.safe_dump(wanted))

    told = kubedrill("plan", "-f", str(path)).output

    assert "All checks pass" not in told
    assert "AlertLimitTooShort: HighQueueDepth fires 15m after its condition at the earliest (for)" in told
    assert "is evaluated every 30s and waits 15m before it fires (for): the monitoring's time" in told


def test_a_silence_that_would_keep_people_from_being_told_is_shown(cluster, kubedrill, file):
    words = {"createdBy": "bob", "comment": "maintenance", "endsAt": "2026-12-01T06:00:00.000Z"}
    matchers = [{"name": "namespace", "value": "staging", "isRegex": False, "isEqual": True}]
    silence = {"id": "6bb7", "status": {"state": "active"}, "matchers": matchers, **words}
    cluster.answers["GET", STATUS.replace("/status", "/silences")] = (200, [silence])
    said = 'HighQueueDepth would be held back by silence 6bb7 (of bob, "maintenance") until 2026-12-01 06:00Z'

    assert f"Note: {said}" in kubedrill("plan", "-f", file).output
    assert f"✓ alerts-told: {said}" in kubedrill("doctor", "-f", file).output


def on_staging(uid: str) -> dict[str, Any]:
    """The undo record of a drill that is not put back yet, whose Redis was in the namespace with that UID."""
    queue = Enqueue("redis.staging.svc", 6379, "List", "jobs", (), "drill-d0-", 1, 1, {}, timedelta(), "staging")
    drill = DrillIdentity("d0", "flood", "drills", "staging")
    name = record_name("", "Enqueue", uid, "redis")
    return secret(UndoRecord(drill, name, "redis", (OutsideGroup("a", queue),), "m", NOON, NOON, None, uid))


def test_d10_a_record_that_holds_the_namespace_is_told_and_one_of_a_namespace_that_is_gone_is_not(
    cluster, kubedrill, file
):
    cluster.put("/api/v1/namespaces", {"metadata": {"name": "staging", "labels": OPTED_IN, "uid": "n2"}})
    cluster.put(SECRETS, on_staging("n1"))
    assert kubedrill("plan", "-f", file).output.endswith("All checks pass now.\n")
    holds = cluster.put(SECRETS, on_staging("n2"))["metadata"]["name"]
    told = kubedrill("plan", "-f", file).output
    assert "All checks pass" not in told
    assert f"TargetBusy: another drill is on in staging: undo record {holds} of drill flood" in told


def test_records_that_may_not_be_read_are_said_to_be_unchecked(cluster, kubedrill, file):
    cluster.answers["GET", SECRETS] = (403, {"reason": "Forbidden", "message": "secrets is forbidden"})
    told = kubedrill("plan", "-f", file).output
    assert "Not checked: whether an undo record still holds the namespace" in told
    assert "secrets is forbidden" in told


def test_the_drill_written_out_in_full_is_a_drill_that_means_the_same(cluster, kubedrill, file):
    result = kubedrill("plan", "-f", file, "--expand")
    written = Drill.model_validate(yaml.safe_load(result.output))
    scenario = written.spec.scenario
    assert scenario is not None
    params = scenario.faults[0].params
    assert isinstance(params, MemoryLimit)
    assert (params.limit, params.container) == ("64Mi", "main")
    assert scenario.mitigated.query is None  # it is derived from what fires
    assert scenario.expected_alerts[0].starts_clock
    assert (scenario.ground_truth.component, scenario.ground_truth.fault_class) == ("worker", "MemoryLimit")
    assert "detection" in {o.name for o in scenario.objectives}
    assert cluster.requests


DEPLOYMENTS = "/apis/apps/v1/namespaces/staging/deployments"


def of_release(**labels: str) -> dict[str, Any]:
    return DEPLOYMENT | {"metadata": {**DEPLOYMENT["metadata"], "labels": labels}}  # type: ignore[dict-item]


def test_c12_who_may_take_the_fault_out_is_told_before_the_start(cluster, kubedrill, file):
    cluster.put(DEPLOYMENTS, of_release(**{"kustomize.toolkit.fluxcd.io/name": "apps"}))
    told = kubedrill("plan", "-f", file).output
    assert "TargetReconciled: Deployment/worker is kept as it is by Flux Kustomization apps" in told
    assert "It would not start now:" in told


def test_a_release_of_helm_is_noted_and_no_obstacle(cluster, kubedrill, file):
    cluster.put(DEPLOYMENTS, of_release(**{"app.kubernetes.io/managed-by": "Helm"}))
    told = kubedrill("plan", "-f", file).output
    assert "Note: Deployment/worker is of Helm release (unnamed): helm upgrade would take the fault out" in told
    assert told.endswith("All checks pass now.\n")


@pytest.mark.parametrize(
    ("rule", "series", "reason", "says"),
    [
        ("queue_depth > 50", [], "NoImpactData", "say mitigated.query with `or vector(0)` at its end"),
        ('u{exported_namespace="staging"} > 0', [], "NoImpactData", "set labels.namespace to exported_namespace"),
        ("queue_depth > 50", [{"metric": {}, "value": [0, "60"]}], "ImpactAlready", "the impact is 60 already"),
        ("default_rollup(q) > 5", [], "ImpactNotDerived", "Say it in mitigated.query"),
    ],
)
def test_an_impact_that_can_not_be_measured_now_is_told(cluster, kubedrill, file, rule, series, reason, says):
    groups = {"groups": [{"name": "g", "rules": [{**RULE, "query": rule}]}]}
    vector = {"status": "success", "data": {"resultType": "vector", "result": series}}
    cluster.answers |= {
        ("GET", f"{PROXY}/rules"): (200, {"status": "success", "data": groups}),
        ("GET", f"{PROXY}/query"): (200, vector),
    }
    told = kubedrill("plan", "-f", file).output

    assert f"  {reason}: " in told
    assert says in told


def test_a_fault_that_is_impossible_is_refused_by_name(cluster, kubedrill, file):
    cluster.collections["/apis/apps/v1/namespaces/staging/deployments"].clear()
    result = kubedrill("plan", "-f", file)
    assert result.exit_code == 3
    assert "REFUSED" in result.output


def test_a_scenario_that_is_named_is_read_from_the_cluster(cluster, kubedrill, tmp_path):
    named = drill()
    scenario = named["spec"].pop("scenario")
    named["spec"]["scenarioRef"] = "rush"
    cluster.put(
        f"{GROUP}/drills/drillscenarios",
        {
            "apiVersion": "kubedrill.dev/v1alpha1",
            "kind": "DrillScenario",
            "metadata": {"name": "rush"},
            "spec": scenario,
        },
    )
    path = tmp_path / "named.yaml"
    path.write_text(yaml.safe_dump(named))
    assert kubedrill("plan", "-f", str(path)).exit_code == 0


def test_a_healthy_cluster_lacks_nothing(cluster, kubedrill, file):
    result = kubedrill("doctor", "-f", file)
    assert result.exit_code == 0, result.output
    assert all(line.startswith("✓") for line in result.output.splitlines())
    assert cluster.requests


FIRING, PENDING = {"alertstate": "firing"}, {"alertstate": "pending"}
NO_ENDPOINTS = {"kind": "Status", "message": "no endpoints"}
LACKING = {
    "no policy on words": (
        lambda api: api.answers.pop(("POST", ACTIONS)),
        "anybody may speak for anybody: kubectl apply -k manifests/base",
    ),
    "no right to try it": (
        lambda api: api.answers.update({("POST", ACTIONS): (403, {"message": "playeractions is forbidden"})}),
        "? whose-words: it can't be tried: playeractions is forbidden",
    ),
    "no opt-in": (
        lambda api: api.put("/api/v1/namespaces", {"metadata": {"name": "staging", "labels": {}}}),
        "kubectl drill opt-in staging",
    ),
    "no namespace": (
        lambda api: api.collections["/api/v1/namespaces"].clear(),
        "there is no namespace staging",
    ),
    "no rights": (
        lambda api: api.answers.update({("POST", REVIEWS): (201, {"status": {"allowed": False}})}),
        "the operator may not list pods, watch pods",
    ),
    "no rule": (
        lambda api: api.answers.update(
            {("GET", f"{PROXY}/rules"): (200, {"status": "success", "data": {"groups": []}})}
        ),
        "no alert rule HighQueueDepth is loaded",
    ),
    "an alert that fires": (
        lambda api: api.answers.update(
            {
                ("GET", f"{PROXY}/query"): (
                    200,
                    {
                        "status": "success",
                        "data": {
                            "resultType": "vector",
                            "result": [{"metric": {"alertname": "HighQueueDepth"} | FIRING, "value": [1, "1"]}],
                        },
                    },
                )
            }
        ),
        "HighQueueDepth fires already",
    ),
    "b8: an alert that is pending": (
        lambda api: api.answers.update(
            {
                ("GET", f"{PROXY}/query"): (
                    200,
                    {
                        "status": "success",
                        "data": {
                            "resultType": "vector",
                            "result": [{"metric": {"alertname": "HighQueueDepth"} | PENDING, "value": [1, "1"]}],
                        },
                    },
                )
            }
        ),
        "HighQueueDepth is pending already",
    ),
    "no Prometheus": (
        lambda api: api.answers.update({("GET", f"{PROXY}/rules"): (503, NO_ENDPOINTS)}),
        'monitoring: prometheus.staging:9090 does not answer: "no endpoints"',
    ),
    "no route of Alertmanager": (
        lambda api: api.answers.update({("GET", STATUS): (200, {"config": {"original": "route: {}"}})}),
        "Alertmanager has no webhook to the operator",
    ),
    "no operator": (
        lambda api: api.collections["/apis/apps/v1/namespaces/drills/deployments"].clear(),
        "no operator is ready in drills",
    ),
    "no CRDs": (
        lambda api: api.answers.update({("GET", "/apis/kubedrill.dev/v1alpha1"): (404, {})}),
        f"the cluster has no {', '.join(KINDS)}",
    ),
}


@pytest.mark.parametrize(("take_away", "message"), LACKING.values(), ids=LACKING)
def test_the_doctor_says_what_is_missing(cluster, kubedrill, file, take_away, message):
    take_away(cluster)
    result = kubedrill("doctor", "-f", file)
    assert result.exit_code == 3, result.output
    assert message in result.output


def test_whether_anybody_may_speak_for_anybody_is_tried_and_nothing_is_said(cluster, kubedrill, file):
    kubedrill("doctor", "-f", file)
    ((dry, tried),) = ((q, b) for (m, p, b), q in zip(cluster.requests, cluster.queries, strict=True) if p == ACTIONS)
    assert (dry, tried["spec"]["actor"]) == ({"dryRun": "All"}, "nobody")


def test_lint_needs_no_cluster(api, kubedrill, file):
    assert kubedrill("lint", "-f", file).output == "Drill rush: well formed\n"
    assert not api.requests


WRONG = {
    "an unknown field": (lambda s: s.update(paces=2), "spec.paces: unknown field"),
    "a missing field": (lambda s: s.pop("targetNamespace"), "spec.targetNamespace: is required"),
    "a bad duration": (lambda s: s.update(wrapUp="10"), "spec.wrapUp: "),
    "a misspelt milestone": (
        lambda s: s["scenario"].update(objectives=[{"name": "o", "to": "Mitigatd", "within": "5m"}]),
        "spec.scenario.objectives[0].to: ",
    ),
}


@pytest.mark.parametrize(("change", "complaint"), WRONG.values(), ids=WRONG)
def test_lint_names_the_place_of_a_mistake(kubedrill, tmp_path, change, complaint):
    thing = drill()
    change(thing["spec"])
    path = tmp_path / "wrong.yaml"
    path.write_text(yaml.safe_dump(thing))
    result = kubedrill("lint", "-f", str(path))
    assert result.exit_code == 2
    assert complaint in result.output


@pytest.mark.parametrize("text", ["kind: Pod\napiVersion: v1", "- 1", "a: [", "just words"])
def test_what_is_no_drill_is_bad_input(kubedrill, tmp_path, text):
    path = tmp_path / "other.yaml"
    path.write_text(text)
    assert kubedrill("lint", "-f", str(path)).exit_code == 2


def stopping(tmp_path, *conditions):
    thing = drill()
    thing["spec"]["stopWhen"] = list(conditions)
    path = tmp_path / "stopping.yaml"
    path.write_text(yaml.safe_dump(thing))
    return str(path)


def test_what_would_stop_it_is_in_the_plan(cluster, kubedrill, tmp_path):
    file = stopping(tmp_path, {"name": "errors", "promql": "sum(errors) > 5"})
    output = kubedrill("plan", "-f", file).output
    assert "Stopped at once, and everything restored, when any of these is met:\n  errors: sum(errors) > 5" in output
    assert cluster.requests


def test_a_stop_condition_that_is_no_promql_is_told(cluster, kubedrill, tmp_path):
    output = kubedrill("plan", "-f", stopping(tmp_path, {"name": "errors", "promql": "sum(errors >"})).output
    assert "StopConditionInvalid: stop condition errors: is not valid PromQL" in output
    assert cluster.requests


REFUSED = {
    "an impossible fault": lambda api: api.collections["/apis/apps/v1/namespaces/staging/deployments"].clear(),
    **{name: LACKING[name][0] for name in ("no opt-in", "no namespace", "no rights", "no rule", "an alert that fires")},
}


@pytest.mark.parametrize("name", REFUSED)
def test_like_refusals_end_alike_whatever_it_is_that_refuses(cluster, kubedrill, file, name):
    """Only an impossible fault was 3; a namespace that has not opted in was 0."""
    REFUSED[name](cluster)
    result = kubedrill("plan", "-f", file)
    assert result.exit_code == 3
    assert "It would not start now:" in result.output


def test_what_can_not_be_asked_is_told_apart_from_what_is_refused(cluster, kubedrill, file):
    cluster.answers["POST", REVIEWS] = (403, {"reason": "Forbidden", "message": "not you"})
    result = kubedrill("plan", "-f", file)
    assert result.exit_code == 7
    assert "Whether it would start now can't be told:" in result.output


def test_a2_a_prometheus_that_is_not_there_is_said_to_be_no_service_and_where_to_name_another(cluster, kubedrill, file):
    gone = {"kind": "Status", "message": 'services "prometheus" not found', "details": {"kind": "services"}}
    cluster.answers |= {("GET", f"{PROXY}/{path}"): (404, gone) for path in ("rules", "query")}
    told = kubedrill("plan", "-f", file).output
    assert "prometheus.staging:9090 can't be found: there is no such Service" in told
    assert "spec.monitoring.prometheus" in told


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (404, {"message": "TOP-SECRET"}, "answers 404: its API is not there"),
        (401, {"message": "TOP-SECRET"}, "answers 401: it asks for credentials"),
        (503, {"kind": "Status", "message": "no endpoints available"}, 'does not answer: "no endpoints available"'),
    ],
)
def test_what_is_wrong_with_a_prometheus_is_said_as_the_operator_says_it(cluster, kubedrill, file, status, body, said):
    cluster.answers |= {("GET", f"{PROXY}/{path}"): (status, body) for path in ("rules", "query")}
    told = kubedrill("plan", "-f", file).output
    assert f"prometheus.staging:9090 {said}" in told
    assert "SECRET" not in told
