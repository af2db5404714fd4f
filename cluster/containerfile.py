"""What a Containerfile says about its build: which base, and which files of the context it reads."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from cluster.steps import files_below

COPYING = ("COPY", "ADD")


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """The instructions with their arguments, continued lines joined, comments left out."""
    kept = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in re.sub(r"\\[ \t]*\n", " ", kept).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word:
            yield word.upper(), rest.strip()


def default_base(text: str) -> str | None:
    """The default of `ARG BASE=…` before the first FROM; None if the base can't be chosen."""
    for word, rest in instructions(text):
        if word == "FROM":
            return None
        name, _, value = rest.partition("=")
        if word == "ARG" and name == "BASE":
            return value
    return None


def context_files(text: str, context: Path) -> list[Path]:
    """The files that the build takes from its context, sorted: COPY, ADD and bind mounts."""
    found: set[Path] = set()
    for pattern in context_patterns(text):
        for path in context.glob(pattern.strip("/")) if pattern.strip("./") else [context]:
            found |= set(files_below(path)) if path.is_dir() else {path}
    return sorted(found)


def context_patterns(text: str) -> Iterator[str]:
    """The sources of COPY, ADD and bind mounts as they are written."""
    for word, rest in instructions(text):
        if word in COPYING:
            yield from copied(rest)
        elif word == "RUN":
            for options in re.findall(r"--mount=(\S*type=bind\S*)", rest):
                pairs = (part.partition("=") for part in str(options).split(","))
                source = {key: value for key, _, value in pairs}
                if "from" not in source:
                    yield source.get("source") or source.get("src") or "."


def copied(arguments: str) -> list[str]:
    """The sources of one COPY or ADD that lie in the context."""
    words = arguments.split(" ")
    flags = [word for word in words if word.startswith("--")]
    rest = " ".join(word for word in words if not word.startswith("--"))
    if any(flag.startswith("--from=") for flag in flags):
        return []
    listed: list[str] = json.loads(rest) if rest.startswith("[") else shlex.split(rest)
    return [source for source in listed[:-1] if "://" not in source]
