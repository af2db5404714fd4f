"""`report`: renders a drill's report, in any format, from the record that the operator stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from kubedrill.cli.connection import Access, CliError, connected, demand, good, path_of, run, with_access
from kubedrill.cli.exit_codes import ExitCode
from kubedrill.core.evidence.facts import Series
from kubedrill.core.measure.results import DrillRecord, Player, Restoration, Verdict
from kubedrill.kube.client import Kube
from kubedrill.kube.paths import CONFIG_MAPS
from kubedrill.plugins.reports import FORMATS
from kubedrill.plugins.reports.json_format import record_from_json
from kubedrill.store.drill_parts import is_missing


@click.command()
@click.argument("name")
@click.option("-o", "--output", "folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option(
    "--format",
    "formats",
    type=click.Choice(sorted(FORMATS)),
    multiple=True,
    help="One of them; all when left out.",
)
@with_access
def report(access: Access, name: str, folder: Path, formats: tuple[str, ...]) -> None:
    """Write the report of drill NAME into a folder: HTML, Markdown, JSON and JUnit."""

    async def work() -> DrillRecord:
        async with connected(access) as kube:
            return await stored_record(kube, access.control, name)

    for path in write(run(work()), folder, formats or sorted(FORMATS)):
        click.echo(path)


def write(record: DrillRecord, folder: Path, formats: Iterable[str]) -> list[Path]:
    """Render a record into `report.html`, `report.md`, … of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in formats:
        path = folder / f"report{FORMATS[name].suffix}"
        path.write_text(FORMATS[name].render(record), encoding="utf-8")
        written.append(path)
    return written


async def stored_record(kube: Kube, namespace: str, drill: str, uid: str | None = None) -> DrillRecord:
    """The record of a drill: the parts that its newest DrillReport names, put together.

    A report outlives its drill, so one name may have had several; `uid` says which is meant. Its parts are all of one
    revision; when another one replaces them while they are read, they are read again.

    Raises:
        CliError: there is no report of it yet, or a part is gone.
    """
    gone: list[str] = []
    while True:
        names = await _named_parts(kube, namespace, drill, uid)
        if names == gone:
            raise CliError(f"a part of the report of {drill} is gone: one of {', '.join(gone)}", ExitCode.BAD_INPUT)
        texts = [text for name in names if (text := await _part(kube, namespace, name)) is not None]
        if len(texts) == len(names):
            return record_from_json("".join(texts))
        gone = names


async def _named_parts(kube: Kube, namespace: str, drill: str, uid: str | None) -> list[str]:
    body = await demand(kube.get(path_of("drillreports", namespace)), f"reports of {namespace}")
    reports = [r for r in body["items"] if r["spec"]["drill"] == drill and uid in (None, r["spec"]["drillUid"])]
    written = [r for r in reports if r["spec"].get("record")]
    if not written:
        raise CliError(f"there is no report of {drill} in {namespace} yet", ExitCode.BAD_INPUT)
    newest: dict[str, Any] = max(written, key=lambda r: str(r["spec"].get("completed", "")))["spec"]
    return list(newest["record"])


async def _part(kube: Kube, namespace: str, name: str) -> str | None:
    """The text of a part; None when it is gone."""
    answer = await kube.get(CONFIG_MAPS.one(namespace, name))
    if is_missing(answer):
        return None
    stored = good(answer, f"part {name} of the record")
    return "".join(text for _, text in sorted(stored.get("data", {}).items()))


def bare_record(drill: Mapping[str, Any]) -> DrillRecord:
    """What can be said of a drill that never came to a report: its verdict and why."""
    spec, status = drill["spec"], drill.get("status") or {}
    verdict = status.get("verdict")
    finished: Mapping[str, Any] = next((c for c in status.get("conditions") or () if c["type"] == "Finished"), {})
    players = tuple(
        # whom the roster describes, nobody has looked up
        Player(p["name"], p.get("role", "role not known"), p.get("kind", "Human"))
        for p in spec.get("players", ())
    )
    started = status.get("startExTime")
    return DrillRecord(
        name=drill["metadata"]["name"],
        namespace=drill["metadata"].get("namespace", ""),
        title=(spec.get("scenario") or {}).get("title") or spec.get("scenarioRef") or drill["metadata"]["name"],
        narrative="",
        team=players,
        facilitator=spec.get("facilitator", ""),
        live=True,
        pace=float(spec.get("pace", 1)),
        started=datetime.fromisoformat(started) if started else None,
        ended=None,
        clock_start=None,
        verdict=Verdict(verdict) if verdict else Verdict.ERROR,
        verdict_reason=finished.get("reason", ""),
        verdict_message=finished.get("message") or status.get("message", "no word of the operator"),
        milestones=(),
        objectives=(),
        findings=(),
        facts=(),
        impact=Series("impact"),
        restoration=None if started else Restoration(complete=True, notes=("nothing was touched",)),
    )
