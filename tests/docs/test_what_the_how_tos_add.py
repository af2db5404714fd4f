"""Adding a fault, a channel or a source is adding a file and its test: each how-to is done, to the letter, in a copy.

The how-tos' own files are put into a scratch copy of the project, and the contract tests run over them there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TITLED = re.compile(r'^```\w+ title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)
NEEDED = ("operator/kubedrill", "tests", "pyproject.toml")
LEFT_OUT = shutil.ignore_patterns("*.pyc.*", "e2e", "integration", "faultmatrix", "model", "mutants", "scale")
AT_LEAST = 8
"""So many promises are held against each member by its name."""


@dataclass(frozen=True)
class HowTo:
    """A how-to, the member that it adds, and the contract that the member must keep."""

    page: str
    member: str
    contract: str

    def __str__(self) -> str:
        return self.page

    @property
    def files(self) -> dict[str, str]:
        """The files that it says to write, by their paths: the member, and its example."""
        return dict(TITLED.findall((ROOT / "docs/how-to" / f"{self.page}.md").read_text(encoding="utf-8")))


HOW_TOS = (
    HowTo("add-a-fault", "badCommand", "tests/faults/test_catalogue.py"),
    HowTo("add-a-channel", "doorBell", "tests/channels/test_every_channel_keeps_its_promises.py"),
    HowTo("add-a-source", "rollouts", "tests/sources/test_every_source_keeps_its_promises.py"),
)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the contract tests need, and in it what the how-tos add."""
    to = tmp_path_factory.mktemp("scratch")
    for name in NEEDED:
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, to / name, ignore=LEFT_OUT)
        else:
            shutil.copy(ROOT / name, to / name)
    for how_to in HOW_TOS:
        for path, text in how_to.files.items():
            assert not (to / path).exists()
            (to / path).write_text(text, encoding="utf-8")
    return to


def run(scratch: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A module of Python's, run in the copy."""
    environment = {**os.environ, "PYTHONPATH": str(scratch / "operator"), "PYTHONDONTWRITEBYTECODE": ""}
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=scratch, env=environment, capture_output=True, text=True, check=False)


def contracts(scratch: Path, chosen: str, *files: str) -> subprocess.CompletedProcess[str]:
    """The contracts' tests whose names hold one of the chosen words."""
    return run(scratch, "pytest", "-v", "-p", "no:cacheprovider", "-p", "no:xdist", "-k", chosen, *files)


@pytest.mark.parametrize("how_to", HOW_TOS, ids=str)
def test_it_adds_one_file_to_the_operator_and_one_to_the_tests(how_to: HowTo):
    assert sorted(path.partition("/")[0] for path in how_to.files) == ["operator", "tests"]


def test_what_they_add_keeps_the_contracts_of_its_registry(scratch: Path):
    members = " or ".join(how_to.member for how_to in HOW_TOS)
    kept = contracts(scratch, f"has_an_example or {members}", *(how_to.contract for how_to in HOW_TOS))
    assert kept.returncode == 0, kept.stdout[-3000:]
    for how_to in HOW_TOS:
        passed = re.findall(rf"^{how_to.contract}::.*{how_to.member}.* PASSED", kept.stdout, re.MULTILINE)
        assert len(passed) >= AT_LEAST, how_to.page


def test_it_is_written_as_the_project_writes(scratch: Path):
    files = [path for how_to in HOW_TOS for path in how_to.files]
    for arguments in (("check", "-q", "--no-cache"), ("format", "-q", "--check", "--no-cache")):
        done = run(scratch, "ruff", *arguments, *files)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"


def test_a_member_without_an_example_is_found_out(scratch: Path):
    for how_to in HOW_TOS[1:]:
        example = next(path for path in how_to.files if path.startswith("tests/"))
        (scratch / example).unlink()
    lacking = contracts(scratch, "has_an_example", *(how_to.contract for how_to in HOW_TOS[1:]))
    assert lacking.returncode == 1
    assert all(how_to.member in lacking.stdout for how_to in HOW_TOS[1:])
