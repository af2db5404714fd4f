"""The exporter: the queue's figures for Prometheus, read from Redis at each scrape and all of one instant."""

from __future__ import annotations

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

import redis

from staging.backlog import JOBS, Backlog, Counts

NAMESPACE: Final = os.environ.get("NAMESPACE", "local")


def exposition(counts: Counts, namespace: str) -> str:
    """Write the figures in Prometheus' text format."""
    here = f'namespace="{namespace}"'
    queue = f'{here},queue="{JOBS}"'
    families = [
        ("queue_depth", "gauge", "Jobs that wait.", {queue: counts.queued}),
        ("jobs_in_flight", "gauge", "Jobs in the hands of workers.", {queue: counts.in_flight}),
        ("jobs_produced_total", "counter", "Jobs that came in.", {here: counts.produced}),
        ("jobs_processed_total", "counter", "Jobs that are done.", {here: counts.processed}),
        (
            "workers_alive",
            "gauge",
            "Workers with a heartbeat in the last 10 s.",
            {here: counts.workers_alive},
        ),
        ("workers_busy", "gauge", "Workers with a job in hand.", {here: counts.workers_busy}),
        (
            "worker_starts_total",
            "counter",
            "Container starts of each worker, counted outside the container.",
            {f'{here},pod="{pod}"': starts for pod, starts in counts.starts.items()},
        ),
    ]
    lines: list[str] = []
    for name, kind, meaning, samples in families:
        lines += [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]
        lines += [f"{name}{{{labels}}} {figure}" for labels, figure in samples.items()]
    return "\n".join(lines) + "\n"


class Scrape(BaseHTTPRequestHandler):
    """One scrape; without an answer from Redis it fails, so that no figure is ever a stale or made-up one."""

    protocol_version = "HTTP/1.1"
    backlog: Backlog

    def do_GET(self) -> None:
        """Answer with the figures of now."""
        try:
            status, body = 200, exposition(self.backlog.count(), NAMESPACE).encode()
        except redis.RedisError as trouble:
            status, body = 503, f"queue: {trouble}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep scrapes out of the log."""


def main() -> None:
    """Serve for ever."""
    Scrape.backlog = Backlog()
    ThreadingHTTPServer(("", 9100), Scrape).serve_forever()


if __name__ == "__main__":
    main()
