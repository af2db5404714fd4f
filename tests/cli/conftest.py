"""The command line against an API server at the wire."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.cli.fake_api import GROUP, FakeApi

from kubedrill.cli import clock
from kubedrill.cli.main import cli

SELF_REVIEW = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
SPEAK_REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
DRILLS = f"{GROUP}/drills/drills"
NAMESPACES = "/api/v1/namespaces"
FORBIDDEN = (403, {"kind": "Status", "reason": "Forbidden", "message": "no"})
Kubedrill = Callable[..., Result]


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """An API server that knows who asks."""
    fake = FakeApi()
    fake.answers["POST", SELF_REVIEW] = (201, {"status": {"userInfo": {"username": "alice@example.com"}}})
    with fake.running():
        yield fake


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody sits out the pauses between two looks."""
    monkeypatch.setattr(clock, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(clock, "LOOK_OFTEN", 0.01)


@pytest.fixture
def kubedrill(api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kubedrill:
    """Run a command line as a person would."""
    monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig(tmp_path)))
    monkeypatch.delenv("KUBEDRILL_NAMESPACE", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cli, list(arguments))

    return run


@pytest.fixture
def player(api: FakeApi) -> FakeApi:
    """Who asks is a player: may speak in staging, which has opted in, and may not read the drills."""
    api.answers["GET", DRILLS] = FORBIDDEN
    opted_in(api, "staging")
    may_speak_in(api, "staging")
    return api


def opted_in(api: FakeApi, *names: str, control: str = "drills") -> None:
    """There are these namespaces, and drills of a control namespace may be on in them."""
    for name in names:
        api.put(NAMESPACES, {"metadata": {"name": name, "labels": {"kubedrill.dev/control-namespace": control}}})


def may_speak_in(api: FakeApi, *names: str) -> None:
    """Whoever asks may make PlayerActions in these namespaces, and in no other."""

    def allowed(review: dict[str, Any]) -> dict[str, Any]:
        asked = review["spec"]["resourceAttributes"]
        assert (asked["verb"], asked["group"], asked["resource"]) == ("create", "kubedrill.dev", "playeractions")
        return {"status": {"allowed": asked["namespace"] in names}}

    api.reviews[SPEAK_REVIEW] = allowed
