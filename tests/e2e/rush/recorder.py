"""Independent witnesses of a drill: the queue at 100 ms from Redis itself, and the pods from a watch of our own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kubedrill.core.evidence.facts import Sample, Series

STEP = timedelta(milliseconds=300)
"""A reading comes every 100 ms; on a busy machine one may be late by two, which is no gap in what is known."""
READ = (
    "local t=redis.call('TIME') local n=0 for _,k in ipairs(redis.call('KEYS','inflight:*')) do "
    "n=n+redis.call('LLEN',k) end return t[1]..'.'..string.format('%06d',t[2])..' '..redis.call('LLEN','jobs')..' '..n"
)


@dataclass(frozen=True)
class Witness:
    """What was written down, in files: lines of Redis, and pods as JSON, one after the other."""

    queue_file: Path
    pods_file: Path
    kept: dict[str, Any] = field(default_factory=dict)

    def queue(self) -> Series:
        """Jobs that wait."""
        return Series("queue", tuple(Sample(at, float(waiting)) for at, waiting, _ in self._lines()), STEP)

    def impact(self) -> Series:
        """Jobs that wait or are in a worker's hands."""
        return Series("impact", tuple(Sample(at, float(w + n)) for at, w, n in self._lines()), STEP)

    def pods(self) -> Iterator[dict[str, Any]]:
        """Every state of every pod, in the order in which the watch told it."""
        text, decoder, at = self.pods_file.read_text(encoding="utf-8"), json.JSONDecoder(), 0
        while at < len(text):
            while at < len(text) and text[at].isspace():
                at += 1
            if at >= len(text):
                return
            try:
                pod, at = decoder.raw_decode(text, at)
            except ValueError:
                return  # the watch was ended in the middle of the last one
            yield pod

    def killed(self) -> dict[str, int]:
        """Exit codes of the workers that the kernel killed for memory, by pod."""
        found = {}
        for pod in self.pods():
            for status in (pod.get("status") or {}).get("containerStatuses", ()):
                for state in (status.get("state") or {}, status.get("lastState") or {}):
                    ended = state.get("terminated") or {}
                    if ended.get("reason") == "OOMKilled":
                        found[pod["metadata"]["name"]] = ended["exitCode"]
        return found

    def _lines(self) -> Iterator[tuple[datetime, int, int]]:
        for line in self.queue_file.read_text(encoding="utf-8").splitlines():
            parts = line.split()
            if len(parts) == 3:
                yield datetime.fromtimestamp(float(parts[0]), UTC), int(parts[1]), int(parts[2])


@contextmanager
def witnessing(namespace: str, folder: Path) -> Iterator[Witness]:
    """Records for as long as the block runs."""
    folder.mkdir(parents=True, exist_ok=True)
    witness = Witness(folder / "queue.txt", folder / "pods.json")
    commands = {
        witness.queue_file: ["exec", "deploy/redis", "--", "redis-cli", "-r", "-1", "-i", "0.1", "EVAL", READ, "0"],
        witness.pods_file: ["get", "pods", "-l", "app=ai-agents-worker", "--watch", "-o", "json"],
    }
    running = []
    for file, arguments in commands.items():
        with file.open("w", encoding="utf-8") as out:
            running.append(subprocess.Popen(["kubectl", "-n", namespace, *arguments], stdout=out))
    try:
        yield witness
    finally:
        for process in running:
            process.terminate()
            process.wait(10)
