"""How a monitoring server is asked, beside where it is: what its environment says. Credentials are named, never held.

So it may stand in a stored plan and in an undo record: whoever asks, the operator or the watchdog, reads the Secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class MonitoringAccess:
    """The way in. As it stands: plain HTTP, no path before the API's own, nobody's credentials.

    `prefix` is the path before the API's own (`/prometheus`). `server_name` is the name that the certificate must have,
    the host's when empty. `credentials` is the name of a Secret and `kept_in` its namespace, the control namespace.
    `tenant_header` is the header that says `tenant`.
    """

    tls: bool = False
    prefix: str = ""
    server_name: str = ""
    credentials: str = ""
    kept_in: str = ""
    tenant_header: str = ""
    tenant: str = ""

    @property
    def secret(self) -> str:
        """The Secret as people read it; empty when there is none."""
        return f"{self.kept_in}/{self.credentials}" if self.credentials else ""


OPEN: Final = MonitoringAccess()
"""Of a server that lets everybody in."""
