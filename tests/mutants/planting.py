"""Puts a defect into a module: found by what the code says, not by how it is laid out.

The place is a function by its qualified name, in a module by its own name, wherever that lies; in it, the expression or
the statements that are meant, compared as syntax. So a defect outlives moved files, comments and line breaks; that it
no longer fits is told before anything runs.
"""

from __future__ import annotations

import ast
import copy
import functools
from collections.abc import Iterator
from pathlib import Path

from tests.mutants.defects import Defect

Wanted = list[ast.stmt]


class Unplantable(Exception):
    """The place is not there, or the code in it is not there exactly once."""


def module_of(defect: Defect, package: Path) -> Path:
    """The file of a defect's module.

    Raises:
        Unplantable: there is none, or there are several: then more of its path must be said.
    """
    module = defect.where.partition(":")[0]
    found = [file for file in _files(package) if f"/{file.relative_to(package)}".endswith(f"/{module}.py")]
    if len(found) != 1:
        raise Unplantable(f"{defect.name}: {len(found)} modules are called {module}")
    return found[0]


@functools.cache
def _files(package: Path) -> tuple[Path, ...]:
    return tuple(package.rglob("*.py"))


def planted(defect: Defect, source: str) -> str:
    """A module's source with the defect in it.

    Raises:
        Unplantable: the place or the code in it is not there, or not once.
    """
    tree = ast.parse(source)
    place = _place(tree, defect)
    old, new = _parsed(defect.old), _parsed(defect.new)
    count = _in_bodies(place, old, new)
    if not count and len(old) == 1 and isinstance(old[0], ast.Expr):
        swap = _Swap(old[0].value, new)
        swap.generic_visit(place)
        count = swap.count
    if count != 1:
        raise Unplantable(f"{defect.name}: its code stands {count} times in {defect.where}, must be once")
    return ast.unparse(ast.fix_missing_locations(tree))


def _parsed(code: str) -> Wanted:
    """Statements; an item with a star, which stands only in a list or a call, as an expression."""
    if not code.startswith("*"):
        return ast.parse(code).body
    (call,) = ast.parse(f"_({code})").body
    assert isinstance(call, ast.Expr) and isinstance(call.value, ast.Call)  # noqa: PT018  it was made so
    return [ast.Expr(call.value.args[0])]


def _place(tree: ast.Module, defect: Defect) -> ast.AST:
    here: ast.AST = tree
    for name in filter(None, defect.where.partition(":")[2].split(".")):
        inside = [node for node in ast.iter_child_nodes(here) if name in _names(node)]
        if len(inside) != 1:
            raise Unplantable(f"{defect.name}: {defect.where} is not there")
        here = inside[0]
    return here


def _names(node: ast.AST) -> set[str]:
    """What a definition or an assignment is called."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _in_bodies(place: ast.AST, old: Wanted, new: Wanted) -> int:
    """How often these statements stood there, one after the other, and were replaced."""
    wanted, count = [ast.dump(statement) for statement in old], 0
    for body in _bodies(place):
        here = [ast.dump(statement) for statement in body]
        for at in range(len(here) - len(wanted), -1, -1):
            if here[at : at + len(wanted)] == wanted:
                body[at : at + len(wanted)] = copy.deepcopy(new) or [ast.Pass()]
                count += 1
    return count


def _bodies(place: ast.AST) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(place):
        for name in ("body", "orelse", "finalbody"):
            body = getattr(node, name, None)
            if isinstance(body, list):
                yield body


class _Swap(ast.NodeTransformer):
    """Replaces an expression; where it becomes nothing, it goes out of the list, tuple or call that has it."""

    def __init__(self, old: ast.expr, new: Wanted) -> None:
        self._old, self.count = ast.dump(old), 0
        self._new = new[0].value if new and isinstance(new[0], ast.Expr) else None

    def visit(self, node: ast.AST) -> ast.AST | None:
        if isinstance(node, ast.expr) and ast.dump(node) == self._old:
            self.count += 1
            return copy.deepcopy(self._new)
        self.generic_visit(node)
        return node
