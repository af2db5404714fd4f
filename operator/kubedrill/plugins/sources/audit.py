"""The API server's audit log: who read what before deciding, and who changed what, to the microsecond.

It is the only source that names the person behind `kubectl scale`, and the only one for reads. A batch of
lines is read at once, because `kubectl describe pod` shows as two requests: the pod, then its events.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from kubedrill.core.evidence.attribution import Standing, who_is
from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.core.evidence.timestamps import NO_ERROR, instant
from kubedrill.core.plan.drill_plan import KUBERNETES
from kubedrill.plugins.fields import differences
from kubedrill.plugins.sources.base import How, ImportScope, SourceKind

KINDS: Mapping[str, str] = {
    "deployments": "Deployment",
    "statefulsets": "StatefulSet",
    "resourcequotas": "ResourceQuota",
}
"""Whose writes are changes, by plural."""
RESIZE: Final = "resize"
"""The subresource by which a pod's resources are changed in place."""
WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
DESCRIBE_WITHIN = timedelta(seconds=5)
MOST_FIELDS = 40


@dataclass(frozen=True, slots=True)
class Request:
    """One answered request of the log, reduced to what facts are made of."""

    id: str
    user: str
    verb: str
    resource: str
    subresource: str
    name: str
    query: Mapping[str, str]
    at: Interval
    body: Any = None


def facts_of(
    lines: Iterable[str],
    namespace: str,
    *,
    own_users: frozenset[str] = frozenset(),
    error: timedelta = NO_ERROR,
) -> tuple[Fact, ...]:
    """The facts in audit log lines (JSON, one event a line) about one namespace, in order of time.

    Lines that are no audit event are passed over: a log is cut anywhere. `own_users` are the drill's own
    identities. Facts name the user (`detail["user"]`); `matching.matched` finds the player.
    """
    requests = sorted(_requests(lines, namespace, own_users, error), key=lambda r: (r.at.not_before, r.id))
    return tuple(fact for request in requests for fact in _facts(request, requests))


def _requests(lines: Iterable[str], namespace: str, own_users: frozenset[str], error: timedelta) -> Iterator[Request]:
    seen: set[str] = set()
    for line in lines:
        request = _request(line, namespace, error)
        # A log that is followed shows twice; its start is when it was read.
        if request is None or request.id in seen:
            continue
        if who_is(KUBERNETES, request.user, (), own_users).standing is not Standing.OPERATOR:
            seen.add(request.id)
            yield request


def _request(line: str, namespace: str, error: timedelta) -> Request | None:
    try:
        event = json.loads(line)
        if event.get("stage") not in ("ResponseStarted", "ResponseComplete"):
            return None
        ref = event.get("objectRef") or {}
        if ref.get("namespace") != namespace or not 200 <= int(event["responseStatus"]["code"]) < 300:
            return None
        user = event.get("impersonatedUser") or event["user"]
        start, end = instant(event["requestReceivedTimestamp"]), instant(event["stageTimestamp"])
        return Request(
            id=str(event["auditID"]),
            user=str(user["username"]),
            verb=str(event["verb"]),
            resource=str(ref.get("resource", "")),
            subresource=str(ref.get("subresource", "")),
            name=str(ref.get("name", "")),
            query=_query(event["requestURI"]),
            at=Interval(start - error, max(start, end) + error),
            body=event.get("requestObject"),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _query(uri: str) -> Mapping[str, str]:
    return {key: values[-1] for key, values in parse_qs(urlsplit(uri).query).items()}


def _facts(request: Request, requests: list[Request]) -> Iterator[Fact]:
    if request.verb == "list" and request.resource == "pods" and not request.subresource:
        yield _read(FactKind.PODS_LISTED, request, "listed the pods")
    elif request.verb == "get" and request.resource == "pods" and request.subresource == "log":
        previous = request.query.get("previous") == "true"
        what = "previous log" if previous else "log"
        yield _read(
            FactKind.EVIDENCE_READ,
            request,
            f"read the {what} of pod {request.name}",
            pod=request.name,
            what="log",
            previous=previous,
        )
    elif request.verb == "list" and request.resource == "events":
        pod = _described_pod(request, requests)
        if pod:
            yield _read(FactKind.EVIDENCE_READ, request, f"described pod {pod}", pod=pod, what="describe")
    elif request.verb in WRITES and request.resource in KINDS and request.name:
        yield from _writes(request, f"{KINDS[request.resource]}/{request.name}")
    elif request.resource == "pods" and request.verb in WRITES and (how := _removes_pods(request)):
        pods = [request.name] if request.name else []
        yield _read(
            FactKind.PODS_DELETED,
            request,
            f"{how} {', '.join(pods) or 'pods by selector'}",
            pods=pods,
            change=f"audit/{request.id}",
            automation=_is_automation(request),
        )
    elif request.resource == "pods" and request.verb in ("patch", "update") and request.name:
        yield from _pod_edits(request)


def _removes_pods(request: Request) -> str:
    """How a write takes pods away; empty where it does not."""
    if request.verb in ("delete", "deletecollection") and not request.subresource:
        return "deleted"
    return "evicted" if request.verb == "create" and request.subresource == "eviction" else ""


def _described_pod(events: Request, requests: list[Request]) -> str:
    """The pod that a list of events belongs to, when its reader had just read that pod too."""
    selector = dict(part.split("=", 1) for part in events.query.get("fieldSelector", "").split(",") if "=" in part)
    pod = selector.get("involvedObject.name", "")
    read = any(
        r.user == events.user
        and r.resource == "pods"
        and not r.subresource
        and r.name in ("", pod)
        and r.verb in ("get", "list")
        and abs(r.at.not_before - events.at.not_before) <= DESCRIBE_WITHIN
        for r in requests
    )
    return pod if pod and read else ""


def _pod_edits(request: Request) -> Iterator[Fact]:
    """What is changed in a pod itself. Of a request that tells not what, only a resize is surely a change."""
    if request.subresource not in ("", RESIZE):
        return
    for fact in _writes(request, f"Pod/{request.name}"):
        if fact.detail["field"] or request.subresource == RESIZE:
            yield replace(fact, detail={**fact.detail, "pod": request.name})


def _writes(request: Request, target: str) -> Iterator[Fact]:
    automation = _is_automation(request)
    for pointer, name, after in _written(request):
        kind = FactKind.SCALED if name == "spec.replicas" else FactKind.TARGET_CHANGED
        yield Fact(
            kind,
            request.at,
            Source.AUDIT_LOG,
            f"audit/{request.id}/{name}",
            evidence=f"audit {request.id}: {request.user} {request.verb} {target} {name} → {after}",
            detail={
                "target": target,
                "path": pointer,
                "field": name,
                "before": None,
                "after": after,
                "user": request.user,
                "automation": automation,
                "change": f"audit/{request.id}",
            },
        )


def _written(request: Request) -> list[tuple[str, str, Any]]:
    """(pointer, field, value) of what a request writes below `spec`; one empty field when it tells not."""
    body = request.body
    if request.verb in ("patch", "update") and isinstance(body, list):
        return [
            (str(op["path"]), str(op["path"]).strip("/").replace("/", "."), op.get("value"))
            for op in body
            if isinstance(op, Mapping) and str(op.get("path", "")).startswith("/spec") and op.get("op") != "test"
        ]
    whole = isinstance(body, Mapping) and "kind" in body
    if request.verb == "patch" and not whole and isinstance(body, Mapping) and isinstance(body.get("spec"), Mapping):
        found = [
            (d.pointer, d.field, d.after)
            for d in differences(None, body["spec"], "/spec", "spec")
            if "$setElementOrder" not in d.field and not d.field.endswith("].name")
        ]
        return found[:MOST_FIELDS]
    if request.verb == "update" and request.subresource == "scale" and isinstance(body, Mapping):
        return [("/spec/replicas", "spec.replicas", (body.get("spec") or {}).get("replicas"))]
    # A whole object, or none: what of it was new only the watch can tell.
    return [("", "", None)] if request.subresource in ("", "scale", RESIZE) else []


def _is_automation(request: Request) -> bool:
    """Whether it is the cluster's own machinery: its controllers, the autoscaler among them."""
    return who_is(KUBERNETES, request.user, ()).standing is Standing.AUTOMATION


def _read(kind: FactKind, request: Request, told: str, **detail: Any) -> Fact:
    at: Interval = request.at
    return Fact(
        kind,
        at,
        Source.AUDIT_LOG,
        f"audit/{request.id}",
        evidence=f"audit {request.id}: {request.user} {told}",
        detail={"user": request.user, **detail},
    )


def _imports(lines: Iterable[str], scope: ImportScope) -> tuple[Fact, ...]:
    return facts_of(lines, scope.namespace, own_users=scope.own_users, error=scope.error)


SOURCE: Final = SourceKind(
    name="audit",
    how=How.IMPORT,
    facts=frozenset(
        {
            FactKind.PODS_LISTED,
            FactKind.EVIDENCE_READ,
            FactKind.PODS_DELETED,
            FactKind.TARGET_CHANGED,
            FactKind.SCALED,
        }
    ),
    bounds="from the request's receipt to its answer, by the API server's own clock, in microseconds",
    imports=_imports,
)
