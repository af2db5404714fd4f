"""Root file systems put together from the distribution's packages."""

from collections.abc import Sequence
from pathlib import Path

from cluster.commands import Runner
from cluster.packages import archive_sources, release
from cluster.steps import Step, exists

UNREAD = tuple(f"/usr/share/{folder}/*" for folder in ("man", "doc", "locale", "info"))


def userland_step(runner: Runner, name: str, packages: Sequence[str], target: Path, unread: Sequence[str] = ()) -> Step:
    """A tar file with a minimal system and these packages in it, without the `unread` paths."""
    return Step(
        f"packages of {name}",
        lambda: make(runner, packages, target, unread),
        inputs=(" ".join(packages), release(), *unread),
        present=exists(target),
    )


def make(runner: Runner, packages: Sequence[str], target: Path, unread: Sequence[str]) -> None:
    """Bootstrap from the machine's own package sources."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.stem}.partial.tar")
    runner.run(
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        f"--include={','.join(packages)}",
        *(f"--dpkgopt=path-exclude={paths}" for paths in (*UNREAD, *unread)),
        "--customize-hook=rm -rf $1/var/log/* $1/etc/resolv.conf $1/etc/hostname",
        release(),
        partial,
        archive_sources(),
    )
    partial.rename(target)
