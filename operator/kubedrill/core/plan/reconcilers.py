"""Who else keeps a target as they want it: read from the target itself, before anything is touched.

A controller that puts its fields back takes a fault out within seconds, when people were called already. It shows in
what it leaves on the object: an owner that is a custom resource, the marks of the usual GitOps tools, and the name
under which it holds the very fields that a fault changes. Whether it would is its own setting, so it *may*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from kubedrill.core.evidence.attribution import Standing, is_controller, who_is
from kubedrill.core.evidence.timestamps import instant
from kubedrill.core.plan.drill_plan import FIELD_MANAGER
from kubedrill.core.undo.operations import Operation, SetFields, Target
from kubedrill.core.undo.ownership import holders_of
from kubedrill.core.undo.record import is_of_a_drill

Objects = Mapping[Target, Mapping[str, Any]]
BUILT_IN: Final = frozenset({"", "apps", "batch", "autoscaling", "policy"})
"""Groups of Kubernetes itself: an owner among them may be a mere anchor for garbage collection."""
MANAGED_BY: Final = "app.kubernetes.io/managed-by"
RELEASE: Final = "meta.helm.sh/release-name"


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Somebody who keeps a target as they want it; `known_by` says what tells so."""

    target: str
    who: str
    known_by: str

    def __str__(self) -> str:
        return f"{self.target} is kept as it is by {self.who} ({self.known_by})"


@dataclass(frozen=True, slots=True)
class Keepers:
    """What is known of those who may take the faults of a drill out.

    `just_written` says of each field that a fault changes and that somebody has written within the look-back who did,
    and when. `releases` are Helm's: nobody puts them back, but the next upgrade.
    """

    reconcilers: tuple[Reconciler, ...] = ()
    just_written: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """A label or annotation by which a tool knows what it keeps.

    `who` says whose it is, of its value. `unless` (key, value) is how one object is taken out of its care.
    """

    key: str
    who: Callable[[str], str]
    unless: tuple[str, str] = ("", "")


MARKS: Final = (
    Mark("argocd.argoproj.io/tracking-id", lambda value: f"Argo CD application {value.partition(':')[0]}"),
    Mark("argocd.argoproj.io/instance", lambda value: f"Argo CD application {value}"),
    Mark(
        "kustomize.toolkit.fluxcd.io/name",
        lambda value: f"Flux Kustomization {value}",
        ("kustomize.toolkit.fluxcd.io/reconcile", "disabled"),
    ),
    Mark(
        "helm.toolkit.fluxcd.io/name",
        lambda value: f"Flux HelmRelease {value}",
        ("helm.toolkit.fluxcd.io/driftDetection", "disabled"),
    ),
    Mark("configsync.gke.io/declared-version", lambda _: "Config Sync"),
    Mark("objectset.rio.cattle.io/id", lambda value: f"Rancher {value}".rstrip()),
    Mark("olm.owner", lambda value: f"the Operator Lifecycle Manager for {value}"),
    Mark(
        "addonmanager.kubernetes.io/mode",
        lambda _: "the add-on manager",
        ("addonmanager.kubernetes.io/mode", "EnsureExists"),
    ),
)


def keepers_of(operations: Iterable[Operation], objects: Objects, since: datetime) -> Keepers:
    """Who keeps what these operations change, by the objects as they were read. The look-back begins at `since`."""
    changed = [(o, objects[o.target]) for o in operations if isinstance(o, SetFields) and o.target in objects]
    return Keepers(
        tuple(dict.fromkeys(one for operation, item in changed for one in _reconcilers(operation, item))),
        tuple(dict.fromkeys(one for operation, item in changed for one in _just_written(operation, item, since))),
        tuple(dict.fromkeys(one for operation, item in changed for one in _releases(operation, item))),
    )


def _reconcilers(operation: SetFields, item: Mapping[str, Any]) -> Iterator[Reconciler]:
    target, meta = str(operation.target), item.get("metadata") or {}
    for owner in meta.get("ownerReferences") or ():
        group = str(owner.get("apiVersion", "")).rpartition("/")[0]
        if owner.get("controller") or not (group in BUILT_IN or group.endswith(".k8s.io")):
            whose = f"{owner.get('kind')}/{owner.get('name')}" + (f" of {group}" if group else "")
            yield Reconciler(target, f"the controller of {whose}", "ownerReferences")
    marks = {**(meta.get("labels") or {}), **(meta.get("annotations") or {})}
    for mark in MARKS:
        if mark.key in marks and marks.get(mark.unless[0]) != mark.unless[1]:
            yield Reconciler(target, mark.who(str(marks[mark.key])), mark.key)
    manager = str(marks.get(MANAGED_BY, ""))
    if is_controller("", manager):
        yield Reconciler(target, manager, MANAGED_BY)
    for entry, path in _holders(operation, item):
        if is_controller("", str(entry.get("manager", ""))):
            yield Reconciler(target, str(entry["manager"]), f"it holds {path}")


def _just_written(operation: SetFields, item: Mapping[str, Any], since: datetime) -> Iterator[str]:
    """What was made within the look-back was not changed in it."""
    made = str((item.get("metadata") or {}).get("creationTimestamp", ""))
    for entry, path in _holders(operation, item):
        stamp = str(entry.get("time", ""))
        if stamp and stamp != made and instant(stamp) >= since:
            yield f"{entry.get('manager')} wrote {path} of {operation.target} at {stamp}"


def _releases(operation: SetFields, item: Mapping[str, Any]) -> Iterator[str]:
    meta = item.get("metadata") or {}
    release = (meta.get("annotations") or {}).get(RELEASE)
    if release or (meta.get("labels") or {}).get(MANAGED_BY) == "Helm":
        yield f"{operation.target} is of Helm release {release or '(unnamed)'}: helm upgrade would take the fault out"


def _holders(operation: SetFields, item: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Who holds the fields that are to be changed, other than the cluster's own machinery and drills."""
    entries = (item.get("metadata") or {}).get("managedFields") or ()
    for change in operation.changes:
        for entry in holders_of(entries, item, change.path):
            name = str(entry.get("manager", ""))
            machinery = who_is(FIELD_MANAGER, name, ()).standing is Standing.AUTOMATION
            if entry.get("subresource") != "status" and not machinery and not is_of_a_drill(name):
                yield entry, change.path
