"""The witness' server: it answers the API server at once, allows everything, and stores what it was told afterwards.

A write of somebody else's waits for the answer, so nothing is stored before it: what is lost with a crash leaves a
change unattributed, and never makes one somebody's. Only so much waits to be stored; what is more is dropped and
counted. It serves as soon as the Secret `kubedrill-witness` is mounted, and signs its own certificate with the CA that
is in it.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import ssl
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from aiohttp import web

from kubedrill.controller.http import Deliver
from kubedrill.controller.received import NotStored
from kubedrill.core.evidence.facts import Fact, Interval
from kubedrill.kube.answers import decoded
from kubedrill.kube.certificate_chain import present
from kubedrill.kube.clock import ServerClock
from kubedrill.plugins.channels.base import AdmissionHook, Admitted
from kubedrill.plugins.sources.base import UNREADABLE

LOG = logging.getLogger(__name__)
MOST_BYTES: Final = 4 * 1024 * 1024
"""Of one review: it holds an object twice, which etcd takes up to 1.5 MiB of."""
MOST_VALUES: Final = 100_000
MOST_WAITING: Final = 1000
GIVES_UP_AFTER: Final = timedelta(seconds=1)
"""The webhook's timeout: what arrives was asked no longer ago, or the API server has gone on without us."""
LOOK_EVERY: Final = 5.0
"""Seconds between two looks at the Secret's files."""
RENEW_EVERY: Final = timedelta(days=1)
TRIES: Final = 5
TRY_AGAIN_AFTER: Final = 1.0


@dataclass(frozen=True, slots=True)
class WitnessSecret:
    """What the Secret holds: the CA, the secret part of the path, and who may call, where the API server can say it."""

    certificate: bytes
    key: bytes
    path: str
    callers: bytes = b""

    @classmethod
    def read(cls, folder: Path) -> WitnessSecret | None:
        """What is mounted; None while it is not, or not wholly."""
        try:
            certificate, key = (folder / "ca.crt").read_bytes(), (folder / "ca.key").read_bytes()
            path = (folder / "path").read_text(encoding="utf-8").strip()
        except OSError:
            return None
        callers = folder / "client-ca.crt"
        return cls(certificate, key, path, callers.read_bytes() if callers.exists() else b"") if path else None


class WitnessServer:
    """Serves one hook. `deliver` stores facts for a target namespace; `counts` says what came of the questions."""

    def __init__(self, hook: AdmissionHook, deliver: Deliver, clock: ServerClock, counts: Counter[str]) -> None:
        self._hook, self._deliver, self._clock, self._counts = hook, deliver, clock, counts
        self._waiting: asyncio.Queue[tuple[str, tuple[Fact, ...]]] = asyncio.Queue(MOST_WAITING)

    async def run(self, folder: Path, host: str, port: int, address: str = "0.0.0.0") -> None:  # noqa: S104  a pod's
        """Serves for as long as the Secret is there, and as it is now."""
        storing = asyncio.create_task(self.store())
        try:
            while True:
                secret = WitnessSecret.read(folder)
                if secret is not None:
                    try:
                        await self._serve(secret, folder, host, port, address)
                    except (OSError, ValueError) as wrong:
                        LOG.warning("the witness does not serve: %s; it is tried again", wrong)
                await asyncio.sleep(LOOK_EVERY)
        finally:
            storing.cancel()

    async def _serve(self, secret: WitnessSecret, folder: Path, host: str, port: int, address: str) -> None:
        """Serves until the Secret changes; a leaf is renewed before it ends, and connections go on."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if secret.callers:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=secret.callers.decode())
        runner = web.AppRunner(self.app(secret.path), access_log=None, auto_decompress=False)
        await runner.setup()
        try:
            renewed = self._renew(context, secret, host)
            await web.TCPSite(runner, address, port, ssl_context=context).start()
            LOG.info("the witness serves")
            while WitnessSecret.read(folder) == secret:
                await asyncio.sleep(LOOK_EVERY)
                if self._clock.now() - renewed > RENEW_EVERY:
                    renewed = self._renew(context, secret, host)
        finally:
            await runner.cleanup()

    def _renew(self, context: ssl.SSLContext, secret: WitnessSecret, host: str) -> datetime:
        """Gives new connections a new certificate, and tells when. Raises ValueError, OSError."""
        # what few clusters need is imported there alone: it takes ten MiB
        from kubedrill.kube.certificates import Certificate, sign_leaf  # noqa: PLC0415

        now = self._clock.now()
        leaf = sign_leaf(Certificate(secret.certificate, secret.key), host, now)
        present(context, leaf.certificate + leaf.key)
        return now

    def app(self, path: str) -> web.Application:
        """The application: one route, whose last part is secret."""

        async def asked(request: web.Request) -> web.Response:
            if not hmac.compare_digest(request.match_info["secret"].encode(), path.encode()):
                self._counts["witness-refused"] += 1
                return web.Response(status=404)
            return await self._asked(request)

        app = web.Application(client_max_size=MOST_BYTES)
        app.add_routes([web.post("/witness/{secret}", asked)])
        return app

    async def _asked(self, request: web.Request) -> web.Response:
        """Allows it, whatever it is; what it tells is stored afterwards."""
        raw = await request.read()
        now = self._clock.now()
        at = Interval(now - GIVES_UP_AFTER - self._clock.error, now + self._clock.error)
        try:
            told = self._hook.read(decoded(raw, MOST_VALUES), at)
        except UNREADABLE as wrong:
            self._counts["witness-poison"] += 1
            LOG.warning("a review can't be read: %s", str(wrong)[:200])
            return web.Response(status=400)
        self._counts["witness-told"] += 1
        if told.facts:
            self._keep(told)
        return web.json_response(
            {
                "apiVersion": "admission.k8s.io/v1",
                "kind": "AdmissionReview",
                "response": {"uid": told.uid, "allowed": True},
            }
        )

    def _keep(self, told: Admitted) -> None:
        try:
            self._waiting.put_nowait((told.namespace, told.facts))
        except asyncio.QueueFull:
            self._counts["witness-dropped"] += 1

    async def store(self) -> None:
        """Stores what was told, in order, for as long as it runs."""
        while True:
            namespace, facts = await self._waiting.get()
            for _ in range(TRIES):
                try:
                    await self._deliver(namespace, facts)
                    break
                except NotStored as why:
                    if why.for_good:
                        self._counts["witness-dropped"] += 1
                        break
                await asyncio.sleep(TRY_AGAIN_AFTER)
            else:
                self._counts["witness-dropped"] += 1
