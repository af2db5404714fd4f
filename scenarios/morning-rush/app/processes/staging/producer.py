"""The producer: tickets come in at a steady rate, the same ones in the same order each time."""

from __future__ import annotations

import os
import time
from typing import Final

import redis

from staging.backlog import Backlog

JOBS_PER_SECOND: Final = float(os.environ.get("JOBS_PER_SECOND", "2"))
BEGIN_WITH_WORKERS: Final = int(os.environ.get("BEGIN_WITH_WORKERS", "5"))


def wait_for_workers(backlog: Backlog) -> None:
    """Hold back the very first job until the workers stand: a new copy begins steady, without a backlog."""
    while (now := backlog.count()).produced == 0 and now.workers_alive < BEGIN_WITH_WORKERS:
        time.sleep(0.5)


def main() -> None:
    """Produce for ever; time lost with a queue that does not answer is not made up for by a burst."""
    backlog = Backlog()
    due = 0.0
    while True:
        try:
            if not due:
                backlog.wait()
                wait_for_workers(backlog)
                print("tickets are coming in", flush=True)
                due = time.monotonic()
            backlog.produce()
            due += 1 / JOBS_PER_SECOND
        except redis.RedisError as trouble:
            print(f"queue: {trouble}", flush=True)
            due = 0.0
        time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main()
