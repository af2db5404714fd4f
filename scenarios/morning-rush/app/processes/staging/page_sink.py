"""The page sink: stands for the pager and the ticket tool; keeps what Alertmanager sent, and when it came."""

from __future__ import annotations

import json
from collections import deque
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

KEPT: Final = 1000
INBOXES: Final[dict[str, deque[dict[str, Any]]]] = {"page": deque(maxlen=KEPT), "ticket": deque(maxlen=KEPT)}


class Inbox(BaseHTTPRequestHandler):
    """``POST /page`` or ``/ticket`` keeps one; ``GET /pages`` or ``/tickets`` gives all, oldest first."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Keep one notification."""
        received = datetime.now(UTC).isoformat(timespec="microseconds")  # noqa: TID251  # no part of the operator
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        inbox = INBOXES.get(self.path.strip("/"))
        if inbox is None:
            self._answer(404, {"error": "POST /page or /ticket"})
            return
        try:
            inbox.append({"receivedAt": received, "body": json.loads(body)})
        except ValueError:
            self._answer(400, {"error": "not JSON"})
            return
        self._answer(200, {})

    def do_GET(self) -> None:
        """Give all that was kept."""
        inbox = INBOXES.get(self.path.strip("/").removesuffix("s"))
        if inbox is None:
            self._answer(404, {"error": "GET /pages or /tickets"})
        else:
            self._answer(200, list(inbox))

    def log_message(self, *_: object) -> None:
        """Keep requests out of the log."""

    def _answer(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve for ever."""
    ThreadingHTTPServer(("", 8080), Inbox).serve_forever()


if __name__ == "__main__":
    main()
