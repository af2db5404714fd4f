"""Steps of a build: each is skipped when the hash of its inputs is the one it was last finished with."""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO


@dataclass(frozen=True)
class Step:
    """One thing to make.

    `inputs` decide whether it must be made again: texts, files or folders (by content), and the steps
    before it (by their own inputs). Without inputs it runs every time. `present` says whether what it
    makes is still there.
    """

    name: str
    action: Callable[[], None]
    inputs: "tuple[str | Path | Step, ...]" = ()
    present: Callable[[], bool] = lambda: True

    @property
    def digest(self) -> str:
        """The hash of the inputs; equal inputs make equal digests on any machine."""
        total = hashlib.sha256(self.name.encode())
        for part in self.inputs:
            total.update(b"\0" + digest_of(part).encode())
        return total.hexdigest()


def exists(*paths: Path) -> Callable[[], bool]:
    """A `present` for steps that make files: all of them are there."""
    return lambda: all(path.exists() for path in paths)


def digest_of(part: "str | Path | Step") -> str:
    """The hash of one input: a text, the content of a file or of a whole folder, or a step."""
    if isinstance(part, Step):
        return part.digest
    if isinstance(part, str):
        return hashlib.sha256(b"text " + part.encode()).hexdigest()
    return digest_of_files(part, [part] if part.is_file() else sorted(files_below(part)))


def digest_of_files(root: Path, files: Iterable[Path]) -> str:
    """The hash of files by their names below `root`, whether they may be executed, and what is in them."""
    total = hashlib.sha256()
    for file in files:
        mode = "x" if file.stat().st_mode & 0o111 else "-"
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        total.update(f"{file.relative_to(root)} {mode} {content}\n".encode())
    return total.hexdigest()


def files_below(folder: Path) -> Iterator[Path]:
    """Every file below a folder, without Python's own leavings."""
    return (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


@dataclass(frozen=True)
class Stamps:
    """Remembers with which inputs each step was last finished."""

    folder: Path

    def file(self, step: Step) -> Path:
        """The stamp of one step."""
        return self.folder / step.name.replace(" ", "-").replace("/", "-")

    def is_current(self, step: Step) -> bool:
        """Whether the step was finished with these very inputs and what it made is still there."""
        stamp = self.file(step)
        return bool(step.inputs) and stamp.exists() and stamp.read_text() == step.digest and step.present()

    def finish(self, step: Step) -> None:
        """Remember the step as finished with its present inputs."""
        if step.inputs:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.file(step).write_text(step.digest)


def run_steps(steps: Sequence[Step], stamps: Stamps, out: TextIO) -> int:
    """Run the steps that are not current, in order, and say so line by line.

    An interrupted or failed step has no stamp and is the first to run the next time.

    Returns:
        How many steps ran.
    """
    ran = 0
    for number, step in enumerate(steps, start=1):
        out.write(f"[{number:2}/{len(steps)}] {step.name} ")
        out.flush()
        if stamps.is_current(step):
            out.write("· unchanged\n")
            continue
        stamps.file(step).unlink(missing_ok=True)
        began = time.monotonic()
        try:
            step.action()
        except BaseException:
            out.write(f"· failed after {time.monotonic() - began:.1f} s\n")
            raise
        stamps.finish(step)
        out.write(f"· {time.monotonic() - began:.1f} s\n")
        out.flush()
        ran += 1
    return ran
