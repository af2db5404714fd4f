"""Settings of the watchdog, from its environment, read once at start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class WatchdogSettings:
    """Read once, never changed. `namespace` is the control namespace, `every` the time between two looks."""

    namespace: str = "drills"
    port: int = 8081
    every: timedelta = timedelta(seconds=2)
    clock_error: timedelta = timedelta(milliseconds=50)

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> WatchdogSettings:
        """Reads KUBEDRILL_NAMESPACE, _WATCHDOG_PORT, _WATCHDOG_EVERY_MS, _CLOCK_ERROR_MS; each may be missing.

        Raises:
            ValueError: a number is not one, or there is no time between two looks.
        """
        every = timedelta(milliseconds=int(env.get("KUBEDRILL_WATCHDOG_EVERY_MS", "2000")))
        if every <= timedelta(0):
            raise ValueError("KUBEDRILL_WATCHDOG_EVERY_MS must be above 0")
        return cls(
            namespace=env.get("KUBEDRILL_NAMESPACE", "drills"),
            port=int(env.get("KUBEDRILL_WATCHDOG_PORT", "8081")),
            every=every,
            clock_error=timedelta(milliseconds=int(env.get("KUBEDRILL_CLOCK_ERROR_MS", "50"))),
        )
