"""The operator's source, read and parsed once for all tests that look through it."""

from __future__ import annotations

import ast
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).parents[1] / "operator/kubedrill"


@functools.cache
def files() -> Mapping[str, Path]:
    """Every module by its path in the package, in order."""
    return {str(file.relative_to(PACKAGE)): file for file in sorted(PACKAGE.rglob("*.py"))}


@functools.cache
def text_of(module: str) -> str:
    """A module's source."""
    return files()[module].read_text(encoding="utf-8")


@functools.cache
def parsed(module: str) -> ast.Module:
    """A module as syntax. It is shared: nobody changes it."""
    return ast.parse(text_of(module))
