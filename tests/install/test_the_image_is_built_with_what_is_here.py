"""`make image` takes docker, podman or buildah, whichever answers, and says plainly when none does."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IMAGE = "registry.example.com/team/kubedrill:1.2.3"
COREUTILS = ("bash", "cat", "chmod", "cp", "dirname", "env", "find", "mkdir", "rm")


class Machine:
    """A checkout, and a PATH on which there is nothing but what a test puts there."""

    def __init__(self, place: Path) -> None:
        self.tree, self.programs = place / "tree", place / "bin"
        self.programs.mkdir()
        for name in COREUTILS:
            (self.programs / name).symlink_to(str(shutil.which(name)))
        for name in ("operator/Containerfile", "operator/image.sh", "requirements/operator.txt"):
            (self.tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self.tree / name)
        package = self.tree / "operator/kubedrill"
        (package / "__pycache__").mkdir(parents=True)
        (package / "__init__.py").touch()

    def has(self, name: str, *, answers: bool = True) -> None:
        """A program that writes down how it was called; one without an engine fails at its first question."""
        told = f'case " $* " in *" build "*) echo "$0 $*" >> {self.tree}/called;; esac'
        text = f"#!{self.programs}/bash\n{told}\nexit {0 if answers else 1}\n"
        (self.programs / name).write_text(text, encoding="utf-8")
        (self.programs / name).chmod(0o755)

    def make(self, image: str = IMAGE, **environment: str) -> subprocess.CompletedProcess[str]:
        env = {"PATH": str(self.programs), **environment}
        command = [str(self.tree / "operator/image.sh"), image]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    @property
    def called(self) -> list[str]:
        """How the builder was called, from its name on."""
        lines = (self.tree / "called").read_text(encoding="utf-8").splitlines()
        return [line.removeprefix(f"{self.programs}/") for line in lines]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize(
    ("here", "taken"),
    [(("docker", "podman", "buildah"), "docker"), (("podman", "buildah"), "podman"), (("buildah",), "buildah")],
)
def test_the_first_that_is_here_builds_it(machine: Machine, here: tuple[str, ...], taken: str):
    for name in here:
        machine.has(name)
    done = machine.make()
    assert done.returncode == 0, done.stderr
    context = "build/operator-image"
    assert machine.called == [f"{taken} build --file {context}/Containerfile --tag {IMAGE} {context}"]
    assert done.stdout == f"built {IMAGE}. Push it: {taken} push {IMAGE}\n"


def test_a_docker_without_an_engine_is_none(machine: Machine):
    machine.has("docker", answers=False)
    machine.has("buildah")
    assert machine.make().returncode == 0
    assert machine.called[0].startswith("buildah build ")


def test_where_none_is_here_it_says_so_and_what_to_do(machine: Machine):
    machine.has("docker", answers=False)
    done = machine.make()
    assert done.returncode == 2
    assert "neither docker (with an engine that answers) nor podman nor buildah is here" in done.stderr


@pytest.mark.parametrize(
    ("image", "why"),
    [("", "say what the image is to be called"), ("registry:5000/kubedrill", "has no tag")],
)
def test_an_image_without_a_name_or_tag_is_refused(machine: Machine, image: str, why: str):
    machine.has("docker")
    done = machine.make(image)
    assert done.returncode == 2
    assert why in done.stderr


def test_base_and_builder_may_be_said(machine: Machine):
    machine.has("docker")
    machine.has("mine")
    assert machine.make(BUILDER="mine --root /x", BASE="localhost/python").returncode == 0
    (called,) = machine.called
    assert called.startswith("mine --root /x build --build-arg BASE=localhost/python ")


def test_what_is_built_from_is_what_the_containerfile_copies_and_nothing_else(machine: Machine):
    machine.has("docker")
    machine.make()
    context = machine.tree / "build/operator-image"
    files = {str(path.relative_to(context)) for path in context.rglob("*")}
    copied = [line.split()[1] for line in (ROOT / "operator/Containerfile").read_text().splitlines() if "COPY" in line]
    assert set(copied) <= files
    assert not [name for name in files if "__pycache__" in name]
    stray = {name for name in files if not name.startswith(("operator", "requirements", "Containerfile"))}
    assert not stray
