"""What an alert or a metric is about: a namespace, named by a label that is not called `namespace` everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class About:
    """A namespace, and the label that names it in this environment's metrics and alerts.

    `cluster` is what the label `cluster_label` says of this cluster where one monitoring watches several; empty where
    nobody has said it: then what is about any cluster counts.
    """

    namespace: str
    label: str = "namespace"
    cluster: str = ""
    cluster_label: str = "cluster"

    @property
    def wanted(self) -> Mapping[str, str]:
        """The labels that something about the namespace has, if it has them at all."""
        return {self.label: self.namespace} | ({self.cluster_label: self.cluster} if self.cluster else {})

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether something with these labels is about the namespace, or about none: then nobody says otherwise."""
        return all((labels.get(name) or value) == value for name, value in self.wanted.items())
