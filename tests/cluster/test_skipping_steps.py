import io
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cluster.steps import Stamps, Step, exists, run_steps


@dataclass
class Build:
    """A step that writes one file, and how often it ran."""

    folder: Path
    inputs: tuple[str, ...] = ("version 1",)
    runs: list[str] = field(default_factory=list)

    @property
    def product(self) -> Path:
        return self.folder / "product"

    def step(self) -> Step:
        def make() -> None:
            self.runs.append("ran")
            self.product.write_text("made")

        return Step("build it", make, inputs=self.inputs, present=exists(self.product))

    def run(self) -> str:
        out = io.StringIO()
        run_steps([self.step()], Stamps(self.folder / "stamps"), out)
        return out.getvalue()


@pytest.fixture
def build(tmp_path) -> Build:
    return Build(tmp_path)


def test_a_step_runs_once_and_is_then_unchanged(build) -> None:
    build.run()
    assert "unchanged" in build.run()
    assert len(build.runs) == 1


def test_a_changed_text_makes_the_step_run_again(build) -> None:
    build.run()
    build.inputs = ("version 2",)
    build.run()
    assert len(build.runs) == 2


def test_a_changed_file_below_an_input_folder_makes_the_step_run_again(build, tmp_path) -> None:
    source = tmp_path / "source" / "deep" / "main.go"
    source.parent.mkdir(parents=True)
    source.write_text("one")
    build.inputs = (tmp_path / "source",)
    build.run()
    build.run()
    source.write_text("two")
    build.run()
    assert len(build.runs) == 2


def test_a_file_that_becomes_executable_is_a_change(build, tmp_path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o644)
    build.inputs = (script,)
    build.run()
    script.chmod(0o755)
    build.run()
    assert len(build.runs) == 2


def test_a_product_that_was_deleted_is_made_again(build) -> None:
    build.run()
    build.product.unlink()
    build.run()
    assert build.product.exists()


def test_a_change_before_reaches_every_step_behind_it(tmp_path) -> None:
    def nothing() -> None:
        """Only what a step is made of counts here."""

    def chain(version: str) -> Step:
        first = Step("first", nothing, inputs=(version,))
        return Step("third", nothing, inputs=(Step("second", nothing, inputs=(first,)),))

    stamps = Stamps(tmp_path)
    stamps.finish(chain("1"))
    assert stamps.is_current(chain("1"))
    assert not stamps.is_current(chain("2"))


def test_a_step_without_inputs_runs_every_time(build) -> None:
    build.inputs = ()
    build.run()
    build.run()
    assert len(build.runs) == 2


def test_a_failed_step_is_where_the_next_run_goes_on(tmp_path) -> None:
    done: list[str] = []
    broken = [True]

    def fragile() -> None:
        if broken[0]:
            raise OSError("no space")
        done.append("second")

    steps = [
        Step("first", lambda: done.append("first"), inputs=("a",)),
        Step("second", fragile, inputs=("b",)),
    ]
    out = io.StringIO()
    with pytest.raises(OSError, match="no space"):
        run_steps(steps, Stamps(tmp_path), out)
    assert "failed after" in out.getvalue()
    broken[0] = False
    assert run_steps(steps, Stamps(tmp_path), io.StringIO()) == 1
    assert done == ["first", "second"]


def test_a_step_interrupted_while_remaking_is_not_taken_for_its_last_success(build) -> None:
    build.run()
    build.inputs = ("version 2",)

    def interrupted() -> None:
        raise KeyboardInterrupt

    stamps = Stamps(build.folder / "stamps")
    with pytest.raises(KeyboardInterrupt):
        run_steps([Step("build it", interrupted, inputs=("version 2",))], stamps, io.StringIO())
    build.inputs = ("version 1",)
    build.run()
    assert len(build.runs) == 2


def test_progress_numbers_the_steps_and_gives_seconds(build) -> None:
    assert build.run().startswith("[ 1/1] build it · 0.")
