"""Whatever a how-to says to apply is well formed, and the Secrets that it says to make are such as are taken."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from kubedrill.cli.manifest import MODELS, load
from kubedrill.store.access_secrets import ACCESS_TYPE, FIELDS

FOLDER = Path(__file__).parents[2] / "docs/how-to"
PAGES = sorted(FOLDER.glob("*.md"))
BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECRETS = re.compile(rf"^kubectl create secret generic \S+ .*--type={re.escape(ACCESS_TYPE)} .*$", re.MULTILINE)
BEHIND_AUTH = (FOLDER / "prometheus-behind-auth.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_object_of_ours_is_well_formed(page: Path, tmp_path: Path):
    for number, text in enumerate(BLOCK.findall(page.read_text(encoding="utf-8"))):
        thing = yaml.safe_load(text)
        if isinstance(thing, dict) and thing.get("kind") in MODELS:
            file = tmp_path / f"{number}.yaml"
            file.write_text(text, encoding="utf-8")
            assert load([str(file)])


def test_every_secret_has_the_fields_that_are_read_and_is_named_by_the_environment():
    made = [shlex.split(command) for command in SECRETS.findall(BEHIND_AUTH)]
    fields = [{word.split("=")[1] for word in words if word.startswith("--from-")} for words in made]
    assert all("host" in some and some <= set(FIELDS) for some in fields)
    assert {words[4] for words in made} == set(re.findall(r"credentials: (\S+)", BEHIND_AUTH))


def test_every_field_is_explained():
    rows = re.findall(r"^\| ((?:`[a-z.]+`(?:, )?)+) \|", BEHIND_AUTH, re.MULTILINE)
    assert set(re.findall(r"`([a-z.]+)`", " ".join(rows))) == set(FIELDS)
