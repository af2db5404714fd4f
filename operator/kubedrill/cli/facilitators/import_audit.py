"""`import-audit`: gives the lines of the API server's audit log that belong to a drill to the operator.

What people read and wrote in the target namespace while the drill was on, and nothing else. The lines become
evidence (ConfigMaps beside the drill), and the operator then writes a new revision of the report.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click

from kubedrill.api.base import API_VERSION
from kubedrill.api.drill import EVIDENCE_MARK
from kubedrill.cli.clock import now, until_the_next_look
from kubedrill.cli.connection import (
    SERVICE_ACCOUNT,
    Access,
    CliError,
    connected,
    demand,
    path_of,
    run,
    with_access,
)
from kubedrill.cli.exit_codes import ExitCode
from kubedrill.cli.typed_times import duration
from kubedrill.core.evidence.attribution import Standing, who_is
from kubedrill.core.plan.drill_plan import KUBERNETES
from kubedrill.kube.client import APPLY_PATCH, MERGE_PATCH, Kube
from kubedrill.kube.paths import CONFIG_MAPS

CHUNK_BYTES: Final = 500_000
MARGIN: Final = timedelta(minutes=1)
STAGES: Final = ("ResponseStarted", "ResponseComplete")


@dataclass(frozen=True, slots=True)
class Span:
    """Which requests are a drill's: those about its target namespace, in its time, not its own."""

    namespace: str
    start: datetime
    end: datetime
    operator: str

    def holds(self, event: Mapping[str, Any]) -> bool:
        """Whether an audit event is one of a person, or of a stranger, in this drill."""
        subject = event.get("objectRef") or {}
        if event.get("stage") not in STAGES or subject.get("namespace") != self.namespace:
            return False
        if subject.get("subresource") == "proxy":  # pagers and dashboards ask many times a minute
            return False
        user = str((event.get("impersonatedUser") or event.get("user") or {}).get("username", ""))
        at = datetime.fromisoformat(event["requestReceivedTimestamp"])
        whose = who_is(KUBERNETES, user, (), (self.operator,)).standing
        return whose not in (Standing.AUTOMATION, Standing.OPERATOR) and self.start <= at <= self.end


@click.command("import-audit")
@click.argument("name")
@click.option("--log", "file", required=True, help="The API server's audit log, JSON lines; - for standard input.")
@click.option("--wait", "patience", default="60s", show_default=True, help="How long to wait for the new report.")
@with_access
def import_audit(access: Access, name: str, file: str, patience: str) -> None:
    """Give the audit log's lines of drill NAME's time and namespace to the operator as evidence."""
    click.echo(run(_imported(access, name, file, duration(patience))))


async def _imported(access: Access, name: str, file: str, patience: timedelta) -> str:
    async with connected(access) as kube:
        drill = await demand(kube.get(path_of("drills", access.control, name)), f"drill {access.control}/{name}")
        lines = list(_read(file, span_of(drill, access.control, now())))
        if not lines:
            return f"the log has nothing of {name}: no line of its time about {drill['spec']['targetNamespace']}"
        parts = list(chunks(lines))
        for number, text in enumerate(parts):
            await _stored(kube, drill, number, text)
        mark = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
        change = {"metadata": {"annotations": {EVIDENCE_MARK: mark}}}
        path = path_of("drills", access.control, name)
        await demand(kube.call("PATCH", path, change, content_type=MERGE_PATCH), f"drill {name}")
        revised = await _revised(kube, access.control, drill["metadata"]["uid"], mark, patience)
    said = "the report is written anew" if revised else "the operator has not read them yet"
    return f"{len(lines)} requests in {len(parts)} parts are evidence of {name}; {said}"


def span_of(drill: Mapping[str, Any], control: str, at: datetime) -> Span:
    """What of a log belongs to a drill; it has no end while it is on."""
    status = drill.get("status") or {}
    start = datetime.fromisoformat(status.get("startExTime") or drill["metadata"]["creationTimestamp"])
    end = status.get("endExTime")
    return Span(
        namespace=drill["spec"]["targetNamespace"],
        start=start - MARGIN,
        end=(datetime.fromisoformat(end) if end else at) + MARGIN,
        operator=f"system:serviceaccount:{control}:{SERVICE_ACCOUNT}",
    )


def belonging(lines: Iterable[str], span: Span) -> Iterator[str]:
    """The lines of a log that belong to a drill, without what answers held (secrets of others may be there)."""
    for line in lines:
        if span.namespace not in line:
            continue
        try:
            event = json.loads(line)
            if not span.holds(event):
                continue
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # a log is cut anywhere
        event.pop("responseObject", None)
        yield json.dumps(event, separators=(",", ":"))


def chunks(lines: Iterable[str]) -> Iterator[str]:
    """Lines put together to texts that each fit a ConfigMap."""
    part: list[str] = []
    size = 0
    for line in lines:
        length = len(line.encode()) + 1
        if part and size + length > CHUNK_BYTES:
            yield "\n".join(part)
            part, size = [], 0
        part.append(line)
        size += length
    if part:
        yield "\n".join(part)


def _read(file: str, span: Span) -> Iterator[str]:
    if file == "-":
        yield from belonging(sys.stdin, span)
        return
    try:
        for path in (*rotated(Path(file), span.start), Path(file)):
            with path.open(encoding="utf-8", errors="replace") as log:
                yield from belonging(log, span)
    except OSError as error:
        raise CliError(f"{file}: {error.strerror}", ExitCode.BAD_INPUT) from error


def rotated(log: Path, since: datetime) -> list[Path]:
    """The older files of a log that was rotated meanwhile (audit-<time>.log beside audit.log), oldest first.

    The API server starts a new file when one is full, whatever drill is on.
    """
    beside = sorted(log.parent.glob(f"{log.stem}-*{log.suffix}"))
    return [path for path in beside if path.stat().st_mtime >= since.timestamp()]


async def _stored(kube: Kube, drill: Mapping[str, Any], number: int, text: str) -> None:
    meta = drill["metadata"]
    name = f"{meta['name']}-{meta['uid'][:8]}-audit-{number}"
    owner = {"apiVersion": API_VERSION, "kind": "Drill", "name": meta["name"], "uid": meta["uid"]}
    labels = {"kubedrill.dev/drill": meta["name"], "kubedrill.dev/evidence": "audit"}
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": labels, "ownerReferences": [owner]},
        "data": {"audit": text},
    }
    path = CONFIG_MAPS.one(meta["namespace"], name)
    query = [("fieldManager", "kubedrill-import-audit"), ("force", "true")]
    await demand(kube.call("PATCH", path, body, content_type=APPLY_PATCH, query=query), f"evidence {name}")


async def _revised(kube: Kube, namespace: str, uid: str, mark: str, patience: timedelta) -> bool:
    """Wait until the drill's report knows the evidence with this mark; whether it does."""
    deadline = now() + patience
    while True:
        body = await demand(kube.get(path_of("drillreports", namespace)), f"reports of {namespace}")
        own = [r for r in body["items"] if r["spec"].get("drillUid") == uid]
        if any((r["metadata"].get("annotations") or {}).get(EVIDENCE_MARK) == mark for r in own):
            return True
        if now() > deadline:
            return False
        await until_the_next_look()
