"""The clock of the machine on which the command runs. Times that count are the API server's, not these."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The time here, aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251  the command line's own clock
