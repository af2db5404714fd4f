"""Where things are at the API server: a constant for each kind that is asked for, and paths made of names alone.

Whoever needs a path asks a constant for it. A name that could lead elsewhere raises `BadName`; one that is left out
does, too, for the path of an object without its name is that of all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kubedrill.api.base import API_VERSION
from kubedrill.core.paths import ApiPath, BadName, joined, object_path, root, segment
from kubedrill.core.undo.operations import Target


@dataclass(frozen=True, slots=True)
class Namespaced:
    """A kind of objects that live in namespaces, by its version (`v1`, `apps/v1`) and plural."""

    group_version: str
    plural: str

    @property
    def everywhere(self) -> ApiPath:
        """Those of all namespaces."""
        return joined(*root(self.group_version), self.plural)

    def of(self, namespace: str) -> ApiPath:
        """Those of a namespace."""
        return joined(*root(self.group_version), "namespaces", namespace, self.plural)

    def one(self, namespace: str, name: str) -> ApiPath:
        """One of them."""
        return object_path(self.group_version, namespace, self.plural, name)

    def part(self, namespace: str, name: str, *below: str) -> ApiPath:
        """What is below one of them: `status`, `log`."""
        return joined(*root(self.group_version), "namespaces", namespace, self.plural, name, *below)


def collection_of(target: Target) -> Namespaced:
    """The kind of objects that a target is one of."""
    return Namespaced(f"{target.group}/{target.version}" if target.group else target.version, target.plural)


@dataclass(frozen=True, slots=True)
class ClusterWide:
    """A kind of objects that live in no namespace."""

    group_version: str
    plural: str

    @property
    def all(self) -> ApiPath:
        """All of them; where one is made or asked for, too."""
        return joined(*root(self.group_version), self.plural)

    def one(self, name: str) -> ApiPath:
        """One of them."""
        return joined(*root(self.group_version), self.plural, name)


_RBAC: Final = "rbac.authorization.k8s.io/v1"
_ADMISSION: Final = "admissionregistration.k8s.io/v1"
_PROMETHEUS_OPERATOR: Final = "monitoring.coreos.com"

CONFIG_MAPS: Final = Namespaced("v1", "configmaps")
PODS: Final = Namespaced("v1", "pods")
RESOURCE_QUOTAS: Final = Namespaced("v1", "resourcequotas")
SECRETS: Final = Namespaced("v1", "secrets")
SERVICES: Final = Namespaced("v1", "services")
SERVICE_ACCOUNTS: Final = Namespaced("v1", "serviceaccounts")
DEPLOYMENTS: Final = Namespaced("apps/v1", "deployments")
STATEFUL_SETS: Final = Namespaced("apps/v1", "statefulsets")
REPLICA_SETS: Final = Namespaced("apps/v1", "replicasets")
CONTROLLER_REVISIONS: Final = Namespaced("apps/v1", "controllerrevisions")
AUTOSCALERS: Final = Namespaced("autoscaling/v2", "horizontalpodautoscalers")
JOBS: Final = Namespaced("batch/v1", "jobs")
LEASES: Final = Namespaced("coordination.k8s.io/v1", "leases")
EVENTS: Final = Namespaced("events.k8s.io/v1", "events")
CORE_EVENTS: Final = Namespaced("v1", "events")
"""The same Events in their older form, under the right that the opt-in gives to read them."""
ROLES: Final = Namespaced(_RBAC, "roles")
ROLE_BINDINGS: Final = Namespaced(_RBAC, "rolebindings")
DRILLS: Final = Namespaced(API_VERSION, "drills")
SCENARIOS: Final = Namespaced(API_VERSION, "drillscenarios")
ENVIRONMENTS: Final = Namespaced(API_VERSION, "drillenvironments")
ROSTERS: Final = Namespaced(API_VERSION, "drillrosters")
PLAYER_ACTIONS: Final = Namespaced(API_VERSION, "playeractions")
REPORTS: Final = Namespaced(API_VERSION, "drillreports")
SERVICE_MONITORS: Final = Namespaced(f"{_PROMETHEUS_OPERATOR}/v1", "servicemonitors")
PROMETHEUS_RULES: Final = Namespaced(f"{_PROMETHEUS_OPERATOR}/v1", "prometheusrules")
ALERTMANAGER_CONFIGS: Final = Namespaced(f"{_PROMETHEUS_OPERATOR}/v1alpha1", "alertmanagerconfigs")

NAMESPACES: Final = ClusterWide("v1", "namespaces")
CLUSTER_ROLES: Final = ClusterWide(_RBAC, "clusterroles")
CLUSTER_ROLE_BINDINGS: Final = ClusterWide(_RBAC, "clusterrolebindings")
POLICIES: Final = ClusterWide(_ADMISSION, "validatingadmissionpolicies")
POLICY_BINDINGS: Final = ClusterWide(_ADMISSION, "validatingadmissionpolicybindings")
WEBHOOKS: Final = ClusterWide(_ADMISSION, "validatingwebhookconfigurations")
PRIORITY_CLASSES: Final = ClusterWide("scheduling.k8s.io/v1", "priorityclasses")
DEFINITIONS: Final = ClusterWide("apiextensions.k8s.io/v1", "customresourcedefinitions")
WHO_AM_I: Final = ClusterWide("authentication.k8s.io/v1", "selfsubjectreviews")
OWN_RIGHTS: Final = ClusterWide("authorization.k8s.io/v1", "selfsubjectrulesreviews")
OWN_RIGHT: Final = ClusterWide("authorization.k8s.io/v1", "selfsubjectaccessreviews")
RIGHTS: Final = ClusterWide("authorization.k8s.io/v1", "subjectaccessreviews")

ALL_GROUPS: Final = joined("apis")
OWN_GROUP: Final = joined(*root(API_VERSION))
SERVER_VERSION: Final = joined("version")


def through_service(namespace: str, service: str, port: int, path: str) -> ApiPath:
    """A path of what a Service answers with, reached through the API server.

    Raises:
        BadName: a name is none; a `:` in the Service's would be read as the scheme or the port.
    """
    if ":" in segment(service):
        raise BadName(f"{service!r} can't be a Service's name: it holds ':'")
    return SERVICES.part(namespace, f"{service}:{port}", "proxy", *path.strip("/").split("/"))
