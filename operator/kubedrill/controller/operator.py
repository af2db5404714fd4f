"""The operator's process: kopf watches Drills and wakes their tasks; everything else happens in the turns.

Only `on.event` is used (a daemon, a timer or `on.delete` would run beside it and write by themselves), so kopf
writes nothing. The finalizer is ours, and kopf is told another name, because it strips the one that it knows
from objects which none of its handlers needs.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from dataclasses import replace
from typing import Any

import kopf

from kubedrill.api.base import GROUP, VERSION
from kubedrill.controller.controller import DrillController
from kubedrill.controller.settings import OperatorSettings
from kubedrill.controller.webhook_token import webhook_token
from kubedrill.kube.client import Kube
from kubedrill.kube.clock import ServerClock
from kubedrill.kube.lanes import with_small_buffers
from kubedrill.protocol.drills import drill_path

LOG = logging.getLogger("kubedrill")


def configured() -> kopf.OperatorSettings:
    """Kopf's settings, each because of a default that would hurt here."""
    settings = kopf.OperatorSettings()
    settings.peering.standalone = True  # anyone who may write a peering object could stop reverts
    settings.scanning.disabled = True  # no rights on CRDs and namespaces are needed
    settings.posting.enabled = False  # our own Events
    settings.persistence.finalizer = f"{GROUP}/unused-by-kopf"
    settings.networking.request_timeout = 15
    settings.networking.connect_timeout = 5
    settings.networking.error_backoffs = [0.2, 0.5, 1, 2, 4]
    settings.queueing.error_delays = [1, 2, 3, 5, 8]
    settings.watching.server_timeout = 300
    settings.watching.connect_timeout = 5
    settings.process.ultimate_exiting_timeout = 20
    return settings


def registered(desk: DrillController) -> kopf.OperatorRegistry:
    """One handler: whatever happens to a Drill wakes its task. And at the end kopf need not wait for the tasks."""
    registry = kopf.OperatorRegistry()

    async def changed(body: kopf.Body, type: str | None, **_: Any) -> None:  # noqa: A002  kopf's name
        desk.changed(dict(body), gone=type == "DELETED")

    async def ending(**_: Any) -> None:
        # kopf gives what it did not start five seconds to end by itself: so long an operator would work on, deaf
        await desk.close()

    in_cluster = "KUBERNETES_SERVICE_HOST" in os.environ
    kopf.on.login(registry=registry)(kopf.login_with_service_account if in_cluster else kopf.login_with_kubeconfig)
    kopf.on.event(GROUP, VERSION, "drills", registry=registry)(changed)
    kopf.on.cleanup(registry=registry)(ending)
    return registry


async def demand_crds(kube: Kube, namespace: str) -> int:
    """How many Drills there are.

    Kopf watches a kind that does not exist for ever, in silence: so look first, and end with a clear word.

    Raises:
        SystemExit: Drills can't be listed; the pod is started again after a while.
    """
    answer = await kube.get(drill_path(namespace), query=[("limit", "1")])
    if not answer.ok:
        raise SystemExit(
            f"Drills of namespace {namespace} can't be listed ({answer.status} {answer.message}):"
            " are the CRDs installed (kubectl apply --server-side -f crds), and the operator's rights?"
        )
    more = (answer.body.get("metadata") or {}).get("remainingItemCount", 0)
    return len(answer.body.get("items") or ()) + int(more)


async def run(settings: OperatorSettings) -> None:
    """Runs until kopf ends: by a signal, or because a watch is refused (then the process is to be restarted)."""
    kube = await Kube.connect()
    clock = ServerClock(settings.clock_error)
    drills = await demand_crds(kube, settings.namespace)
    await clock.measure(kube)
    if settings.webhook_secret:
        token = await webhook_token(kube, settings.namespace, settings.webhook_secret)
        settings = replace(settings, webhook_token=token)
    desk = DrillController(kube, clock, settings)
    desk.expects(drills)
    try:
        async with desk.serving():
            await kopf.operator(registry=registered(desk), settings=configured(), namespaces=[settings.namespace])
    finally:
        await kube.close()


def main() -> None:
    """The console entry: settings from the environment, logs as lines on standard error."""
    logging.basicConfig(
        level=os.environ.get("KUBEDRILL_LOG", "INFO"), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for chatty in ("aiohttp.access", "kopf.objects"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    with_small_buffers()
    gc.freeze()  # what was imported stays for good: no collection need look through it again
    asyncio.run(run(OperatorSettings.from_environment(os.environ)))
