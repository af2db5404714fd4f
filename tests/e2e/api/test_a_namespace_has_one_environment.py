"""Two environments that claim one namespace: the second is refused as it is written, on the real API server.

What is asked runs dry: the answer is the same, and nothing is left of a question that came before the policy was known,
or before what was written a moment ago was.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.api.conftest import a_namespace, kubectl

POLICY = Path(__file__).parents[3] / "manifests/base/environments.yaml"
KNOWN_WITHIN = 60
TAKEN = "already, and a namespace has one environment: take it out of shop first"


class Environments:
    """The environments of a control namespace."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace

    def written(self, name: str, *targets: str) -> None:
        """It is stored."""
        said = self._apply(name, targets)
        assert not said, said

    def accepted(self, name: str, *targets: str) -> None:
        """It would be stored, once what stands is known."""
        self._until(name, targets, refused=False)

    def refused(self, name: str, *targets: str) -> str:
        """What is said of it, once what stands is known."""
        return self._until(name, targets, refused=True)

    def _until(self, name: str, targets: tuple[str, ...], *, refused: bool) -> str:
        deadline = time.monotonic() + KNOWN_WITHIN
        while bool(said := self._apply(name, targets, "--dry-run=server")) is not refused:
            assert time.monotonic() < deadline, said or f"{name} is not refused"
            time.sleep(0.2)
        return said

    def _apply(self, name: str, targets: tuple[str, ...], *how: str) -> str:
        thing = {
            "apiVersion": "kubedrill.dev/v1alpha1",
            "kind": "DrillEnvironment",
            "metadata": {"name": name},
            "spec": {"targetNamespaces": list(targets)},
        }
        done = kubectl("apply", *how, "-n", self._namespace, "-f", "-", given=thing)
        return done.stderr if done.returncode else ""


@pytest.fixture(scope="module")
def environments(definitions: None) -> Iterator[Environments]:  # noqa: ARG001  there is nothing to write without them
    """Those of a control namespace in which `shop` is for two namespaces, and the policy knows it."""
    applied = kubectl("apply", "-f", str(POLICY))
    assert applied.returncode == 0, applied.stderr
    for namespace in a_namespace("one-environment", "kubedrill.dev/control=true"):
        them = Environments(namespace)
        them.written("shop", "shop-staging", "shop-qa")
        them.refused("probe", "shop-staging")
        yield them


def test_the_second_that_claims_a_namespace_is_told_which_one_has_it(environments: Environments):
    assert f"DrillEnvironment shop is for shop-qa {TAKEN}" in environments.refused("all-qa", "billing-qa", "shop-qa")


def test_one_of_other_namespaces_is_accepted_until_it_claims_more(environments: Environments):
    environments.written("billing", "billing-staging")
    said = environments.refused("billing", "billing-staging", "shop-staging")
    assert f"DrillEnvironment shop is for shop-staging {TAKEN}" in said


def test_one_that_is_written_again_does_not_stand_in_its_own_way(environments: Environments):
    environments.accepted("shop", "shop-staging", "shop-qa", "shop-load")


def test_what_was_given_up_may_be_claimed(environments: Environments):
    environments.written("search", "search-staging")
    environments.refused("next", "search-staging")
    environments.written("search", "search-qa")
    environments.accepted("next", "search-staging")
