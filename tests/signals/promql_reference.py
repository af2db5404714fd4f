"""PromQL at one instant, as its documentation says: small, slow, and for no purpose but to compare with.

A vector is a list of (labels, value); labels are a frozenset of pairs, the metric's name among them.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import promql_parser as promql

Labels = frozenset[tuple[str, str]]
Vector = list[tuple[Labels, float]]
NAME = "__name__"
ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
AGGREGATES: dict[str, Callable[[Sequence[float]], float]] = {
    "sum": math.fsum,
    "max": max,
    "min": min,
    "count": lambda values: float(len(values)),
}


def labelled(**labels: str) -> Labels:
    return frozenset(labels.items())


def evaluated(expression: str, data: Vector) -> Vector:
    """The vector that an expression gives of these series."""
    found = _value(promql.parse(expression), data)
    return [(frozenset(), found)] if isinstance(found, float) else found


def _value(node: Any, data: Vector) -> Vector | float:
    if isinstance(node, promql.ParenExpr):
        return _value(node.expr, data)
    if isinstance(node, promql.NumberLiteral):
        return float(node.val)
    if isinstance(node, promql.UnaryExpr):
        inner = _value(node.expr, data)
        return -inner if isinstance(inner, float) else [(_unnamed(labels), -value) for labels, value in inner]
    if isinstance(node, promql.VectorSelector):
        return [(labels, value) for labels, value in data if _selected(node, dict(labels))]
    if isinstance(node, promql.AggregateExpr):
        return _aggregated(node, _vector(node.expr, data))
    if isinstance(node, promql.Call):
        return _called(node, data)
    return _binary(node, data)


def _vector(node: Any, data: Vector) -> Vector:
    found = _value(node, data)
    assert not isinstance(found, float)
    return found


def _selected(selector: Any, labels: dict[str, str]) -> bool:
    if selector.name is not None and labels.get(NAME) != selector.name:
        return False
    checks = {
        "MatchOp.Equal": lambda had, wanted: had == wanted,
        "MatchOp.NotEqual": lambda had, wanted: had != wanted,
        "MatchOp.Re": lambda had, wanted: re.fullmatch(wanted, had) is not None,
        "MatchOp.NotRe": lambda had, wanted: re.fullmatch(wanted, had) is None,
    }
    return all(checks[str(m.op)](labels.get(m.name, ""), m.value) for m in selector.matchers.matchers)


def _aggregated(node: Any, inner: Vector) -> Vector:
    groups: dict[Labels, list[float]] = {}
    for labels, value in inner:
        by = node.modifier.labels if node.modifier is not None else []
        groups.setdefault(frozenset(pair for pair in labels if pair[0] in by), []).append(value)
    return [(labels, AGGREGATES[str(node.op)](values)) for labels, values in groups.items()]


def _called(node: Any, data: Vector) -> Vector:
    name = node.func.name
    if name == "vector":
        return [(frozenset(), float(node.args[0].val))]
    if name == "absent":
        return [] if _vector(node.args[0], data) else [(frozenset(), 1.0)]
    if name == "label_replace":
        inner, label, value = _vector(node.args[0], data), node.args[1].val, node.args[2].val
        assert (node.args[3].val, node.args[4].val) == ("", "")
        return [(frozenset({*(p for p in labels if p[0] != label), (label, value)}), v) for labels, v in inner]
    assert name == "abs"
    return [(_unnamed(labels), abs(value)) for labels, value in _vector(node.args[0], data)]


def _binary(node: Any, data: Vector) -> Vector | float:
    sign = str(node.op)
    left, right = _value(node.lhs, data), _value(node.rhs, data)
    as_bool = node.modifier is not None and node.modifier.return_bool
    if isinstance(left, float) and isinstance(right, float):
        return float(ARITHMETIC[sign](left, right) if sign in ARITHMETIC else COMPARISONS[sign](left, right))
    if isinstance(right, float):
        assert not isinstance(left, float)
        return _kept(sign, ((labels, value, value, right) for labels, value in left), as_bool)
    if isinstance(left, float):
        return _kept(sign, ((labels, value, left, value) for labels, value in right), as_bool)
    matched = _matching(node.modifier)
    if sign in ("and", "or", "unless"):
        return _of_sets(sign, left, right, matched)
    return _kept(sign, _pairs(node.modifier, left, right, matched), as_bool)


def _kept(sign: str, pairs: Iterable[tuple[Labels, float, float, float]], as_bool: bool) -> Vector:
    """Each with the value that a comparison which leaves out keeps, and the two that are put together."""
    if sign in ARITHMETIC:
        return [(_unnamed(labels), ARITHMETIC[sign](a, b)) for labels, _, a, b in pairs]
    if as_bool:
        return [(_unnamed(labels), float(COMPARISONS[sign](a, b))) for labels, _, a, b in pairs]
    return [(labels, value) for labels, value, a, b in pairs if COMPARISONS[sign](a, b)]


def _pairs(
    modifier: Any, left: Vector, right: Vector, matched: Callable[[Labels], Labels]
) -> Iterable[tuple[Labels, float, float, float]]:
    for labels, value in left:
        for other, beside in right:
            if matched(labels) == matched(other):
                many = modifier is not None and modifier.card == promql.VectorMatchCardinality.ManyToOne
                yield (labels if many else matched(labels)), value, value, beside


def _of_sets(sign: str, left: Vector, right: Vector, matched: Callable[[Labels], Labels]) -> Vector:
    theirs, ours = {matched(labels) for labels, _ in right}, {matched(labels) for labels, _ in left}
    if sign == "or":
        return left + [one for one in right if matched(one[0]) not in ours]
    return [one for one in left if (matched(one[0]) in theirs) == (sign == "and")]


def _matching(modifier: Any) -> Callable[[Labels], Labels]:
    if modifier is None or modifier.matching is None:
        return _unnamed
    named = set(modifier.matching.labels)
    on = modifier.matching.type == promql.LabelModifierType.Include
    return lambda labels: frozenset(pair for pair in _unnamed(labels) if (pair[0] in named) == on)


def _unnamed(labels: Labels) -> Labels:
    return frozenset(pair for pair in labels if pair[0] != NAME)
