"""DrillEnvironment: what the platform team sets up once for the drills on some namespaces."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from kubedrill.api.base import (
    ApiModel,
    HeaderValue,
    LabelName,
    Line,
    Name,
    ObjectName,
    PathPrefix,
    TenantHeaderName,
    Term,
    Url,
    rules,
)
from kubedrill.api.faults import ServiceRef
from kubedrill.api.scenario import ObjectMeta


class TlsAccess(ApiModel):
    """TLS. The server's certificate is verified by the CA in its Secret (`ca.crt`), else by the public ones."""

    server_name: ObjectName | None = Field(
        None, description="The name in its certificate, where that is not the host's."
    )


class TenantHeader(ApiModel):
    """Whose data is asked for, where one monitoring serves several tenants."""

    header: TenantHeaderName = Field(
        "X-Scope-OrgID",
        description="The header that names the tenant: X-Scope-OrgID for Mimir and Cortex, THANOS-TENANT for Thanos.",
    )
    name: HeaderValue = Field(description="The tenant. It is no secret: what must be secret is in credentials.")


class ServerAccess(ApiModel):
    """How a server is asked, where it does not let everybody in."""

    path_prefix: PathPrefix | None = Field(
        None, description="The path before the API's own, as in /prometheus (--web.route-prefix, an ingress)."
    )
    tls: TlsAccess | None = Field(None, description="TLS; plain HTTP when left out. `{}` is enough.")
    credentials: ObjectName | None = Field(
        None,
        description="Name of a Secret beside this object, of type kubedrill.dev/monitoring-access: host (the one it is"
        " for), and of ca.crt, tls.crt and tls.key, token, username and password what the server asks for.",
    )
    tenant: TenantHeader | None = Field(None, description="Whose data is asked for.")


class MonitoringServer(ServerAccess):
    """Where Prometheus or Alertmanager answers: a Service of the cluster, or a URL."""

    model_config = ApiModel.model_config | ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": rules(
                ("has(self.service) != has(self.url)", "say exactly one of service and url"),
                ("!has(self.url) || !has(self.pathPrefix)", "the path stands in the url: leave pathPrefix out"),
                (
                    "!has(self.url) || self.url.startsWith('https:') || (!has(self.tls) && !has(self.credentials))",
                    "tls and credentials take a url that begins with https://",
                ),
            )
        }
    )
    service: ServiceRef | None = Field(None, description="Its Service.")
    url: Url | None = Field(
        None,
        description="Where it is outside of the cluster, with the path before the API's own, as in"
        " https://mimir.example.com/prometheus.",
    )


class AnotherAlertmanager(ServiceRef, ServerAccess):
    """The Service of one more Alertmanager, and how it is asked."""


class AlertmanagerServer(MonitoringServer):
    """Where Alertmanager answers, and which of its receivers reach people."""

    others: list[AnotherAlertmanager] = Field(
        default_factory=list,
        max_length=4,
        description="The Services of further Alertmanagers of the same cluster, one each, which are asked too: one may"
        " know what another does not. A Service in front of several answers as any one of them.",
    )
    receivers_for_people: list[Line] = Field(
        default_factory=list,
        max_length=20,
        json_schema_extra={"x-kubernetes-list-type": "set"},
        description="Receivers of Alertmanager that reach people. What the operator is told over one of them is a page"
        " (Paged); what it is told over another is Notified alone. Where the page came late, times count from it.",
    )


class MetricLabels(ApiModel):
    """What the labels of metrics and alerts are called here."""

    namespace: LabelName = Field(
        "namespace",
        description="The label that names the namespace which a metric or an alert is about: exported_namespace where"
        " exporters are scraped without honorLabels, kubernetes_namespace in older set-ups.",
    )
    cluster: LabelName = Field(
        "cluster", description="The label that names the cluster, where one monitoring watches several."
    )


class AllowedService(ApiModel):
    """A Service outside the target namespaces."""

    namespace: Name = Field(description="Its namespace.")
    name: Name = Field(description="Its name.")

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class DrillEnvironmentSpec(ApiModel):
    """What is the same for every drill on some namespaces."""

    target_namespaces: Annotated[list[Name], Field(min_length=1, max_length=100)] = Field(
        json_schema_extra={"x-kubernetes-list-type": "set"},
        description="The namespaces that it is for. One that two environments list can't be drilled on.",
    )
    prometheus: MonitoringServer | None = Field(
        None, description="Where Prometheus answers; prometheus:9090 in the drill's target namespace when left out."
    )
    alertmanager: AlertmanagerServer | None = Field(
        None, description="Where Alertmanager answers; alertmanager:9093 in the drill's target namespace when left out."
    )
    labels: MetricLabels = Field(
        default_factory=MetricLabels, description="What the labels of metrics and alerts are called."
    )
    cluster: Term | None = Field(
        None,
        description="What the label for the cluster says of this one. When given, alerts and metrics of other clusters"
        " do not count.",
    )
    allowed_services: list[AllowedService] = Field(
        default_factory=list,
        max_length=50,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["namespace", "name"]},
        description="Services elsewhere that a drill may reach: a queue, or another monitoring than the one above. The"
        " target namespace's own, and the monitoring above, are always allowed.",
    )


class DrillEnvironment(ApiModel):
    """What a team sets up once: which monitoring watches its namespaces, and what its drills may reach."""

    api_version: str = "kubedrill.dev/v1alpha1"
    kind: str = "DrillEnvironment"
    metadata: ObjectMeta
    spec: DrillEnvironmentSpec = Field(description="What is set up.")
