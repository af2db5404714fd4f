"""Settings of the operator, from its environment, read once at start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class OperatorSettings:
    """Read once, never changed.

    `namespace` is the control namespace. `webhook_secret` is the Secret there that holds the token with which webhooks
    are called; without one nobody may call them. `clock_error` is what is added to both ends of every time that
    this process took itself. `pause_at` is for tests alone: the operator waits for ever at that named point of
    the protocol, so that it can be killed there. `witness_folder` is where the Secret of the witness is mounted once
    there is one; without a folder nobody looks for it.
    """

    namespace: str = "drills"
    port: int = 8080
    webhook_secret: str = ""
    webhook_token: str = ""
    clock_error: timedelta = timedelta(milliseconds=50)
    pause_at: str = ""
    witness_folder: str = ""
    witness_port: int = 8443

    @property
    def witness_host(self) -> str:
        """The name by which the API server calls the witness: its Service's."""
        return f"kubedrill-witness.{self.namespace}.svc"

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> OperatorSettings:
        """Reads the variables KUBEDRILL_….

        NAMESPACE, HTTP_PORT, WEBHOOK_SECRET, CLOCK_ERROR_MS, PAUSE_AT, WITNESS_FOLDER, WITNESS_PORT; all optional.

        Raises:
            ValueError: a number is not one.
        """
        return cls(
            namespace=env.get("KUBEDRILL_NAMESPACE", "drills"),
            port=int(env.get("KUBEDRILL_HTTP_PORT", "8080")),
            webhook_secret=env.get("KUBEDRILL_WEBHOOK_SECRET", ""),
            clock_error=timedelta(milliseconds=int(env.get("KUBEDRILL_CLOCK_ERROR_MS", "50"))),
            pause_at=env.get("KUBEDRILL_PAUSE_AT", ""),
            witness_folder=env.get("KUBEDRILL_WITNESS_FOLDER", ""),
            witness_port=int(env.get("KUBEDRILL_WITNESS_PORT", "8443")),
        )
