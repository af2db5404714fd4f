"""Which expressions have a value that raw samples tell, so that the instants at which they were taken can be used."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import promql_parser as promql

from kubedrill.plugins.sources.promql import ARITHMETIC, MIRRORED, bare, calculated, one_line, parsed

_AGGREGATES: Final = frozenset({"sum", "max", "min", "avg"})


@dataclass(frozen=True, slots=True)
class RawForm:
    """Plain selectors whose raw samples, added up, are what an expression is computed from.

    `value` makes its value of such a sum; nothing where it has none. `bare`: it is one selector without anything
    around it, so that each of its series has a value of its own.
    """

    selectors: tuple[str, ...]
    bare: bool
    value: Callable[[float], float | None]


@lru_cache(maxsize=256)
def raw_form(expression: str) -> RawForm | None:
    """The form of an expression; nothing when raw samples can't tell its value.

    They can for selectors, sums of them, and `last_over_time` and aggregations over them as far as one series comes
    back (which the reader of the answer checks); and for what is computed of one of those and numbers.
    """
    try:
        node = parsed(expression)
    except ValueError:
        return None
    roots = dict(_roots(node))
    if len(roots) != 1 or not all(roots.values()):
        return None
    ((root, selectors),) = roots.items()
    return RawForm(selectors, selectors == (root,), lambda of: _finite(_value(node, root, of)))


def _roots(node: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What an expression computes with: each by its text, with its selectors; without, where raw samples don't tell."""
    node = bare(node)
    terms = _terms(node)
    if terms:
        yield one_line(node), tuple(terms)
    elif isinstance(node, promql.UnaryExpr):
        yield from _roots(node.expr)
    elif isinstance(node, promql.Call) and node.func.name == "abs":
        yield from _roots(node.args[0])
    elif isinstance(node, promql.BinaryExpr) and _is_plain(node):
        yield from _roots(node.lhs)
        yield from _roots(node.rhs)
    elif not isinstance(node, promql.NumberLiteral):
        yield one_line(node), ()


def _is_plain(node: Any) -> bool:
    """Whether an operator works on each series by itself, and matches those of both sides by all labels."""
    operator, modifier = str(node.op), node.modifier
    plain = modifier is None or (modifier.matching is None and not modifier.return_bool)
    return plain and (operator in ARITHMETIC or operator in MIRRORED or operator == "or")


def _value(node: Any, root: str, of: float) -> float | None:
    """The value of an expression where what it computes with is `of`; nothing where it has no series."""
    node = bare(node)
    if isinstance(node, promql.NumberLiteral):
        return float(node.val)
    if one_line(node) == root:
        return of
    if isinstance(node, promql.UnaryExpr):
        inner = _value(node.expr, root, of)
        return None if inner is None else -inner
    if isinstance(node, promql.Call):
        inner = _value(node.args[0], root, of)
        return None if inner is None else abs(inner)
    left, right = _value(node.lhs, root, of), _value(node.rhs, root, of)
    operator = str(node.op)
    if operator == "or":
        return right if left is None else left
    if left is None or right is None:
        return None
    if operator in ARITHMETIC:
        return calculated(operator, left, right)
    kept = right if isinstance(bare(node.lhs), promql.NumberLiteral) else left
    return kept if COMPARED[operator](left, right) else None


COMPARED: Final[dict[str, Callable[[float, float], bool]]] = {
    ">": lambda left, right: left > right,
    "<": lambda left, right: left < right,
    ">=": lambda left, right: left >= right,
    "<=": lambda left, right: left <= right,
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _terms(node: Any) -> list[str] | None:
    """The selectors whose sum is an expression's value."""
    node = bare(node)
    if isinstance(node, promql.VectorSelector):
        return None if node.offset is not None or node.at is not None else [one_line(node)]
    if isinstance(node, promql.AggregateExpr) and str(node.op) in _AGGREGATES:
        inner = _terms(node.expr)
        return inner if inner is not None and len(inner) == 1 else None
    if isinstance(node, promql.Call) and node.func.name == "last_over_time":
        selector = bare(node.args[0])
        return _terms(selector.vector_selector) if isinstance(selector, promql.MatrixSelector) else None
    if isinstance(node, promql.BinaryExpr) and str(node.op) == "+" and node.modifier is None:
        left, right = _terms(node.lhs), _terms(node.rhs)
        return left + right if left is not None and right is not None else None
    return None
