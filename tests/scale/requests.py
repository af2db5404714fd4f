"""What the operator asked of the API server, as the API server's own audit log has it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

WRITES: Final = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@dataclass
class AuditTail:
    """The requests since it was last asked."""

    log: Path
    _at: int = 0

    def since(self) -> list[str]:
        """Verb and resource of each, `patch drills/status`; a watch once, when it began."""
        return [f"{event['verb']} {_resource(event)}" for event in self._events() if _counts(event)]

    def _events(self) -> Iterator[dict[str, Any]]:
        with self.log.open("rb") as file:
            file.seek(self._at)
            for line in file:
                if not line.endswith(b"\n"):
                    return  # the server is writing it now
                self._at += len(line)
                yield json.loads(line)


def writes(asked: list[str]) -> Counter[str]:
    """Those that write, and how often each was asked."""
    return Counter(one for one in asked if one.split()[0] in WRITES)


def _counts(event: dict[str, Any]) -> bool:
    return event["stage"] == ("ResponseStarted" if event["verb"] == "watch" else "ResponseComplete")


def _resource(event: dict[str, Any]) -> str:
    told = event.get("objectRef") or {}
    parts = [told.get("resource", event["requestURI"]), told.get("subresource", "")]
    return "/".join(part for part in parts if part)
