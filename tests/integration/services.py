"""A real Redis and a real Alertmanager on loopback ports of their own."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from redis import Redis
from redis.exceptions import AuthenticationError, RedisError
from tests.reverters.builders import free_port


def until(look: Callable[[], Any], within: float, what: str) -> Any:
    """The first true answer; none in time is a failure."""
    deadline = time.monotonic() + within
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not within {within} s: {what}"
        time.sleep(0.02)
    return seen


@contextmanager
def running(name: str, *arguments: str, answers: Callable[[], Any]) -> Iterator[subprocess.Popen[bytes]]:
    """A service of the distribution while the block runs."""
    program = shutil.which(name)
    assert program, f"{name} is not installed: make setup-services"
    with subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until(answers, 15, f"{name} answers")
            yield process
        finally:
            process.kill()


@contextmanager
def redis_server(folder: Path, *further: str) -> Iterator[int]:
    """An empty Redis with further options; its port."""
    port = free_port()

    def answers() -> bool:
        try:
            with Redis(port=port, socket_timeout=1) as client:
                return bool(client.ping())
        except AuthenticationError:
            return True
        except RedisError:
            return False

    options = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder))
    with running("redis-server", *options, *further, answers=answers):
        yield port


@contextmanager
def redis_cluster(folder: Path) -> Iterator[tuple[int, int]]:
    """A Redis Cluster of two, each with half of the keys; their ports."""

    def member(name: str) -> AbstractContextManager[int]:
        (folder / name).mkdir()
        return redis_server(folder / name, "--cluster-enabled", "yes", "--cluster-port", str(free_port()))

    with member("a") as first, member("b") as second, Redis(port=first) as one, Redis(port=second) as other:
        one.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 8191)
        other.execute_command("CLUSTER", "ADDSLOTSRANGE", 8192, 16383)
        one.execute_command("CLUSTER", "MEET", "127.0.0.1", second, other.config_get("cluster-port")["cluster-port"])
        for client in (one, other):
            until(lambda: b"cluster_state:ok" in client.execute_command("CLUSTER", "INFO"), 30, "the cluster is whole")  # noqa: B023
        yield first, second


@contextmanager
def alertmanager(folder: Path, sink: str, **further: Any) -> Iterator[int]:
    """An Alertmanager that sends every alert to a URL, unless `further` configuration says otherwise; its port."""
    port = free_port()
    route = {"receiver": "all", "group_by": ["alertname"], "group_wait": "0s", "group_interval": "1s"}
    receivers = [{"name": "all", "webhook_configs": [{"url": sink}]}]
    config = folder / "alertmanager.yml"
    config.write_text(json.dumps({"route": route, "receivers": receivers, **further}))

    def answers() -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=1) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    options = (
        f"--config.file={config}",
        f"--storage.path={folder}",
        f"--web.listen-address=127.0.0.1:{port}",
    )
    with running("prometheus-alertmanager", *options, "--cluster.listen-address=", answers=answers):
        yield port
