"""The pages on installing name targets, files, values, options and roles that there are."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from kubedrill.cli.main import VERBS

ROOT = Path(__file__).parents[2]
NAMES = ("install", "upgrade", "uninstall", "kube-prometheus-stack")
PAGES = {name: (ROOT / f"docs/how-to/{name}.md").read_text(encoding="utf-8") for name in NAMES}
PAGES["README"] = (ROOT / "README.md").read_text(encoding="utf-8")
TEXTS = [pytest.param(text, id=name) for name, text in PAGES.items()]
OWN = ("crds", "manifests", "charts", "build/dist")


def commands(text: str) -> list[str]:
    """The lines of all blocks of commands, a continued line as one, comments left out."""
    blocks = re.findall(r"^```\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [stripped for line in lines if (stripped := re.sub(r"\s+#.*", "", line).strip())]


def command_of(verb: str) -> click.Command:
    found = VERBS[verb]
    command = getattr(import_module(f"kubedrill.cli.{found.module}"), found.attribute or verb.replace("-", "_"))
    assert isinstance(command, click.Command)
    return command


@pytest.mark.parametrize("text", TEXTS)
def test_every_target_of_make_is_there(text: str):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"\bmake ([a-z][a-z0-9-]*)", " ; ".join(commands(text))):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize("text", TEXTS)
def test_every_file_is_there(text: str):
    for line in commands(text):
        for word in line.split():
            if word.startswith(OWN) and not word.startswith("build/"):
                assert (ROOT / word).exists(), line


@pytest.mark.parametrize("text", TEXTS)
def test_every_value_of_the_chart_is_described(text: str):
    schema = json.loads((ROOT / "charts/kubedrill/values.schema.json").read_text(encoding="utf-8"))
    for name in re.findall(r"--set ([A-Za-z.]+)=", " ".join(commands(text))):
        known: dict[str, Any] = schema
        for part in name.split("."):
            known = known["properties"][part]


@pytest.mark.parametrize("text", TEXTS)
def test_every_verb_has_the_options_that_it_is_given(text: str):
    for line in commands(text):
        for verb, rest in re.findall(r"kubectl drill ([a-z-]+)([^|;&]*)", line):
            options = {name for p in command_of(verb).params if isinstance(p, click.Option) for name in p.opts}
            assert set(re.findall(r"(?<= )--?[a-z][a-z-]*", rest)) <= options | {"-h"}, line


def test_every_role_of_people_is_on_the_page_and_no_other():
    people = yaml.safe_load_all((ROOT / "manifests/base/people.yaml").read_text(encoding="utf-8"))
    roles = {thing["metadata"]["name"] for thing in people if thing["kind"] == "ClusterRole"}
    assert set(re.findall(r"^\| `(kubedrill-[a-z-]+)` \|", PAGES["install"], re.MULTILINE)) == roles


def test_what_it_costs_is_what_the_manifests_ask_for():
    asked = [
        thing["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]
        for file in ("deployment.yaml", "watchdog.yaml")
        for thing in yaml.safe_load_all((ROOT / "manifests/base" / file).read_text(encoding="utf-8"))
        if thing["kind"] == "Deployment"
    ]
    cpu = sum(int(one["cpu"].removesuffix("m")) for one in asked)
    memory = sum(int(one["memory"].removesuffix("Mi")) for one in asked)
    assert f"It costs** {cpu}m of CPU and {memory}Mi of memory in requests" in PAGES["install"]
