from tests.signals.builders import between, receipt, stamp

from kubedrill.core.evidence.facts import FactKind
from kubedrill.plugins.sources import autoscaler


def scaler(desired: int, seconds: float | None):
    status = {"desiredReplicas": desired} | ({} if seconds is None else {"lastScaleTime": stamp(seconds)})
    return {
        "metadata": {"name": "worker", "uid": "h-1"},
        "status": status,
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "worker"}},
    }


def test_a_rescale_tells_target_number_and_second():
    (fact,) = autoscaler.facts_of(scaler(5, None), scaler(8, 7), receipt(7.4))
    assert fact.kind is FactKind.SCALED
    assert fact.at == between(7, 7.4)
    assert (fact.detail["target"], fact.detail["after"], fact.detail["automation"]) == ("Deployment/worker", 8, True)


def test_a_new_reading_of_the_metric_is_no_rescale():
    assert autoscaler.facts_of(scaler(8, 7), scaler(8, 7), receipt(30)) == ()


def test_a_rescale_while_nobody_watched_is_told_afterwards():
    assert len(autoscaler.facts_of(None, scaler(8, 7), receipt(30, since=5))) == 1


def test_a_rescale_before_anybody_watched_is_not():
    assert autoscaler.facts_of(None, scaler(8, 7), receipt(30, since=20)) == ()
