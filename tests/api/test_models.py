"""What the models accept, like the schema that is made of them."""

import pytest
from pydantic import ValidationError

from kubedrill.api.drill import Drill
from kubedrill.api.people import PlayerActionSpec
from kubedrill.plugins.faults.memory_limit import MemoryLimit

TARGET = {"kind": "Deployment", "name": "checkout"}
SHORTEST = {
    "apiVersion": "kubedrill.dev/v1alpha1",
    "kind": "Drill",
    "metadata": {"name": "checkout-oom", "namespace": "drills"},
    "spec": {
        "targetNamespace": "shop-staging",
        "desired": "Hold",
        "scenario": {
            "title": "Checkout out of memory after a deploy",
            "faults": [{"name": "limit", "memoryLimit": {"target": TARGET}}],
            "expectedAlerts": [{"name": "CheckoutErrorsHigh"}],
            "groundTruth": {"severity": "P2"},
        },
        "players": [
            {"name": "alice", "role": "L1", "identities": {"kubernetes": "alice@example.com"}},
            {"name": "tom", "role": "Engineering", "identities": {"fieldManager": "tom"}},
        ],
    },
}


def test_the_shortest_drill_is_read_and_written_back():
    drill = Drill.model_validate(SHORTEST)
    assert drill.spec.scenario is not None
    fault = drill.spec.scenario.faults[0]
    assert isinstance(fault.params, MemoryLimit)
    assert (fault.kind, str(fault.params.target)) == ("memoryLimit", "Deployment/checkout")
    assert Drill.model_validate(drill.to_wire()) == drill


@pytest.mark.parametrize("limit", ["64Mi", "1Gi", "67108864", 67_108_864, "0.5Gi"])
def test_a_memory_limit_is_a_quantity_or_a_number_of_bytes(limit):
    assert MemoryLimit.model_validate({"target": TARGET, "limit": limit}).limit == str(limit)


@pytest.mark.parametrize("limit", ["128m", "64mi", "lots", ""])
def test_a_memory_limit_in_milli_bytes_or_of_no_known_unit_is_refused(limit):
    with pytest.raises(ValidationError):
        MemoryLimit.model_validate({"target": TARGET, "limit": limit})


@pytest.mark.parametrize("limit", [64, "64", "0.5", "7.9Mi", "8M"])
def test_a_memory_limit_with_which_no_container_starts_is_refused(limit):
    with pytest.raises(ValidationError, match="write a unit, as in 64Mi"):
        MemoryLimit.model_validate({"target": TARGET, "limit": limit})


def test_an_unknown_field_is_refused():
    with pytest.raises(ValidationError, match="limitt"):
        MemoryLimit.model_validate({"target": TARGET, "limitt": "64Mi"})


def test_a_severity_is_one_of_five():
    with pytest.raises(ValidationError):
        PlayerActionSpec.model_validate({"actor": "alice", "action": "AssessSeverity", "severity": "P9"})
