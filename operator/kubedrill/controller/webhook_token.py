"""The token with which webhooks are called: in a Secret of the control namespace, made by the operator where none is.

So every way to install ends with one, nobody has to think one up, and no chart or repository holds it. Whoever is to
call a webhook is given it from there.
"""

from __future__ import annotations

import base64
import binascii
import logging
import secrets
from collections.abc import Mapping
from typing import Any, Final

from kubedrill.kube.client import Answer, Kube
from kubedrill.kube.paths import SECRETS

LOG = logging.getLogger(__name__)
KEY: Final = "token"
BYTES: Final = 32
"""Of randomness in a token that is made here."""


async def webhook_token(kube: Kube, namespace: str, name: str) -> str:
    """The token in the Secret. Empty, and said, where it can't be read or made: then nobody may call a webhook.

    Raises:
        Unreachable: the API server does not answer.
    """
    read = await kube.get(SECRETS.one(namespace, name))
    if read.status == 404:
        read = await _made(kube, namespace, name)
    token = _token_in(read.body) if read.ok else ""
    if not token:
        why = f"has no {KEY}" if read.ok else f"can't be had: {read.status} {read.message}"
        LOG.warning("no webhook is let in: Secret %s of %s %s", name, namespace, why)
    return token


async def _made(kube: Kube, namespace: str, name: str) -> Answer:
    """A new Secret; where somebody else made it meanwhile, theirs."""
    wanted = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/part-of": "kubedrill"}},
        "type": "Opaque",
        "data": {KEY: base64.b64encode(secrets.token_urlsafe(BYTES).encode()).decode()},
    }
    made = await kube.call("POST", SECRETS.of(namespace), wanted)
    return await kube.get(SECRETS.one(namespace, name)) if made.status == 409 else made


def _token_in(secret: Mapping[str, Any]) -> str:
    try:
        held = (secret.get("data") or {}).get(KEY) or ""
        return base64.b64decode(held, validate=True).decode("ascii").strip()
    except (AttributeError, TypeError, ValueError, binascii.Error):
        return ""
