"""PromQL: parsed, never cut by hand, and every query that is asked of Prometheus.

What an alert's expression comes to as something to measure is told by `trouble`, what raw samples can tell of an
expression's value by `raw_values`.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import promql_parser as promql

from kubedrill.core.evidence.about import About

MOST_SIGNS: Final = 4096
MOST_OPERATORS: Final = 300
"""The parser takes time by the square of these, and our own walk over what it gives is recursive: an expression of
6,000 brackets would stand in the way of every other drill for minutes. People's expressions have a tenth of it."""
_OPERATOR: Final = re.compile(r"[(+\-*/%^<>=]|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)
ARITHMETIC: Final[Mapping[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": math.fmod,
    "^": operator.pow,
}
MIRRORED: Final = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}


def check(expression: str) -> str:
    """What is wrong with an expression; empty when it can be asked."""
    try:
        parsed(expression)
    except ValueError as error:
        return str(error)
    return ""


def parsed(expression: str) -> Any:
    """An expression as a tree.

    Raises:
        ValueError: it is not PromQL, or too long to be taken apart.
    """
    if len(expression) > MOST_SIGNS or sum(1 for _ in _OPERATOR.finditer(expression)) > MOST_OPERATORS:
        raise ValueError(f"longer than {MOST_SIGNS} characters, or more than {MOST_OPERATORS} brackets and operators")
    return promql.parse(expression)


def one_line(node: Any) -> str:
    """The text of a tree; line breaks are the printer's, for one in a string is written as an escape."""
    text = re.sub(r"(?<=\()\n *|\n *(?=\))", "", str(node.prettify()))
    return re.sub(r"\n *", " ", text).strip()


def constant(node: Any) -> float | None:
    """The value of an expression of numbers alone; nothing where it holds anything else."""
    node = bare(node)
    if isinstance(node, promql.NumberLiteral):
        return float(node.val)
    if isinstance(node, promql.UnaryExpr):
        inner = constant(node.expr)
        return None if inner is None else -inner
    if isinstance(node, promql.BinaryExpr) and str(node.op) in ARITHMETIC:
        left, right = constant(node.lhs), constant(node.rhs)
        return None if left is None or right is None else calculated(str(node.op), left, right)
    return None


def calculated(operator: str, left: float, right: float) -> float:
    """What two numbers come to, as PromQL has it; NaN where there is no answer."""
    try:
        return float(ARITHMETIC[operator](left, right))
    except (ZeroDivisionError, OverflowError, ValueError, TypeError):  # a power may be complex
        return math.nan


def bare(node: Any) -> Any:
    """What stands in the brackets, if there are any."""
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
