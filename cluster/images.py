"""One Containerfile to an image in every node, by docker, podman or buildah; skipped when it is there."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from cluster import bases, contexts, packages
from cluster.commands import ClusterError
from cluster.containerfile import context_files, default_base
from cluster.lifecycle import Machine, run
from cluster.provider import Provider
from cluster.steps import Step, digest_of_files

DEFAULT_TAG = "dev"


@dataclass(frozen=True)
class Request:
    """What to build: the image's name, the context, the Containerfile, and the build's arguments."""

    reference: str
    context: Path
    recipe: Path
    arguments: dict[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The hash of everything that the image is made of, its base apart."""
        text = self.recipe.read_text()
        seen = digest_of_files(self.context, context_files(text, self.context))
        whole = "\n".join([self.reference, text, seen, json.dumps(self.arguments, sort_keys=True)])
        return hashlib.sha256(whole.encode()).hexdigest()


def full_reference(name: str) -> str:
    """A name that no tool takes for one of a public registry: `app` → `localhost/app:dev`."""
    registry, slash, _ = name.partition("/")
    local = name if slash and (registry == "localhost" or "." in registry) else f"localhost/{name}"
    return local if ":" in local.rpartition("/")[2] else f"{local}:{DEFAULT_TAG}"


def request(name: str, context: Path, recipe: Path | None, arguments: list[str]) -> Request:
    """What the command line asks for.

    Raises:
        ClusterError: no Containerfile there, or a build argument without a value.
    """
    found = recipe or next(
        (file for file in (context / "Containerfile", context / "Dockerfile") if file.exists()), None
    )
    if found is None or not found.exists():
        raise ClusterError(f"no Containerfile in {context}")
    if any("=" not in argument for argument in arguments):
        raise ClusterError("a build argument is NAME=VALUE")
    pairs = dict(argument.split("=", 1) for argument in arguments)
    return Request(full_reference(name), context.absolute(), found.absolute(), pairs)


def provide(machine: Machine, wanted: Request) -> None:
    """Build the image and load it into the nodes; each only if it must be."""
    before: list[Step] = []
    if machine.provider is Provider.SELF_BUILT:
        build, before, wanted = self_built(machine, wanted)
    else:
        build = engine_build(machine, wanted)
    load = Step(
        f"load {wanted.reference}",
        lambda: load_archive(machine, archive_of(machine, wanted)),
        inputs=(build, machine.identity),
    )
    run(machine, [*before, build, load])


def self_built(machine: Machine, wanted: Request) -> tuple[Step, list[Step], Request]:
    """Build by buildah; a public base is replaced by its local stand-in."""
    runner, folders = machine.runner, machine.folders
    buildah = bases.Buildah(runner, folders)
    before: list[Step] = []
    asked = wanted.arguments.get("BASE") or default_base(wanted.recipe.read_text())
    if asked:
        base = bases.stand_in(asked)
        before = bases.steps(base, buildah, folders)
        wanted = Request(wanted.reference, wanted.context, wanted.recipe, {**wanted.arguments, "BASE": base.reference})
    archive = archive_of(machine, wanted)

    def build() -> None:
        packages.install(runner, packages.FOR_IMAGES)
        buildah.build(wanted.reference, wanted.recipe, wanted.context, wanted.arguments)
        buildah.save(wanted.reference, archive)

    step = Step(f"build {wanted.reference}", build, inputs=(wanted.digest, *before), present=archive.exists)
    return step, before, wanted


def engine_build(machine: Machine, wanted: Request) -> Step:
    """Build by the machine's own docker or podman."""
    runner, engine = machine.runner, machine.engine_name
    archive = archive_of(machine, wanted)

    def build() -> None:
        arguments = [word for item in wanted.arguments.items() for word in ("--build-arg", "=".join(item))]
        recipe = ("--file", wanted.recipe, "--tag", wanted.reference)
        runner.run(engine, "build", *arguments, *recipe, wanted.context)
        archive.parent.mkdir(parents=True, exist_ok=True)
        runner.run(engine, "save", "--output", archive, wanted.reference)

    return Step(f"build {wanted.reference}", build, inputs=(wanted.digest, engine), present=archive.exists)


def archive_of(machine: Machine, wanted: Request) -> Path:
    """Where the built image is kept, so that a new cluster gets it without a build."""
    name = wanted.reference.replace("/", "_").replace(":", "_")
    return machine.folders.images / f"{name}.tar"


def load_archive(machine: Machine, archive: Path) -> None:
    """Bring an archive into the nodes of whatever cluster it is.

    Raises:
        ClusterError: nobody told us how this kind of cluster gets its images.
    """
    if machine.provider is not Provider.EXISTING:
        machine.kind.load(archive)
        return
    command = contexts.image_loader(machine.context, str(archive))
    if command is None:
        raise ClusterError(f"bring {archive} into {machine.context} yourself: how is not known here")
    if command:
        machine.runner.run(*command)
