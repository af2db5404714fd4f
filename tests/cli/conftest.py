"""The command line against an API server at the wire."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.cli.fake_api import FakeApi

from kubedrill.cli.main import cli

SELF_REVIEW = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
Kubedrill = Callable[..., Result]


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """An API server that knows who asks."""
    fake = FakeApi()
    fake.answers["POST", SELF_REVIEW] = (201, {"status": {"userInfo": {"username": "alice@example.com"}}})
    with fake.running():
        yield fake


@pytest.fixture
def kubedrill(api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kubedrill:
    """Run a command line as a person would."""
    monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig(tmp_path)))
    monkeypatch.delenv("KUBEDRILL_NAMESPACE", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cli, list(arguments))

    return run
