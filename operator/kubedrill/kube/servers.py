"""Which API server is talked to, and the client for it: what it takes from its surroundings, it takes once."""

from __future__ import annotations

import asyncio
import os
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from aiohttp import TraceConfig
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import load_incluster_config, load_kube_config


async def settings_for(context: str | None) -> Configuration:
    """Of the pod's own ServiceAccount, elsewhere of the kubeconfig. A `context` always means the kubeconfig's."""
    config = Configuration()
    if context is not None or not await _is_pod(config):
        # the client reads KUBECONFIG once, at its import
        file = os.environ.get("KUBECONFIG")
        await load_kube_config(config_file=file, context=context, client_configuration=config)
    return config


def client_for(config: Configuration) -> ApiClient:
    """A client of one API server: it follows no redirect, and asks the environment for a proxy once, here.

    By itself it asks the environment and ~/.netrc anew for each request, in threads, which takes a third of an
    operator's time; and what stands in ~/.netrc is no credential for an API server.
    """
    config.trace_configs = [_stays_here()]
    config.proxy = config.proxy or _proxy_for(config.host)
    config.client_session_kwargs = {"trust_env": False}
    return ApiClient(config)


def _proxy_for(server: str) -> str | None:
    """The proxy that the environment names for a server (HTTPS_PROXY, NO_PROXY), as kubectl takes it."""
    url = urlsplit(server)
    proxy = getproxies().get(url.scheme)
    if not proxy or not url.hostname or proxy_bypass(url.hostname):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _stays_here() -> TraceConfig:
    """Follows no redirect: an API server sends none, so it is what it passes on that wants us elsewhere."""

    async def refuse(_session: Any, _context: Any, _told: Any) -> None:
        raise OSError("the answer is a redirect, which is not followed")

    trace = TraceConfig()
    trace.on_request_redirect.append(refuse)
    return trace


async def _is_pod(config: Configuration) -> bool:
    """Whether this is a pod with a ServiceAccount; the configuration is then filled in."""
    try:
        loaded = load_incluster_config(client_configuration=config)
        if asyncio.iscoroutine(loaded):
            await loaded
    except Exception:  # noqa: BLE001  the client has no common error for "not in a cluster"
        return False
    return True
