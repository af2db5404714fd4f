"""`kubedrill replay FILE`: a whole drill and its report from a transcript, without a cluster."""

from __future__ import annotations

from pathlib import Path

import click
import yaml

from kubedrill.cli.exit_codes import ExitCode
from kubedrill.core.measure.results import DrillRecord, Severity
from kubedrill.core.measure.transcript import TranscriptError, read_transcript, replayed
from kubedrill.plugins.reports import FORMATS, render
from kubedrill.plugins.reports.wording import headline, length, measured, sentence_case


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write the report to this file.")
@click.option(
    "--format",
    "form",
    type=click.Choice(sorted(FORMATS)),
    help="The report's format. By the file's suffix when left out, else html.",
)
def replay(file: Path, report: Path | None, form: str | None) -> None:
    """Judge the drill in a transcript and show what a live one would have said."""
    try:
        record = replayed(read_transcript(yaml.safe_load(file.read_text(encoding="utf-8"))))
    except OSError as wrong:
        raise Refused(f"{file}: {wrong.strerror}") from wrong
    except (yaml.YAMLError, UnicodeDecodeError) as wrong:
        raise Refused(f"{file} is not valid YAML: {wrong}") from wrong
    except TranscriptError as wrong:
        raise Refused(f"{file} is not a transcript:\n{wrong}") from wrong
    for line in _told(record):
        click.echo(line)
    if report is not None:
        form = form or next((f.name for f in FORMATS.values() if f.suffix == report.suffix), "html")
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(render(record, form), encoding="utf-8")
        click.echo(f"\nreport: {report}")


class Refused(click.ClickException):
    """The file is no transcript."""

    exit_code = ExitCode.BAD_INPUT


def _told(record: DrillRecord) -> list[str]:
    """The objectives as a table, the findings by title, the headline."""
    rows = [("objective", "limit", "took", "")] + [
        (
            sentence_case(o.name),
            length(o.limit * record.pace),
            measured(o, record.pace),
            str(o.verdict),
        )
        for o in record.objectives
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [record.title, ""]
    lines += ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines += ["", *(f"- {f.title}" for f in record.findings if f.severity is not Severity.STRENGTH)]
    return [*lines, "", headline(record)]
