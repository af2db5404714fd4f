"""The command line explains itself, and its help waits for nothing."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from kubedrill.cli.main import FAMILIES, VERBS, cli

HEAVY = ("kubernetes", "aiohttp", "rich", "pydantic", "jinja2", "kopf")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_there_and_has_a_help(verb):
    shown = CliRunner().invoke(cli, [verb, "--help"])
    assert shown.exit_code == 0
    assert f"cli {verb}" in shown.output


def test_the_help_lists_every_verb_in_its_family():
    shown = CliRunner().invoke(cli, ["--help"]).output
    assert all(f"{family}:" in shown for family in FAMILIES)
    assert all(f"  {verb} " in shown for verb in VERBS)


def test_the_help_imports_nothing_that_is_heavy():
    asked = f"import sys; import kubedrill.cli.main; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_as_a_kubectl_plugin_it_calls_itself_what_people_typed(monkeypatch, capsys):
    from kubedrill.cli.main import main  # noqa: PLC0415  the entry point as the shell calls it

    monkeypatch.setattr(sys, "argv", ["/usr/local/bin/kubectl-drill", "severity", "P9"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "kubectl drill severity" in capsys.readouterr().err


def test_an_unknown_verb_is_bad_input():
    assert CliRunner().invoke(cli, ["acknowledge"]).exit_code == 2
