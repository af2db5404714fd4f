"""A fault kind is one file: nothing of the operator but that file names it, and no kind knows of another."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic.alias_generators import to_snake

from kubedrill.api.faults import Fault
from kubedrill.plugins.faults import discover

OPERATOR = Path(__file__).parents[2] / "operator/kubedrill"
FAULTS = OPERATOR / "plugins/faults"
KINDS = sorted(discover())
OF_KUBERNETES = {"ResourceQuota"}
"""Kinds of objects: whoever names one means the object, and not the fault that is called after it."""


def forms(kind: str) -> Iterator[str]:
    """How code can name a kind.

    A name of several words means the kind wherever it stands. One that is a word of the language as well ("alert")
    names the kind as an attribute of a fault, as a module of the registry, or in quotes where kinds are spoken of.
    """
    snake = to_snake(kind)
    if "_" in snake:
        model = f"{kind[0].upper()}{kind[1:]}"
        words = (kind, snake) if model in OF_KUBERNETES else (kind, snake, model)
        yield rf"\b({'|'.join(words)})\b"
    yield rf"\b(f|fault|faults\[[^]]*\])\.{snake}\b"
    yield rf"\bfaults\.{snake}\b|\bfaults import [^\n]*\b{snake}\b"
    yield rf"\bkinds?\b[^\n]*[\"']({kind}|{snake})[\"']|[\"']({kind}|{snake})[\"'][^\n]*\.kind\b"
    yield rf"discover\(\)(\[|\.get\()[\"']{kind}[\"']"


@functools.cache
def outside() -> tuple[tuple[str, str], ...]:
    """Each source file of the operator that is not in the registry, with its text."""
    files = [
        p for p in sorted(OPERATOR.rglob("*")) if p.suffix in (".py", ".html", ".yaml") and FAULTS not in p.parents
    ]
    return tuple((str(path.relative_to(OPERATOR)), path.read_text()) for path in files)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_outside_of_the_registry_names_the_kind(kind: str):
    named = re.compile("|".join(f"(?:{form})" for form in forms(kind)))
    words = {kind, to_snake(kind), f"{kind[0].upper()}{kind[1:]}"}
    texts = [(name, text) for name, text in outside() if any(word in text for word in words)]
    found = [f"{name}: {one[0]}" for name, text in texts for one in named.finditer(text)]

    assert outside()
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "if fault.memory_limit:",
        "wanted = {f.memory_limit.target.name for f in drill_plan.faults}",
        'return fault.kind == "alert"',
        'if "manual" == fault.kind:',
        "for f in faults if f.alert:",
        'plan = discover()["manual"].plan',
        "from kubedrill.plugins.faults import manual",
        "from kubedrill.plugins.faults.alert import AlertAnnounce",
        'QUEUES = ("queueLoad",)',
    ],
)
def test_a_line_that_names_a_kind_is_found(line: str):
    assert any(
        re.search(form, line) for kind in ("alert", "manual", "memoryLimit", "queueLoad") for form in forms(kind)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_has_no_attribute_of_the_kinds_name(kind: str):
    assert not {kind, to_snake(kind)} & {*Fault.model_fields, *dir(Fault)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_knows_nothing_of_another(kind: str):
    modules = {f"kubedrill.plugins.faults.{to_snake(other)}" for other in KINDS}
    tree = ast.parse((FAULTS / f"{to_snake(kind)}.py").read_text())
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            imported |= {str(node.module), *(f"{node.module}.{name.name}" for name in node.names)}
        elif isinstance(node, ast.Import):
            imported |= {name.name for name in node.names}
    assert not imported & modules
