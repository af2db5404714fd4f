"""`run`: for CI. Applies a drill, follows it to its verdict, collects the report; the exit code tells how."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import click

from kubedrill.api.drill import Desired
from kubedrill.cli.clock import now, until_the_next_look
from kubedrill.cli.connection import Access, CliError, connected, demand, path_of, run, with_access
from kubedrill.cli.exit_codes import ExitCode
from kubedrill.cli.facilitators.facilitate import until_ended
from kubedrill.cli.facilitators.stop_and_start import say_what_is_wanted
from kubedrill.cli.facilitators.watch import ended, watched
from kubedrill.cli.facilitators.watch_stream import DrillUpdate
from kubedrill.cli.manifest import PLURALS, Document, load, the_drill_in
from kubedrill.cli.reports.stored_report import bare_record, stored_record, write
from kubedrill.cli.typed_times import duration
from kubedrill.core.measure.results import DrillRecord
from kubedrill.kube.client import APPLY_PATCH, Kube
from kubedrill.plugins.reports import FORMATS

MANAGER: Final = "kubedrill-run"
PUT_BACK_WITHIN: Final = timedelta(minutes=5)


@click.command("run")
@click.option("-f", "--filename", "files", multiple=True, required=True, help="The drill, and its scenario.")
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write JUnit XML here.")
@click.option("--report", "folder", type=click.Path(path_type=Path, file_okay=False), help="Write the report here.")
@click.option("--timeout", default="90m", show_default=True, help="Stop the drill and fail after this time.")
@click.option("--replace", is_flag=True, help="Delete a drill of the same name first; it is restored before.")
@with_access
def run_(
    access: Access,
    files: tuple[str, ...],
    junit: Path | None,
    folder: Path | None,
    timeout: str,
    *,
    replace: bool,
) -> None:
    """Run a drill to its verdict: apply -f FILE, follow it, write reports, and exit with what it was."""
    documents = load(files)
    limit = duration(timeout)
    code = run(_followed_through(access, documents, junit, folder, limit, replace=replace))
    sys.exit(code)


async def _followed_through(
    access: Access,
    documents: tuple[Document, ...],
    junit: Path | None,
    folder: Path | None,
    limit: timedelta,
    *,
    replace: bool,
) -> ExitCode:
    document, drill = the_drill_in(documents)
    namespace = drill.metadata.namespace or access.control
    if replace and not document.is_named:
        raise CliError("--replace needs a drill with a name: with generateName each run is another", ExitCode.BAD_INPUT)
    async with connected(access) as kube:
        for other in documents:
            if other is not document:
                await _applied(kube, other, other.model.metadata.namespace or access.control)
        if replace:
            await _removed(kube, namespace, drill.metadata.name)
        name = await _created(kube, document, namespace)
        try:
            async with _ended_by_termination(), asyncio.timeout(limit.total_seconds()):
                seen = await watched(kube, namespace, name, live=False, stuck=PUT_BACK_WITHIN)
        except (TimeoutError, asyncio.CancelledError) as cut:
            await say_what_is_wanted(kube, namespace, name, Desired.STOP, "kubedrill run was ended")
            await until_ended(kube, namespace, name, PUT_BACK_WITHIN)
            await _cut_short(kube, namespace, name, junit, folder)
            if isinstance(cut, asyncio.CancelledError):
                click.echo(f"{name}: interrupted; the drill was stopped and everything restored")
                return ExitCode.STOPPED
            raise CliError(
                f"{name} was not over within the timeout; the drill was stopped and everything restored"
            ) from cut
        code = ended(seen)
        _written(await _record(kube, namespace, seen), junit, folder)
    return code


@asynccontextmanager
async def _ended_by_termination() -> AsyncIterator[None]:
    """A pipeline is cancelled by SIGTERM: taken like an interrupt, or the drill would go on without anybody."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # noqa: S101  a coroutine runs in one
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


async def _applied(kube: Kube, document: Document, namespace: str) -> None:
    meta = document.wire["metadata"] | {"namespace": namespace}
    path = path_of(PLURALS[document.kind], namespace, document.model.metadata.name)
    query = [("fieldManager", MANAGER), ("force", "true"), ("fieldValidation", "Strict")]
    wire = document.wire | {"metadata": meta}
    await demand(
        kube.call("PATCH", path, wire, content_type=APPLY_PATCH, query=query),
        f"{document.kind} {meta['name']}",
    )


async def _created(kube: Kube, document: Document, namespace: str) -> str:
    """A drill is run once, so it is created, never applied; one that is held would wait for ever. Gives its name."""
    wire: dict[str, Any] = document.wire | {
        "metadata": document.wire["metadata"] | {"namespace": namespace},
        "spec": document.wire["spec"] | {"desired": "Run"},
    }
    answer = await kube.call(
        "POST",
        path_of("drills", namespace),
        wire,
        query=[("fieldManager", MANAGER), ("fieldValidation", "Strict")],
    )
    if answer.status == 409 and document.is_named:
        raise CliError(
            f"there is a drill {document.called} in {namespace} already: delete it, or run with --replace",
            ExitCode.BAD_INPUT,
        )
    if not answer.ok:
        code = ExitCode.REFUSED if answer.status == 403 else ExitCode.BAD_INPUT
        raise CliError(f"drill {document.called}: {answer.message}", code)
    name = str(answer.body["metadata"]["name"])
    if not document.is_named:
        click.echo(f"drill {name} is made")
    return name


async def _removed(kube: Kube, namespace: str, name: str) -> None:
    path = path_of("drills", namespace, name)
    if (await kube.call("DELETE", path)).status == 404:
        return
    deadline = now() + PUT_BACK_WITHIN
    while now() < deadline:
        if (await kube.get(path)).status == 404:
            return
        await until_the_next_look()
    raise CliError(f"the drill {name} that was there is not restored", ExitCode.NOT_RESTORED)


async def _record(kube: Kube, namespace: str, seen: DrillUpdate) -> DrillRecord:
    if seen.status.get("startExTime"):
        meta = seen.drill["metadata"]
        return await stored_record(kube, namespace, meta["name"], meta.get("uid"))
    return bare_record(seen.drill)


async def _cut_short(kube: Kube, namespace: str, name: str, junit: Path | None, folder: Path | None) -> None:
    """The reports of a drill that was cut short: without them a pipeline shows no results, as if nothing had run."""
    if junit is None and folder is None:
        return
    try:
        body = await demand(kube.get(path_of("drills", namespace, name)), f"drill {namespace}/{name}")
        _written(await _record(kube, namespace, DrillUpdate(body)), junit, folder)
    except CliError as missing:
        click.echo(f"{name}: no report could be written: {missing.message}")


def _written(record: DrillRecord, junit: Path | None, folder: Path | None) -> None:
    if folder is not None:
        for path in write(record, folder, sorted(FORMATS)):
            click.echo(path)
    if junit is not None:
        junit.parent.mkdir(parents=True, exist_ok=True)
        junit.write_text(FORMATS["junit"].render(record), encoding="utf-8")
        click.echo(junit)
