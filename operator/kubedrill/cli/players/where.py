"""Where a player's word is heard, so that nobody has to say `-n` in the middle of an incident.

Players can't read the Drills, and are told nothing of them: their word is said in each namespace that has opted in and
in which they may speak. Who may read the Drills (a facilitator, an admin who tries it out) speaks where the drill is,
and is told where none is: only there is it known.

A word that nobody would hear is not said; it would look as if it had been.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kubedrill.api.base import GROUP
from kubedrill.cli.connection import OPT_IN_LABEL, Access, CliError, path_of
from kubedrill.cli.exit_codes import ExitCode
from kubedrill.cli.kubeconfig import own_namespaces
from kubedrill.cli.standing import ENDED, WAITING, how_it_ended, phase_of
from kubedrill.kube.client import Kube
from kubedrill.kube.paths import NAMESPACES, OWN_RIGHT

CONTROL_LABEL: Final = "kubedrill.dev/control"
MOST_PLACES: Final = 50
"""In so many namespaces somebody speaks at once at the most."""
TO_SPEAK: Final = (
    "A namespace's admin gives the right to speak there: kubectl create rolebinding players -n NAMESPACE"
    " --clusterrole=kubedrill-player --user=YOU"
)
TO_FIND: Final = (
    "Say -n NAMESPACE, or have a cluster admin let you find them: kubectl create clusterrolebinding players-find"
    " --clusterrole=kubedrill-find --user=YOU"
)
ONLY_OWN: Final = "Only the namespaces of your kubeconfig's contexts were looked at"


@dataclass(frozen=True, slots=True)
class Opting:
    """What is known of a namespace: whether it is there, and which control namespace's drills may be on in it."""

    found: bool | None
    control: str = ""
    is_control: bool = False


@dataclass(frozen=True, slots=True)
class Places:
    """The namespaces in which a word is to be said; and the Drill that hears it, to whom Drills are readable.

    Of `unsure` ones it is not known whether they have opted in. `looked_at` says what was looked at where that is not
    all that there is, and how to have it all.
    """

    namespaces: tuple[str, ...]
    control: str = ""
    drill: Mapping[str, Any] | None = None
    unsure: frozenset[str] = frozenset()
    looked_at: str = ""


async def places_to_speak(kube: Kube, access: Access, drill: str | None) -> Places:
    """Where a word is to be said, about a drill where one is named.

    Raises:
        CliError: nobody would hear it: the speaker may speak nowhere, or no such drill is on.
    """
    named = await _opting(kube, access.namespace) if access.namespace else None
    if access.namespace and named:
        _demand_heard(access.namespace, named)
        if named.is_control:
            return Places((access.namespace,))
    control = (named.control if named else "") or Access().control
    seen = await kube.get(path_of("drills", control))
    if seen.ok:
        heard_by = _meant(seen.body.get("items") or [], control, access.namespace, drill)
        return Places((str(heard_by["spec"]["targetNamespace"]),), control, heard_by)
    return Places((access.namespace,)) if access.namespace else await _wherever(kube, access)


def _demand_heard(namespace: str, known: Opting) -> None:
    if known.found is False:
        raise CliError(f"there is no namespace {namespace}", ExitCode.BAD_INPUT)
    if known.found and not known.control and not known.is_control:
        raise CliError(f"{namespace} has not opted in to drills: nobody would hear it there", ExitCode.BAD_INPUT)


def _meant(
    drills: Iterable[Mapping[str, Any]], control: str, namespace: str | None, name: str | None
) -> Mapping[str, Any]:
    """The drill that is meant, as one who may read them all is told."""
    meant = [d for d in drills if name in (None, d["metadata"]["name"])]
    if name and not meant:
        raise CliError(f"there is no drill {name} in {control}", ExitCode.BAD_INPUT)
    on = [
        d for d in meant if phase_of(d) not in (*WAITING, *ENDED) and namespace in (None, d["spec"]["targetNamespace"])
    ]
    if len({d["spec"]["targetNamespace"] for d in on}) == 1:
        return on[0]
    if on:
        those = ", ".join(f"{d['metadata']['name']} in {d['spec']['targetNamespace']}" for d in on)
        raise CliError(f"say which drill with --drill: {those} are on", ExitCode.BAD_INPUT)
    where = f" in {namespace}" if namespace else ""
    if name:
        raise CliError(_state(meant[0]), ExitCode.BAD_INPUT)
    waiting = ", ".join(d["metadata"]["name"] for d in meant if phase_of(d) in WAITING)
    more = f"; {waiting} has not started, and what is said before counts for nothing" if waiting else ""
    raise CliError(f"no drill is on{where} (of those in {control}{more})", ExitCode.BAD_INPUT)


def _state(drill: Mapping[str, Any]) -> str:
    """Why nobody hears a word about a drill that was named."""
    if phase_of(drill) in WAITING:
        return f"{drill['metadata']['name']} has not started, and what is said before counts for nothing"
    if phase_of(drill) in ENDED:
        return how_it_ended(drill)
    return f"{drill['metadata']['name']} is on in {drill['spec']['targetNamespace']} alone"


async def _wherever(kube: Kube, access: Access) -> Places:
    """All namespaces that may have a drill and in which the speaker may speak."""
    known = await _candidates(kube, access)
    allowed = await asyncio.gather(*(_may_speak(kube, namespace) for namespace in known.namespaces))
    places = tuple(namespace for namespace, may in zip(known.namespaces, allowed, strict=True) if may)
    if not places:
        raise CliError(_nowhere(known), ExitCode.REFUSED)
    if len(places) > MOST_PLACES:
        raise CliError(
            f"you may speak in {len(places)} namespaces that have opted in: say in which with -n", ExitCode.BAD_INPUT
        )
    return Places(places, unsure=known.unsure, looked_at=known.looked_at)


def _nowhere(known: Places) -> str:
    names = ", ".join(known.namespaces[:MOST_PLACES]) or "there is none"
    where = "your kubeconfig's namespaces" if known.looked_at else "the namespaces that have opted in to drills"
    more = f" {known.looked_at}." if known.looked_at else ""
    return f"you may speak in none of {where} ({names}).{more} {TO_SPEAK}"


async def _candidates(kube: Kube, access: Access) -> Places:
    """The namespaces that have opted in; who may not list them has those of the kubeconfig."""
    listed = await kube.get(NAMESPACES.all, query=[("labelSelector", OPT_IN_LABEL)])
    if listed.ok:
        return Places(tuple(str(item["metadata"]["name"]) for item in listed.body.get("items") or ()))
    own = own_namespaces(access.context)
    found = dict(zip(own, await asyncio.gather(*(_opting(kube, namespace) for namespace in own)), strict=True))
    places = tuple(name for name, known in found.items() if known.found is None or known.control)
    unsure = frozenset(name for name, known in found.items() if known.found is None)
    if listed.status != 403:
        return Places(places, unsure=unsure, looked_at=f"{ONLY_OWN}, for none could be listed: {listed.message}")
    return Places(places, unsure=unsure, looked_at=f"{ONLY_OWN}, for you may not list others. {TO_FIND}")


async def _opting(kube: Kube, namespace: str) -> Opting:
    answer = await kube.get(NAMESPACES.one(namespace))
    if answer.status == 404:
        return Opting(found=False)
    if not answer.ok:
        return Opting(found=None)
    labels = (answer.body.get("metadata") or {}).get("labels") or {}
    return Opting(True, str(labels.get(OPT_IN_LABEL, "")), labels.get(CONTROL_LABEL) == "true")


async def _may_speak(kube: Kube, namespace: str) -> bool:
    attributes = {"namespace": namespace, "verb": "create", "group": GROUP, "resource": "playeractions"}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = await kube.call("POST", OWN_RIGHT.all, review)
    return answer.ok and bool((answer.body.get("status") or {}).get("allowed"))
