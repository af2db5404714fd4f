"""PromQL taken apart: parsed, never cut by hand.

Two questions are asked of an expression: which side of a comparison is the measured one (an alert's own
expression is the derived impact), and whether its value is simply that of raw samples, so that the instants
at which they were really taken can be used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

import promql_parser as promql

from kubedrill.core.evidence.about import About
from kubedrill.core.plan.derive import AlertRule

MOST_SIGNS: Final = 4096
MOST_OPERATORS: Final = 300
"""The parser takes time by the square of these, and our own walk over what it gives is recursive: an expression of
6,000 brackets would stand in the way of every other drill for minutes. People's expressions have a tenth of it."""
_OPERATOR: Final = re.compile(r"[(+\-*/%^<>=]|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)
MIRRORED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}


@lru_cache(maxsize=256)
def take_apart(name: str, expression: str) -> AlertRule:
    """An alert's expression as left side, operator and threshold.

    `50 < q` is turned round; of two sides without a number the difference is compared with 0; `a > 5 and b`
    is about `a`. What is no comparison is all left side, without a threshold.

    Raises:
        ValueError: it is not PromQL, or too long to be taken apart.
    """
    node = _bare(_parsed(expression))
    while isinstance(node, promql.BinaryExpr) and str(node.op) in ("and", "unless"):
        node = _bare(node.lhs)
    if not isinstance(node, promql.BinaryExpr) or str(node.op) not in MIRRORED:
        return AlertRule(name, str(node.prettify()))
    operator, left, right = str(node.op), _bare(node.lhs), _bare(node.rhs)
    if isinstance(right, promql.NumberLiteral):
        return AlertRule(name, str(left.prettify()), operator, float(right.val))
    if isinstance(left, promql.NumberLiteral):
        return AlertRule(name, str(right.prettify()), MIRRORED[operator], float(left.val))
    return AlertRule(name, f"({left.prettify()}) - ({right.prettify()})", operator, 0.0)


def check(expression: str) -> str:
    """What is wrong with an expression; empty when it can be asked."""
    try:
        _parsed(expression)
    except ValueError as error:
        return str(error)
    return ""


def _parsed(expression: str) -> Any:
    if len(expression) > MOST_SIGNS or sum(1 for _ in _OPERATOR.finditer(expression)) > MOST_OPERATORS:
        raise ValueError(f"longer than {MOST_SIGNS} characters, or more than {MOST_OPERATORS} brackets and operators")
    return promql.parse(expression)


def raw_selectors(expression: str) -> tuple[str, ...]:
    """The plain selectors whose raw samples, added up, are the expression's value; empty when it is not so.

    That holds for selectors, sums of them, and `last_over_time` and aggregations over them as far as one
    series comes back (which the reader of the answer checks).
    """
    try:
        return tuple(_terms(_parsed(expression)) or ())
    except ValueError:
        return ()


def _terms(node: Any) -> list[str] | None:
    node = _bare(node)
    if isinstance(node, promql.VectorSelector):
        return None if node.offset is not None or node.at is not None else [str(node.prettify())]
    if isinstance(node, promql.AggregateExpr) and str(node.op) in ("sum", "max", "min", "avg"):
        inner = _terms(node.expr)
        return inner if inner is not None and len(inner) == 1 else None
    if isinstance(node, promql.Call) and node.func.name == "last_over_time":
        selector = _bare(node.args[0])
        return _terms(selector.vector_selector) if isinstance(selector, promql.MatrixSelector) else None
    if isinstance(node, promql.BinaryExpr) and str(node.op) == "+" and node.modifier is None:
        left, right = _terms(node.lhs), _terms(node.rhs)
        return left + right if left is not None and right is not None else None
    return None


def _bare(node: Any) -> Any:
    while isinstance(node, promql.ParenExpr):
        node = node.expr
    return node


def rules_asked_for(names: Iterable[str]) -> list[tuple[str, str]]:
    """What to ask `/api/v1/rules` with. A Prometheus too old to know a parameter passes it over and tells all."""
    return [("type", "alert"), ("exclude_alerts", "true"), *(("rule_name[]", name) for name in sorted(names))]


def alert_history(names: Iterable[str], seconds: int) -> str:
    """The query for the history of alerts: one sample an evaluation at which one was not inactive."""
    return f"ALERTS{{alertname=~{any_of(names)}}}[{seconds}s]"


def alerts_now(*alerts: str) -> str:
    """The query for the series of these alerts that are pending or firing now."""
    return f"ALERTS{{alertname=~{any_of(alerts)}}}"


def firing(*alerts: str) -> str:
    """The query for the series of these alerts that fire now."""
    return f'ALERTS{{alertname=~{any_of(alerts)},alertstate="firing"}}'


def working_sets(about: About, workloads: Iterable[str]) -> str:
    """The query for the memory that containers of these workloads use, in bytes: the least of their pods."""
    pods = any_of(workloads, "-.+")
    return (
        "min by (container) (container_memory_working_set_bytes"
        f'{{{about.label}="{about.namespace}",container!="",container!="POD",pod=~{pods}}})'
    )


def raw_samples(selector: str, seconds: int) -> str:
    """The query for a selector's samples as they were scraped."""
    return f"{selector}[{seconds}s]"


def evaluated(expression: str, seconds: int, step: int) -> str:
    """The query for an expression's values every `step` seconds."""
    return f"({expression})[{seconds}s:{step}s]"


def any_of(words: Iterable[str], ending: str = "") -> str:
    """A quoted regular expression that matches any of the words."""
    pattern = "|".join(re.escape(word) + ending for word in sorted(words))
    return '"' + pattern.replace("\\", "\\\\").replace('"', '\\"') + '"'
