"""`kubedrill replay FILE`: the table, the findings and the report of a transcript."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from kubedrill.cli.reports.replay import replay

TRANSCRIPT = Path(__file__).parents[2] / "scenarios/morning-rush/transcript.yaml"


def run(*arguments: object):
    return CliRunner().invoke(replay, [str(a) for a in arguments])


def test_it_prints_the_times_the_findings_and_the_headline():
    done = run(TRANSCRIPT)
    assert done.exit_code == 0
    assert any(
        line.split() == ["Mitigation", "20", "min", "23–28", "min", "Missed"] for line in done.output.splitlines()
    )
    assert "- Scaled up before diagnosing" in done.output
    assert done.output.splitlines()[-1].startswith("6 of 7 met. Mitigation took 23–28 min, limit 20")


@pytest.mark.parametrize(("name", "starts"), [("out.html", "<!doctype html>"), ("out.md", "# "), ("out.json", "{")])
def test_it_writes_the_report_in_the_format_of_the_files_suffix(tmp_path, name, starts):
    out = tmp_path / "new" / name
    done = run(TRANSCRIPT, "--report", out)
    assert done.exit_code == 0
    assert out.read_text(encoding="utf-8").lower().startswith(starts)
    assert str(out) in done.output


def test_a_format_that_is_asked_for_wins_over_the_suffix(tmp_path):
    out = tmp_path / "out.txt"
    assert run(TRANSCRIPT, "--report", out, "--format", "junit").exit_code == 0
    assert "<testsuite" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[", "is not valid YAML"),
        ("name: x", "title: Field required"),
        ("- a", "a transcript is a mapping"),
    ],
)
def test_a_file_that_is_no_transcript_is_refused_with_the_reason(tmp_path, text, told):
    file = tmp_path / "bad.yaml"
    file.write_text(text, encoding="utf-8")
    done = run(file)
    assert done.exit_code == 2
    assert told in done.output


def test_a_file_that_is_not_there_is_refused(tmp_path):
    done = run(tmp_path / "none.yaml")
    assert done.exit_code == 2
    assert "No such file" in done.output
