"""Local stand-ins for public base images, from the distribution's packages, where nothing can be pulled."""

import configparser
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster.commands import ClusterError, Runner
from cluster.debian import userland_step
from cluster.settings import Folders
from cluster.steps import Step

TIDY = """\
FROM scratch
ADD {userland} /
RUN rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /usr/lib/python3*/EXTERNALLY-MANAGED
"""


@dataclass(frozen=True)
class Base:
    """One stand-in: its packages, the public images it stands in for, and paths nobody reads there."""

    name: str
    packages: tuple[str, ...]
    instead_of: tuple[str, ...]
    unread: tuple[str, ...] = ()

    @property
    def reference(self) -> str:
        """The name of the local image."""
        return f"localhost/kubedrill-{self.name}"


BASES = (
    Base(
        "python",
        ("python3", "python3-pip", "python3-venv", "python-is-python3", "ca-certificates"),
        ("python", "docker.io/library/python"),
    ),
    Base(
        "services",
        ("redis-server", "prometheus", "prometheus-alertmanager", "ca-certificates"),
        ("debian", "docker.io/library/debian"),
        # half of the image: the sources of a library of Prometheus' pages
        unread=("/usr/share/javascript/moment-timezone/data/unpacked/*",),
    ),
)


def stand_in(image: str) -> Base:
    """The local base for a public image, whatever its tag.

    Raises:
        ClusterError: there is none.
    """
    repository = image.rpartition(":")[0] or image
    for base in BASES:
        if repository in (*base.instead_of, base.reference):
            return base
    known = ", ".join(name for base in BASES for name in base.instead_of)
    raise ClusterError(f"no local base stands in for {image} (only for {known}): pass --build-arg BASE=…")


def steps(base: Base, buildah: "Buildah", folders: Folders) -> list[Step]:
    """Make the base once, and again when its packages change."""
    userland = folders.cache / f"{base.name}-userland.tar"
    system = userland_step(buildah.runner, f"the {base.name} base", base.packages, userland, base.unread)
    image = Step(
        f"{base.name} base image",
        lambda: buildah.make_base(base, userland),
        inputs=(system, TIDY),
        present=lambda: buildah.has(base.reference),
    )
    return [system, image]


@dataclass(frozen=True)
class Buildah:
    """Builds images as root without any engine or registry."""

    runner: Runner
    folders: Folders

    @property
    def command(self) -> tuple[str, ...]:
        """The program with a store of our own."""
        return (
            *("buildah", "--root", str(self.folders.cache / "buildah")),
            *("--runroot", "/run/kubedrill-buildah", "--storage-driver", "overlay"),
        )

    def has(self, reference: str) -> bool:
        """Whether the store has this image."""
        return self.runner.answers(*self.command, "inspect", "--type", "image", reference)

    def make_base(self, base: Base, userland: Path) -> None:
        """An image of the userland, as one layer; the userland's tar file is then no longer needed."""
        work = self.folders.work
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        userland.rename(work / userland.name)
        recipe = work / "Containerfile"
        recipe.write_text(TIDY.format(userland=userland.name))
        self.build(base.reference, recipe, work, {}, squash=True)
        (work / userland.name).rename(userland)
        shutil.rmtree(work)

    def build(
        self,
        reference: str,
        recipe: Path,
        context: Path,
        arguments: Mapping[str, str],
        *,
        squash: bool = False,
    ) -> None:
        """Build one Containerfile; unchanged instructions are taken from the store."""
        self.runner.run(
            *(*self.command, "bud", "--isolation", "chroot", "--pull-never"),
            *("--squash",) if squash else ("--layers",),
            *pip_volumes(self.folders),
            *(word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")),
            *("--file", recipe, "--tag", reference, context),
        )

    def save(self, reference: str, archive: Path) -> None:
        """Write an image as a Docker archive."""
        archive.unlink(missing_ok=True)
        archive.parent.mkdir(parents=True, exist_ok=True)
        self.runner.run(*self.command, "push", reference, f"docker-archive:{archive}:{reference}")


def pip_volumes(folders: Folders) -> list[str]:
    """Lend builds this machine's way to Python packages: pip's settings, and the files that they name.

    Read-only and for the time of the build: nothing of it is left in an image.
    """
    settings = pip_settings(pip_files(os.environ, Path.home()), os.environ)
    file = folders.cache / "pip.conf"
    file.write_text("[global]\n" + "".join(f"{key} = {value}\n" for key, value in settings.items()))
    named = [Path(settings[key]) for key in ("cert", "find-links") if key in settings]
    volumes = {file: "/etc/pip.conf", **{path: str(path) for path in named if path.exists()}}
    return [word for here, there in volumes.items() for word in ("--volume", f"{here}:{there}:ro")]


def pip_files(environment: Mapping[str, str], home: Path) -> list[Path]:
    """The files that pip reads on Linux, later ones before earlier ones (its user guide, Configuration)."""
    configured = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    named = environment.get("PIP_CONFIG_FILE")
    return [
        *(Path("/etc/pip.conf"), home / ".pip" / "pip.conf", configured / "pip" / "pip.conf"),
        *([Path(named)] if named else []),
    ]


def pip_settings(files: Sequence[Path], environment: Mapping[str, str]) -> dict[str, str]:
    """The global settings of pip from its files, overruled by its environment variables."""
    parser = configparser.RawConfigParser()
    parser.read(files)
    found = dict(parser["global"]) if parser.has_section("global") else {}
    for name, value in environment.items():
        if name.startswith("PIP_") and name != "PIP_CONFIG_FILE":
            found[name.removeprefix("PIP_").lower().replace("_", "-")] = value
    return found
