"""Root file systems put together from the distribution's packages."""

from collections.abc import Sequence
from pathlib import Path

from cluster.commands import Runner
from cluster.packages import archive_sources, release
from cluster.steps import Step, exists

UNREAD = ("man", "doc", "locale", "info")


def userland_step(runner: Runner, name: str, packages: Sequence[str], target: Path) -> Step:
    """A tar file with a minimal system and these packages in it."""
    return Step(
        f"packages of {name}",
        lambda: make(runner, packages, target),
        inputs=(" ".join(packages), release()),
        present=exists(target),
    )


def make(runner: Runner, packages: Sequence[str], target: Path) -> None:
    """Bootstrap from the machine's own package sources."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.stem}.partial.tar")
    runner.run(
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        f"--include={','.join(packages)}",
        *(f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in UNREAD),
        "--customize-hook=rm -rf $1/var/log/* $1/etc/resolv.conf $1/etc/hostname",
        release(),
        partial,
        archive_sources(),
    )
    partial.rename(target)
