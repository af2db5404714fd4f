"""The witness, switched on and off: an admission webhook that tells the operator who asks for which write.

Its CA is made here, once, and kept in a Secret that the operator mounts and signs its own certificates with: so the
operator needs no right on the webhook's configuration.
"""

from __future__ import annotations

import base64
import secrets
from datetime import datetime
from typing import Any, Final

import click

from kubedrill.cli.clock import now
from kubedrill.cli.connection import Access, CliError, connected, demand, run, with_access
from kubedrill.cli.exit_codes import ExitCode
from kubedrill.cli.setup.manifests import filled
from kubedrill.kube.client import APPLY_PATCH, Kube
from kubedrill.kube.paths import SECRETS, SERVICES, WEBHOOKS

NAME: Final = "kubedrill-witness"
MANAGER: Final = "kubedrill-witness-on"


@click.group()
def witness() -> None:
    """Let the API server tell drills who asks for which write: it allows everything, and holds nothing up."""


@witness.command("on")
@with_access
def switch_on(access: Access) -> None:
    """Set it up, or set it up again: the CA in a Secret, the Service, the webhook's configuration."""
    run(_switched_on(access))
    click.echo(
        f"The witness is on in every namespace that has opted in to {access.control}. The operator serves it within two"
        " minutes. Undo: kubectl drill witness off"
    )


@witness.command("off")
@with_access
def switch_off(access: Access) -> None:
    """Remove it: nothing of it is left."""
    run(_switched_off(access))
    click.echo("The witness is off.")


@witness.command()
@with_access
def status(access: Access) -> None:
    """Whether it is on, and whether the CA that the API server trusts is the one that the operator signs with."""
    click.echo(run(_stands(access)))


def objects(control: str, secret: dict[str, str]) -> list[dict[str, Any]]:
    """The Service and the webhook's configuration; `secret` is the Secret's data, in base64 as it is stored."""
    path = base64.b64decode(secret["path"]).decode().strip()
    return filled("witness.yaml", {"CONTROL": control, "PATH": path, "CA": secret["ca.crt"]})


def made(control: str, at: datetime) -> dict[str, str]:
    """A new Secret's data: a CA for the witness' one name, and the part of its path that nobody can guess."""
    from kubedrill.kube.certificates import make_ca  # noqa: PLC0415  a tenth of a second that no other verb needs

    ca = make_ca(f"{NAME}.{control}.svc", at)
    plain = {"ca.crt": ca.certificate, "ca.key": ca.key, "path": secrets.token_hex(32).encode()}
    return {key: base64.b64encode(value).decode() for key, value in plain.items()}


async def _switched_on(access: Access) -> None:
    control = access.control
    async with connected(access) as kube:
        secret = await _secret(kube, control)
        if secret is None:
            secret = made(control, now())
            metadata = {"name": NAME, "namespace": control, "labels": {"app.kubernetes.io/name": "kubedrill"}}
            body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": secret}
            await demand(kube.call("POST", SECRETS.of(control), body), f"Secret {NAME}")
        for wanted in objects(control, secret):
            path = SERVICES.one(control, NAME) if wanted["kind"] == "Service" else WEBHOOKS.one(NAME)
            query = [("fieldManager", MANAGER), ("force", "true")]
            ask = kube.call("PATCH", path, wanted, content_type=APPLY_PATCH, query=query)
            await demand(ask, f"{wanted['kind']} {NAME}")


async def _switched_off(access: Access) -> None:
    """The configuration goes first: then the API server asks nobody any more."""
    control = access.control
    async with connected(access) as kube:
        for path in (WEBHOOKS.one(NAME), SERVICES.one(control, NAME), SECRETS.one(control, NAME)):
            answer = await kube.call("DELETE", path)
            if not answer.ok and answer.status != 404:
                raise CliError(f"{path}: {answer.message}", ExitCode.REFUSED)


async def _stands(access: Access) -> str:
    async with connected(access) as kube:
        answer = await kube.get(WEBHOOKS.one(NAME))
        if answer.status == 404:
            return "off: plain kubectl is credited by field managers, words and the audit log alone"
        configuration = await demand(kube.get(WEBHOOKS.one(NAME)), f"the webhook's configuration {NAME}")
        secret = await _secret(kube, access.control)
    trusted = configuration["webhooks"][0]["clientConfig"].get("caBundle", "")
    if secret is None or secret["ca.crt"] != trusted:
        raise CliError(
            "on, but the API server trusts another CA than the operator signs with: kubectl drill witness on",
            ExitCode.ERROR,
        )
    return "on"


async def _secret(kube: Kube, control: str) -> dict[str, str] | None:
    """The data of the witness' Secret; None where there is none."""
    answer = await kube.get(SECRETS.one(control, NAME))
    if answer.status == 404:
        return None
    if not answer.ok:
        raise CliError(f"Secret {NAME} in {control}: {answer.message}", ExitCode.REFUSED)
    data: dict[str, str] = answer.body.get("data") or {}
    if not {"ca.crt", "ca.key", "path"} <= data.keys():
        raise CliError(f"Secret {NAME} in {control} is not whole: delete it and run this again", ExitCode.BAD_INPUT)
    return data
