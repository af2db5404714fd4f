"""Running other programs: their output goes to one log, and into the message when they fail."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LINES_SHOWN = 25


class ClusterError(Exception):
    """A sentence for the user: what is wrong, and where possible the command that helps."""


class CommandFailedError(ClusterError):
    """A program that was needed ended with an error, was not found, or took too long."""


@dataclass(frozen=True)
class Runner:
    """Runs programs with one environment and one log.

    `environment` is added to this process's own.
    """

    log: Path
    environment: Mapping[str, str]

    def run(
        self,
        *command: str | Path,
        folder: Path | None = None,
        timeout_seconds: float | None = None,
        text_input: str | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> str:
        """Run to the end and return what it wrote to its standard output.

        Raises:
            CommandFailedError: it failed; the message ends with the last lines it wrote.
        """
        words = [str(word) for word in command]
        environment = {**os.environ, **self.environment, **(extra or {})}
        try:
            done = subprocess.run(
                words,
                cwd=folder,
                env=environment,
                input=text_input,
                stdin=subprocess.DEVNULL if text_input is None else None,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout_seconds,
                check=False,
            )
        except FileNotFoundError as error:
            raise CommandFailedError(f"{words[0]}: not found") from error
        except subprocess.TimeoutExpired as error:
            raise CommandFailedError(f"{' '.join(words)}: no answer within {timeout_seconds} s") from error
        self.record(words, done)
        if done.returncode:
            last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-LINES_SHOWN:])
            raise CommandFailedError(f"{' '.join(words)}: ended with {done.returncode}\n{last}\n(more in {self.log})")
        return done.stdout

    def answers(self, *command: str | Path, timeout_seconds: float = 10) -> bool:
        """Whether the program runs and ends well in time."""
        try:
            self.run(*command, timeout_seconds=timeout_seconds)
        except CommandFailedError:
            return False
        return True

    def record(self, words: list[str], done: "subprocess.CompletedProcess[str]") -> None:
        """Append a finished command and its complaints to the log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a") as log:
            log.write(f"$ {' '.join(words)}  → {done.returncode}\n{done.stderr}")
            if done.returncode:
                log.write(done.stdout)
