"""Who reaches the API server through a proxy names it as for kubectl; it is read when a connection is made.

The client would ask the environment and ~/.netrc anew for each request, in threads: a third of an operator's time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml
from aiohttp import web

from kubedrill.kube.client import Kube
from kubedrill.kube.paths import SERVER_VERSION


class Seen:
    """A server that answers everything, as an API server and as a proxy."""

    def __init__(self) -> None:
        self.port = 0
        self.asked: list[tuple[str, str]] = []
        """Whom a request was for, and with which credentials."""

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append((request.headers["Host"], request.headers.get("Authorization", "")))
        return web.json_response({"gitVersion": "v1.35.4"})


@pytest.fixture
async def server() -> AsyncIterator[Seen]:
    seen = Seen()
    runner = web.ServerRunner(web.Server(seen.answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    seen.port = runner.addresses[0][1]
    yield seen
    await runner.cleanup()


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Seen) -> Path:
    """Of a server that this machine can't find, behind the proxy that the environment names."""
    for name in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", f"127.0.0.1:{server.port}")
    return written(tmp_path, monkeypatch, "http://api.drills.invalid")


def written(folder: Path, monkeypatch: pytest.MonkeyPatch, server: str) -> Path:
    """A kubeconfig of `server`, without credentials."""
    context = {"name": "here", "context": {"cluster": "here", "user": "me"}}
    config = {
        "current-context": "here",
        "clusters": [{"name": "here", "cluster": {"server": server}}],
        "users": [{"name": "me", "user": {}}],
        "contexts": [context],
    }
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    monkeypatch.setenv("KUBECONFIG", str(file))
    return file


@asynccontextmanager
async def connected() -> AsyncIterator[Kube]:
    kube = await Kube.connect()
    try:
        yield kube
    finally:
        await kube.close()


@pytest.mark.usefixtures("kubeconfig")
async def test_the_environments_proxy_is_gone_through(server: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected() as kube:
        assert (await kube.get(SERVER_VERSION)).body["gitVersion"] == "v1.35.4"
        monkeypatch.setenv("HTTP_PROXY", "http://elsewhere.invalid")
        assert (await kube.get(SERVER_VERSION)).ok, "it was asked when the connection was made"
    assert [host for host, _ in server.asked] == ["api.drills.invalid"] * 2


async def test_a_server_that_needs_no_proxy_is_asked_directly(
    server: Seen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://elsewhere.invalid")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    written(tmp_path, monkeypatch, f"http://127.0.0.1:{server.port}")
    async with connected() as kube:
        assert (await kube.get(SERVER_VERSION)).ok


async def test_what_stands_in_netrc_is_no_credential_for_an_api_server(
    server: Seen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    written(tmp_path, monkeypatch, f"http://127.0.0.1:{server.port}")
    async with connected() as kube:
        await kube.get(SERVER_VERSION)
    assert server.asked == [(f"127.0.0.1:{server.port}", "")]
