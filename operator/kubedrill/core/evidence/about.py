"""What an alert or a metric is about: a namespace, named by a label that is not called `namespace` everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class About:
    """A namespace, and the label that names it in this environment's metrics and alerts."""

    namespace: str
    label: str = "namespace"

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether something with these labels is about the namespace, or about none: then nobody says otherwise."""
        return (labels.get(self.label) or self.namespace) == self.namespace
