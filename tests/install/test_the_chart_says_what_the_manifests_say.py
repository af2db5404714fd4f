"""The chart comes from the manifests, and what it adds (values and their schema) fits what it comes from.

What both render is compared, object by object, by Helm and kubectl themselves: tests/integration/install.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from charts import generate

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts/kubedrill"
SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
VALUES = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
DEPLOYMENTS = {"operator": "deployment.yaml", "watchdog": "watchdog.yaml"}


def test_what_is_generated_is_what_the_manifests_say():
    written = {path: (ROOT / path).read_text(encoding="utf-8") for path, _ in generate.files()}
    assert written == dict(generate.files())


def test_a_manifest_that_changes_its_shape_is_not_generated_without_its_values():
    text = (ROOT / "manifests/base/deployment.yaml").read_text(encoding="utf-8")
    with pytest.raises(SystemExit, match="found 0 times, not 1: image"):
        generate.template("deployment", text.replace("localhost/kubedrill/operator:dev", "another"))


def test_every_file_of_the_base_is_a_template_but_the_namespace_which_outlives_a_release():
    base = yaml.safe_load((ROOT / "manifests/base/kustomization.yaml").read_text(encoding="utf-8"))
    assert {f"{name}.yaml" for name in generate.BASE} == set(base["resources"]) - {"namespace.yaml"}


def test_no_template_names_the_control_namespace_by_itself():
    for file in (CHART / "templates").glob("*.yaml"):
        said = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
        assert not [line for line in said if re.search(r"namespace: drills|\.drills\.", line)], file.name


def test_its_version_is_the_projects():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert chart["version"] == chart["appVersion"] == project["version"]
    assert chart["description"] == project["description"]


@pytest.mark.parametrize("process", DEPLOYMENTS)
def test_what_is_given_to_a_process_by_default_is_what_its_manifest_gives_it(process: str):
    assert VALUES[process]["resources"] == resources(DEPLOYMENTS[process])


def resources(file: str) -> dict[str, Any]:
    things = yaml.safe_load_all((ROOT / "manifests/base" / file).read_text(encoding="utf-8"))
    (found,) = (t for t in things if t["kind"] == "Deployment")
    (container,) = found["spec"]["template"]["spec"]["containers"]
    return dict(container["resources"])


def test_both_together_ask_for_at_most_a_tenth_of_a_core_and_256_mebibytes():
    asked = [resources(file)["requests"] for file in DEPLOYMENTS.values()]
    assert sum(int(one["cpu"].removesuffix("m")) for one in asked) <= 100
    assert sum(int(one["memory"].removesuffix("Mi")) for one in asked) <= 256


# ---- the schema


def described(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A part of the schema, where it stands."""
    return SCHEMA["definitions"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def objects(schema: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every object in the schema that has named properties."""
    schema = described(schema)
    if "properties" in schema:
        yield at or "values", schema
        for name, inner in schema["properties"].items():
            yield from objects(inner, f"{at}.{name}")


def keys(values: Mapping[str, Any], schema: Mapping[str, Any], at: str = "") -> Iterator[str]:
    """The values that the schema does not describe."""
    known = described(schema).get("properties")
    if known is None:
        return
    for name, value in values.items():
        if name not in known:
            yield f"{at}.{name}"
        elif isinstance(value, dict):
            yield from keys(value, known[name], f"{at}.{name}")


def test_it_describes_every_value_and_each_has_a_default():
    assert not list(keys(VALUES, SCHEMA))
    assert set(SCHEMA["properties"]) - {"global"} == set(VALUES)
    for name, schema in objects(SCHEMA):
        path = [part for part in name.split(".") if part not in ("", "values")]
        there: Any = VALUES
        for part in path:
            there = there[part]
        assert set(schema["properties"]) - {"global"} == set(there) or "requests" in schema["properties"], name


def test_it_refuses_whatever_it_does_not_describe():
    assert [name for name, schema in objects(SCHEMA) if schema.get("additionalProperties") is not False] == []


def test_every_value_is_used_by_a_template():
    used = "".join(file.read_text(encoding="utf-8") for file in (CHART / "templates").iterdir())
    for name, schema in objects(SCHEMA):
        for key in set(schema["properties"]) - {"global", "requests", "limits"}:
            path = f"{name}.{key}".removeprefix("values")
            assert f".Values{path}" in used or any(f".Values{path}.{k}" in used for k in VALUES[key]), path
