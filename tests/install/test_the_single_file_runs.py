"""The command line as one file: it unpacks once, into a folder of the user's own, and says for which Python it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACK = ROOT / "operator/single_file/pack.py"
COMMAND_LINE = """
import sys
from pathlib import Path
def main():
    print(Path(sys.argv[0]).name, *sys.argv[1:], Path(__file__).parents[3])
"""


class SingleFile:
    """A file of a command line that says how it was called and where it lies."""

    def __init__(self, place: Path) -> None:
        self.file, self.cache, self.packages = place / "bin/kubectl-drill", place / "cache", place / "site"
        package = self.packages / "kubedrill/cli"
        package.mkdir(parents=True)
        for name in ("kubedrill/__init__.py", "kubedrill/cli/__init__.py"):
            (self.packages / name).touch()
        (package / "main.py").write_text(COMMAND_LINE, encoding="utf-8")
        self.pack()

    def pack(self) -> None:
        subprocess.run([sys.executable, str(PACK), str(self.packages), str(self.file)], check=True)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "XDG_CACHE_HOME": str(self.cache), "PYTHONPATH": ""}
        command = [sys.executable, str(self.file), *arguments]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    @property
    def unpacked(self) -> list[Path]:
        return list((self.cache / "kubedrill/single-file").iterdir())


@pytest.fixture
def single(tmp_path: Path) -> SingleFile:
    return SingleFile(tmp_path)


def test_it_runs_by_itself_under_the_name_of_a_plugin(single: SingleFile):
    assert os.access(single.file, os.X_OK)
    assert single.file.read_bytes().startswith(b"#!/usr/bin/env python3\n")
    done = single.run("ack", "--drill", "x")
    assert done.stdout.startswith("kubectl-drill ack --drill x "), done.stderr


def test_it_is_unpacked_once_and_anew_when_it_is_another(single: SingleFile):
    where = {single.run().stdout for _ in range(2)}
    assert len(where) == len(single.unpacked) == 1
    (single.packages / "kubedrill/more.py").write_text("x = 1\n", encoding="utf-8")
    single.pack()
    assert single.run().stdout not in where
    assert len(single.unpacked) == 2


def test_what_was_interrupted_is_not_taken_for_unpacked(single: SingleFile):
    single.run()
    (whole,) = single.unpacked
    whole.rename(whole.with_name(f".{whole.name}.half"))
    assert single.run().returncode == 0
    assert whole.exists()


def test_the_same_packages_make_the_same_file(single: SingleFile):
    before = single.file.read_bytes()
    for path in single.packages.rglob("*.py"):
        os.utime(path, (0, 0))
    single.pack()
    assert single.file.read_bytes() == before


@pytest.mark.parametrize(("what", "other"), [("python", "3.10"), ("platform", "macosx-14.0-arm64")])
def test_another_python_or_platform_is_told_to_install_the_wheel(single: SingleFile, what: str, other: str):
    with zipfile.ZipFile(single.file) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    contents["built.json"] = json.dumps(json.loads(contents["built.json"]) | {what: other}).encode()
    with zipfile.ZipFile(single.file, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    done = single.run()
    assert done.returncode == 1
    assert f"kubectl-drill is for {what} {other}, and this is" in done.stderr
    assert "pipx install kubedrill-*.whl" in done.stderr
    assert not (single.cache / "kubedrill").exists()
