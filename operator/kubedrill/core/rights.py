"""What the operator must be allowed at the API server: declared by whoever needs it, in its own file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Right:
    """What the operator must be allowed in the target namespace."""

    group: str
    resource: str
    verb: str

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}"
