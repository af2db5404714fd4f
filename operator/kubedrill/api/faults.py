"""What a scenario may break: one optional field a fault kind, exactly one of them set."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from kubedrill.api.base import ApiModel, Duration, Line, Memory, Name, ObjectName, Term, Text, rules


class WorkloadTarget(ApiModel):
    """The workload that is hit, in the drill's target namespace."""

    kind: Literal["Deployment", "StatefulSet"] = Field(description="Kind of the workload.")
    name: ObjectName = Field(description="Its name, in the drill's target namespace.")

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


class MemoryLimit(ApiModel):
    """Lowers a container's memory limit so that the asked number of pods is really OOM-killed."""

    target: WorkloadTarget = Field(description="The workload whose container gets the lower limit.")
    container: Name | None = Field(
        None, description="Name of the container. Derived when left out: the only one, or the first."
    )
    limit: Memory | None = Field(
        None,
        description="The limit that the container gets, a quantity such as 64Mi. Derived when left out: half"
        " of the working set that is observed. The request is lowered with it where it must be.",
    )
    affected: int | None = Field(
        None,
        ge=1,
        le=1000,
        description="How many pods must be hit. Derived when left out: as many as the workload's own"
        " strategy replaces while the new ones fail. Where that strategy would not reach the number,"
        " maxUnavailable, maxSurge and minReadySeconds (StatefulSet: partition) are set by the same patch and"
        " put back with it.",
    )


class QueueKind(StrEnum):
    """How the queue is kept in Redis."""

    LIST = "List"
    STREAM = "Stream"


class ServiceRef(ApiModel):
    """A Service of the target namespace (or, where said so, of another one that the operator allows)."""

    name: Name = Field(description="Name of the Service.")
    port: int = Field(ge=1, le=65535, description="Port of the Service.")
    namespace: Name | None = Field(None, description="Its namespace; the drill's target namespace when left out.")


class QueueLoad(ApiModel):
    """Pushes fake jobs, each with a removable id, to a Redis list or stream at a rate."""

    redis: ServiceRef = Field(
        default_factory=lambda: ServiceRef(name="redis", port=6379),
        description="The Redis Service. Derived when left out: redis:6379 in the target namespace.",
    )
    kind: QueueKind = Field(QueueKind.LIST, description="List or Stream.")
    key: Line = Field(description="The list's or stream's key.")
    in_flight: list[Line] = Field(
        default_factory=list,
        max_length=8,
        description="Keys or key patterns (glob) in which the app keeps jobs that were taken, put off or are to"
        " be tried again: lists, streams, sorted sets, hashes or sets. The undo takes fake jobs out of them.",
    )
    rate_per_second: int = Field(ge=1, le=1000, description="Fake jobs pushed per second.")
    count: int = Field(ge=1, le=100_000, description="How many fake jobs are pushed at the most.")
    job: Annotated[dict[str, Line], Field(max_length=16)] = Field(
        default_factory=dict,
        description="Fields of each fake job beside its id; a job is a JSON object (stream: the entry's fields).",
    )
    redelivery: Duration = Field(
        "15s",
        description="How long the app may take to put a job back after a worker died. The undo is done when"
        " no fake job was seen for longer than this.",
    )


class AlertAnnounce(ApiModel):
    """Fires an alert at Alertmanager directly: a drill of people without a broken cluster."""

    alert: Term = Field(description="The alert's name (label alertname).")
    labels: Annotated[dict[str, Line], Field(max_length=16)] = Field(
        default_factory=dict, description="Further labels, for example severity: page."
    )
    summary: Line = Field("", description="Annotation `summary` of the alert.")


class Manual(ApiModel):
    """Asks the facilitator to do something, and to undo it; the drill waits for both words."""

    do: Text = Field(description="What the facilitator is asked to do.")
    undo: Text = Field(description="What the facilitator is asked to do to put it back.")


FAULT_KINDS: tuple[str, ...] = ("memoryLimit", "queueLoad", "alert", "manual")


class Fault(ApiModel):
    """One fault of a scenario: a name and exactly one kind."""

    model_config = ApiModel.model_config | ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                {
                    "rule": f"[{', '.join(f'has(self.{k})' for k in FAULT_KINDS)}].filter(x, x).size() == 1",
                    "messageExpression": "'exactly one fault kind must be set, seen:'"
                    + "".join(f" + (has(self.{k}) ? ' {k}' : '')" for k in FAULT_KINDS),
                }
            ]
        }
    )

    name: Name = Field(description="Name of the fault in this scenario.")
    memory_limit: MemoryLimit | None = Field(
        None, description="Lower a container's memory limit until pods are really OOM-killed."
    )
    queue_load: QueueLoad | None = Field(None, description="Push fake, removable jobs to a Redis queue.")
    alert: AlertAnnounce | None = Field(None, description="Fire an alert at Alertmanager directly.")
    manual: Manual | None = Field(None, description="Ask the facilitator to do it, and to undo it.")

    @property
    def kind(self) -> str:
        """The one kind that is set, as it is called in the API."""
        for kind in FAULT_KINDS:
            if self.params_of(kind) is not None:
                return kind
        raise ValueError(f"fault {self.name}: exactly one fault kind must be set, seen none")

    def params_of(self, kind: str) -> Any:
        """The parameters of a kind, or None when it is not this fault's."""
        return {
            "memoryLimit": self.memory_limit,
            "queueLoad": self.queue_load,
            "alert": self.alert,
            "manual": self.manual,
        }[kind]


FAULTS_LIST: dict[str, Any] = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
__all__ = [
    "FAULTS_LIST",
    "FAULT_KINDS",
    "AlertAnnounce",
    "Fault",
    "Manual",
    "MemoryLimit",
    "QueueKind",
    "QueueLoad",
    "ServiceRef",
    "WorkloadTarget",
    "rules",
]
