"""Every sentence of ours that reaches people, in one file for review: `python -m tests.golden.sentences` writes it.

Found in the code as strings of three words and more, neither documentation nor logged: status, Events, messages,
findings, reports, help. What is filled in stands as `{…}`.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.source import files, parsed

GOLDEN: Final = Path(__file__).with_name("sentences.txt")
WORDS: Final = re.compile(r"[A-Za-z{…}'’,.:;()–-]+(?: [A-Za-z{…}'’,.:;()–/\"-]+){2,}")
LOGGED: Final = {"debug", "info", "warning", "error", "exception"}


@functools.cache
def sentences() -> str:
    """The file's text: by module, in the order of the code."""
    parts = []
    for module in files():
        found = list(dict.fromkeys(_of(parsed(module))))
        if found:
            parts.append("\n".join((f"# {module}", *found, "")))
    return "\n".join(parts)


def _of(tree: ast.Module) -> Iterator[str]:
    silent = {id(node) for node in _documentation(tree)} | {id(node) for node in _logged(tree)}
    inside: set[int] = set()
    for node in ast.walk(tree):
        if id(node) in silent or id(node) in inside:
            continue
        if isinstance(node, ast.JoinedStr):
            inside |= {id(part) for part in node.values}
            text = "".join(str(p.value) if isinstance(p, ast.Constant) else "{…}" for p in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        line = " ".join(text.split())
        if WORDS.search(line):
            yield line


def _documentation(tree: ast.Module) -> Iterator[ast.AST]:
    """Strings that are statements: docstrings, and what is said below a constant."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def _logged(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LOGGED:
            yield from (inner for one in node.args for inner in ast.walk(one))


if __name__ == "__main__":
    GOLDEN.write_text(sentences(), encoding="utf-8")
