"""The witness: the API server's own word on who asks for which write, before it is stored.

It is an admission webhook that allows everything. Of a write it tells the user and exactly what would change; that it
*was* changed only the object confirms (`core/evidence/witnessed`). Of exec, attach and port-forward it tells that they
were asked for. It sees the namespaces that have opted in, and neither dry runs nor the cluster's own machinery nor us:
the webhook's configuration leaves them out, and what comes all the same is passed over here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.core.evidence.witnessed import Attempt
from kubedrill.core.plan.drill_plan import KUBERNETES
from kubedrill.kube.answers import NoAnswer, object_of
from kubedrill.plugins.channels.base import AdmissionHook, Admitted, ChannelKind
from kubedrill.plugins.fields import change_of_pod, change_of_workload, differences

WORKLOADS: Final = {"deployments": "Deployment", "statefulsets": "StatefulSet"}
"""Whose writes are told, by plural."""
LOOKED_INTO: Final = {"exec": "exec into", "attach": "attach to", "portforward": "forward a port of"}
"""What a CONNECT to a pod's subresource asks for, in words."""
MOST_VALUES: Final = 40
LONGEST_NAME: Final = 253


def read(review: Any, at: Interval) -> Admitted:
    """What an `AdmissionReview` tells: the namespace, and the facts about it; no facts of what changes nothing.

    Raises:
        NoAnswer: it is no AdmissionReview (`admission.k8s.io/v1`).
    """
    request = object_of(object_of(review, "the review").get("request"), "the review's request")
    uid = str(request.get("uid", ""))[:LONGEST_NAME]
    if not uid:
        raise NoAnswer("the review's request has no uid")
    namespace = str(request.get("namespace", ""))[:LONGEST_NAME]
    facts = () if request.get("dryRun") or not namespace else tuple(_told(request, at))
    return Admitted(uid, namespace, facts)


def _told(request: Mapping[str, Any], at: Interval) -> Iterator[Fact]:
    resource = object_of(request.get("resource"), "the request's resource")
    plural, below = str(resource.get("resource", "")), str(request.get("subResource") or "")
    match str(request.get("operation", "")):
        case "UPDATE" if plural in WORKLOADS and below == "":
            yield from _update(request, at, WORKLOADS[plural])
        case "UPDATE" if plural in WORKLOADS and below == "scale":
            yield from _scale(request, at, WORKLOADS[plural])
        case "UPDATE" if plural == "pods" and below in ("", "resize"):
            yield from _pod_edit(request, at)
        case "DELETE" if plural == "pods" and below == "":
            yield from _deletion(request, at)
        case "CREATE" if plural == "pods" and below == "eviction":
            yield _attempt(request, at, Attempt.DELETE, pod=_name(request), uid="")
        case "CONNECT" if plural == "pods" and below in LOOKED_INTO:
            yield _look(request, at, LOOKED_INTO[below], below)


def _update(request: Mapping[str, Any], at: Interval, kind: str) -> Iterator[Fact]:
    before, after = _objects(request)
    values = _values(before, after)
    if values:
        metadata = object_of(after.get("metadata"), "the object's metadata")
        target, change = f"{kind}/{metadata['name']}", change_of_workload(kind, metadata)
        yield _attempt(request, at, Attempt.UPDATE, target=target, change=change, values=values)


def _scale(request: Mapping[str, Any], at: Interval, kind: str) -> Iterator[Fact]:
    before, after = _objects(request)
    values = _values(before, after)
    if values:
        yield _attempt(request, at, Attempt.SCALE, target=f"{kind}/{_name(request)}", values=values)


def _pod_edit(request: Mapping[str, Any], at: Interval) -> Iterator[Fact]:
    before, after = _objects(request)
    values = _values(before, after)
    if values:
        metadata = object_of(after.get("metadata"), "the object's metadata")
        told = {"pod": str(metadata["name"]), "uid": str(metadata["uid"])}
        yield _attempt(request, at, Attempt.UPDATE, change=change_of_pod(metadata), values=values, **told)


def _deletion(request: Mapping[str, Any], at: Interval) -> Iterator[Fact]:
    metadata = object_of(object_of(request.get("oldObject"), "the old object").get("metadata"), "its metadata")
    yield _attempt(request, at, Attempt.DELETE, pod=str(metadata["name"]), uid=str(metadata["uid"]))


def _look(request: Mapping[str, Any], at: Interval, words: str, what: str) -> Fact:
    user, pod = _user(request), _name(request)
    return Fact(
        FactKind.EVIDENCE_READ,
        at,
        Source.WITNESS,
        f"witness/{request['uid']}",
        evidence=f"witness: {user} asked to {words} pod {pod}",
        detail={"user": user, "pod": pod, "what": what},
    )


def _attempt(request: Mapping[str, Any], at: Interval, verb: Attempt, **told: Any) -> Fact:
    user = _user(request)
    about = told.get("target") or f"Pod/{told['pod']}"
    shown = "; ".join(f"{field} → {value}" for field, value in told.get("values", ()))[:300]
    return Fact(
        FactKind.ATTEMPTED,
        at,
        Source.WITNESS,
        f"witness/{request['uid']}",
        evidence=f"witness: {user} asked to {verb} {about}" + (f": {shown}" if shown else ""),
        detail={"verb": verb.value, "user": user, "target": "", "pod": "", "values": [], "change": "", **told},
    )


def _objects(request: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    return object_of(request.get("oldObject"), "the old object"), object_of(request.get("object"), "the object")


def _values(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[list[Any]]:
    """What would change below `spec`, as the watch would see it: [field, value]."""
    found = differences(before.get("spec"), after.get("spec"), "/spec", "spec")
    return [[one.field, one.after] for one in found][:MOST_VALUES]


def _name(request: Mapping[str, Any]) -> str:
    return str(request.get("name", ""))[:LONGEST_NAME]


def _user(request: Mapping[str, Any]) -> str:
    return str(object_of(request.get("userInfo"), "the user").get("username", ""))[:LONGEST_NAME]


CHANNEL: Final = ChannelKind(
    name="witness",
    summary="The API server's admission webhook, which tells who asks for which write.",
    identity=KUBERNETES,
    admission=AdmissionHook(read),
)
