"""The reaper: jobs of workers that are gone for good go back to the queue."""

from __future__ import annotations

import time

import redis

from staging.backlog import Backlog


def main() -> None:
    """Look once a second, for ever."""
    backlog = Backlog()
    while True:
        try:
            if returned := backlog.reap():
                print(f"put back {returned} job(s) of workers that are gone", flush=True)
        except redis.RedisError:
            backlog.wait()
        time.sleep(1)


if __name__ == "__main__":
    main()
