"""A real Redis for operations outside the API server."""

from __future__ import annotations

from tests.reverters.conftest import queue, redis_port

__all__ = ["queue", "redis_port"]
