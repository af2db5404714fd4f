"""What a staging environment has beside the cluster: one real Redis, Prometheus and Alertmanager for all slots."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

ALERT: Final = "MatrixAlert"
STOP_ALERT: Final = "NeighbourHurt"
RULES: Final = {
    "groups": [
        {
            "name": "matrix",
            "interval": "1s",
            "rules": [
                {"alert": ALERT, "expr": "vector(0) > 1"},
                {"alert": STOP_ALERT, "expr": "vector(0) > 1"},
            ],
        }
    ]
}


@dataclass(frozen=True, slots=True)
class Services:
    """Their ports on loopback."""

    redis: int
    prometheus: int
    alertmanager: int


@contextmanager
def services(folder: Path) -> Iterator[Services]:
    """All three, while the block runs."""
    ports = Services(_free_port(), _free_port(), _free_port())
    (folder / "rules.yml").write_text(json.dumps(RULES))
    paces = {"scrape_interval": "5s", "evaluation_interval": "1s"}
    config = {"global": paces, "rule_files": [str(folder / "rules.yml")]}
    (folder / "prometheus.yml").write_text(json.dumps(config))
    route = {"receiver": "none", "group_wait": "0s", "group_interval": "1s"}
    (folder / "alertmanager.yml").write_text(json.dumps({"route": route, "receivers": [{"name": "none"}]}))
    with ExitStack() as stack:
        stack.enter_context(
            _running(
                "redis-server",
                "--port",
                str(ports.redis),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--dir",
                str(folder),
                answers=lambda: _connects(ports.redis),
            )
        )
        stack.enter_context(
            _running(
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{ports.prometheus}",
                answers=lambda: _ready(ports.prometheus),
            )
        )
        stack.enter_context(
            _running(
                "prometheus-alertmanager",
                f"--config.file={folder / 'alertmanager.yml'}",
                f"--storage.path={folder / 'alerts'}",
                f"--web.listen-address=127.0.0.1:{ports.alertmanager}",
                "--cluster.listen-address=",
                answers=lambda: _ready(ports.alertmanager),
            )
        )
        yield ports


@contextmanager
def _running(name: str, *arguments: str, answers: Callable[[], bool]) -> Iterator[None]:
    program = shutil.which(name)
    if program is None:
        raise SystemExit(f"{name} is not installed: make setup-services")
    with subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 30
            while not answers():
                if time.monotonic() > deadline:
                    raise SystemExit(f"{name} does not answer")
                time.sleep(0.05)
            yield
        finally:
            process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _connects(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _ready(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=1) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
