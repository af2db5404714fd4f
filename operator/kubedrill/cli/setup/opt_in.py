"""Opting a namespace in and out: a label that people can read, and RoleBindings that are the fact.

Neither the operator nor the watchdog has a right to change anything anywhere but in namespaces whose own admin has
given it. The label may be somebody else's to set: labels of namespaces are the platform team's on many clusters. Then
it takes both, each with what is theirs, and what is not there yet is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import click
import yaml

from kubedrill.cli.connection import (
    CONTROL_NAMESPACE,
    OPT_IN_LABEL,
    Access,
    CliError,
    connected,
    demand,
    good,
    named_namespace,
    path_of,
    run,
    with_access,
)
from kubedrill.cli.exit_codes import ExitCode
from kubedrill.cli.setup.manifests import filled
from kubedrill.cli.standing import ENDED
from kubedrill.core.paths import ApiPath
from kubedrill.kube.client import APPLY_PATCH, MERGE_PATCH, Kube
from kubedrill.kube.paths import NAMESPACES, ROLE_BINDINGS, ROLES

MANAGER: Final = "kubedrill-opt-in"
NAME: Final = "kubedrill-operator"
MORE: Final = ("quotas",)
"""Rights that a namespace gives only where it is asked to: who administers it often may not give them itself."""
PLAYERS: Final = "kubedrill-opt-in-players"
"""The RoleBinding of those who are to play: to speak, whatever else they may do in the namespace."""
RIGHTS: Final = {"Role": ROLES, "RoleBinding": ROLE_BINDINGS}
CONTROL_OPTION: Final = click.option(
    "--control-namespace",
    "control",
    default=CONTROL_NAMESPACE,
    callback=named_namespace,
    show_default=True,
    help="Where its drills live.",
)


def objects(namespace: str, control: str, *more: str) -> list[dict[str, Any]]:
    """The objects with which a namespace opts in: its label, then each Role with its RoleBinding.

    `more` are of MORE: rights that only some faults need.
    """
    named = ("opt-in.yaml", *(f"opt-in-{one}.yaml" for one in more))
    return [one for file in named for one in filled(file, {"NAMESPACE": namespace, "CONTROL": control})]


def binding_of_players(namespace: str, users: Sequence[str], groups: Sequence[str]) -> dict[str, Any]:
    """The RoleBinding with which a namespace gives players their role."""
    api_group = "rbac.authorization.k8s.io"
    named = (*(("User", name) for name in users), *(("Group", name) for name in groups))
    return {
        "apiVersion": f"{api_group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": PLAYERS, "namespace": namespace, "labels": {"app.kubernetes.io/part-of": "kubedrill"}},
        "roleRef": {"apiGroup": api_group, "kind": "ClusterRole", "name": "kubedrill-player"},
        "subjects": [{"apiGroup": api_group, "kind": kind, "name": name} for kind, name in named],
    }


def given(namespace: str, control: str) -> tuple[ApiPath, ...]:
    """All that an opt-in may have put into a namespace, in the order in which it is taken back."""
    _, *rights = objects(namespace, control, *MORE)
    return (ROLE_BINDINGS.one(namespace, PLAYERS), *(path_of_right(right) for right in reversed(rights)))


@click.command("opt-in")
@click.argument("target", metavar="NAMESPACE", callback=named_namespace)
@CONTROL_OPTION
@click.option(
    "--allow",
    "more",
    multiple=True,
    type=click.Choice(MORE),
    help="Rights that only some faults need: quotas, to make and remove them. May be given again.",
)
@click.option("--player", "users", multiple=True, metavar="USER", help="Who plays here. May be given again.")
@click.option("--player-group", "groups", multiple=True, metavar="GROUP", help="A group that plays here.")
@click.option("--print", "only_print", is_flag=True, help="Print what would be applied, and apply nothing.")
@with_access
def opt_in(
    access: Access,
    target: str,
    control: str,
    more: tuple[str, ...],
    users: tuple[str, ...],
    groups: tuple[str, ...],
    *,
    only_print: bool,
) -> None:
    """Let drills of the control namespace break NAMESPACE, which must exist. Players who are named may speak there."""
    wanted = objects(target, control, *more)
    if users or groups:
        wanted.append(binding_of_players(target, users, groups))
    if only_print:
        click.echo(yaml.safe_dump_all(wanted, sort_keys=False), nl=False)
        return
    run(_opted_in(access, target, control, wanted))
    click.echo(f"Drills in {control} may now inject faults into {target}. Undo: kubectl drill opt-out {target}")


async def _opted_in(access: Access, target: str, control: str, wanted: Sequence[dict[str, Any]]) -> None:
    _, *rights = wanted
    async with connected(access) as kube:
        await _labelled(kube, target, control)
        for right in rights:
            await demand(
                kube.call(
                    "PATCH",
                    path_of_right(right),
                    right,
                    content_type=APPLY_PATCH,
                    query=[("fieldManager", MANAGER), ("force", "true")],
                ),
                f"{right['kind']} {right['metadata']['name']}",
            )


async def _labelled(kube: Kube, target: str, control: str) -> None:
    """Sets the label, unless it is there: whoever may not set it can go on with what is theirs.

    Raises:
        CliError: it is not there, and somebody else's to set; the message is the command for them.
    """
    path, what = NAMESPACES.one(target), f"namespace {target}"
    seen = await kube.get(path)
    labels = (seen.body.get("metadata") or {}).get("labels") or {} if seen.ok else {}
    if labels.get(OPT_IN_LABEL) == control:
        return
    change = {"metadata": {"labels": {OPT_IN_LABEL: control}}}
    answer = await kube.call("PATCH", path, change, content_type=MERGE_PATCH)
    if answer.status == 403:
        raise CliError(
            f"the label of {what} is not yours to set ({answer.message}). Ask who may, often the platform team: kubectl"
            f" label namespace {target} {OPT_IN_LABEL}={control} --overwrite. Then run this again",
            ExitCode.REFUSED,
        )
    good(answer, what)


@click.command("opt-out")
@click.argument("target", metavar="NAMESPACE", callback=named_namespace)
@CONTROL_OPTION
@with_access
def opt_out(access: Access, target: str, control: str) -> None:
    """Let drills no longer break NAMESPACE. Refused while one is on: it could not be put back."""
    run(_opted_out(access, target, control))
    click.echo(f"{target} is opted out.")


async def _opted_out(access: Access, target: str, control: str) -> None:
    async with connected(access) as kube:
        on = await _drills_on(kube, target, control)
        if on:
            raise CliError(
                f"{', '.join(on)} is on in {target} and could not be restored: kubectl drill stop {on[0]}",
                ExitCode.REFUSED,
            )
        change = {"metadata": {"labels": {OPT_IN_LABEL: None}}}
        path = NAMESPACES.one(target)
        await demand(kube.call("PATCH", path, change, content_type=MERGE_PATCH), f"namespace {target}")
        for right in given(target, control):
            answer = await kube.call("DELETE", right)
            if not answer.ok and answer.status != 404:
                raise CliError(f"{right.rpartition('/')[2]}: {answer.message}", ExitCode.REFUSED)


def path_of_right(right: dict[str, Any]) -> ApiPath:
    """The path of a Role or RoleBinding."""
    meta = right["metadata"]
    return RIGHTS[right["kind"]].one(meta["namespace"], meta["name"])


async def _drills_on(kube: Kube, target: str, control: str) -> list[str]:
    body = await demand(kube.get(path_of("drills", control)), f"drills of {control}")
    return [
        drill["metadata"]["name"]
        for drill in body["items"]
        if drill["spec"]["targetNamespace"] == target
        and (drill.get("status") or {}).get("startExTime")
        and (drill.get("status") or {}).get("phase") not in ENDED
    ]
