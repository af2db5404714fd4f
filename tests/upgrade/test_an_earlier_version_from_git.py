"""The nightly upgrade takes the earlier version from Git; a clone without its history says how to get it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from nightly.versions import PARTS, unpacked


def git(folder: Path, *words: str) -> str:
    """Runs git as nobody in particular."""
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com")
    done = subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone whose first version is not that of its working tree any more."""
    git(tmp_path, "init", "-q")
    for part in ("crds/drills.yaml", "manifests/a.yaml", "operator/a.py", "requirements/operator.txt", "docs/a.md"):
        (tmp_path / part).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / part).write_text("earlier", encoding="utf-8")
    for text in ("earlier", "this"):
        (tmp_path / "crds/drills.yaml").write_text(text, encoding="utf-8")
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-q", "-m", text)
    return tmp_path


def test_what_is_installed_of_an_earlier_version_is_unpacked_and_no_more(clone: Path):
    place = unpacked(git(clone, "rev-parse", "HEAD~1"), clone)
    assert (place / "crds/drills.yaml").read_text(encoding="utf-8") == "earlier"
    assert all((place / part).exists() for part in PARTS)
    assert not (place / "docs").exists()


def test_a_clone_without_the_history_says_how_to_get_it(clone: Path, tmp_path_factory: pytest.TempPathFactory):
    shallow = tmp_path_factory.mktemp("shallow")
    git(shallow, "clone", "-q", "--depth=1", f"file://{clone}", ".")
    with pytest.raises(AssertionError, match=r"not in this clone .*git fetch --unshallow"):
        unpacked(git(clone, "rev-parse", "--short", "HEAD~1"), shallow)
