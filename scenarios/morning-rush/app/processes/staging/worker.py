"""A worker: takes one job at a time, holds real memory for it, and is Ready while it does so.

It must be the container's first process: the kernel then ends the container when it kills the process for its
memory, which is what the drill's players are to find.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

import redis

from staging.backlog import Backlog

POD: Final = os.environ.get("POD_NAME", "local")
JOB_SECONDS: Final = float(os.environ.get("JOB_SECONDS", "2.25"))
JOB_MEBIBYTES: Final = int(os.environ.get("JOB_MEBIBYTES", "64"))


class Readiness(BaseHTTPRequestHandler):
    """Answers every GET: whoever reaches it reaches a worker that has found its queue."""

    def do_GET(self) -> None:
        """Say that the worker works."""
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep probes out of the log."""


def say(line: str) -> None:
    """Write a line at once: the last one before a kill is the one that matters."""
    print(line, flush=True)


def beat(backlog: Backlog) -> None:
    """Send a heartbeat every second, for ever."""
    while True:
        try:
            backlog.beat(POD)
        except redis.RedisError:
            backlog.wait()
        time.sleep(1)


def enrich(job: str) -> None:
    """Do what a job costs: its memory, every page of it really written, for its time.

    The time includes the writing: on a busy machine that takes longer, and five workers must keep up all the same.
    """
    done_at = time.monotonic() + JOB_SECONDS
    name = json.loads(job).get("id", "without id")
    say(f"job {name} allocating {JOB_MEBIBYTES} MiB")
    context = bytearray(JOB_MEBIBYTES << 20)
    for page in range(0, len(context), 4096):
        context[page] = 1
    time.sleep(max(0.0, done_at - time.monotonic()))


def work(backlog: Backlog, stopping: threading.Event) -> None:
    """Take jobs until asked to stop; the job in hand is finished first."""
    while not stopping.is_set():
        try:
            job = backlog.take(POD, patience_seconds=1)
            if job is not None:
                enrich(job)
                backlog.finish(POD, job)
        except redis.RedisError as trouble:
            say(f"queue: {trouble}")
            backlog.wait()
            backlog.put_back(POD)


def main() -> None:
    """Start, give back what an earlier life of this pod held, and work."""
    say("start")
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    backlog = Backlog()
    backlog.wait()
    backlog.note_start(POD)
    if returned := backlog.put_back(POD):
        say(f"put back {returned} unfinished job(s)")
    server = ThreadingHTTPServer(("", 8080), Readiness)
    for task in (server.serve_forever, lambda: beat(backlog)):
        threading.Thread(target=task, daemon=True).start()
    work(backlog, stopping)
    say("stop")


if __name__ == "__main__":
    main()
