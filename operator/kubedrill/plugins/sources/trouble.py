"""An alert's expression made a number: 0 while it is false, more than 0 while it is true, falling as things get better.

Which shape becomes what, and why, is told by docs/decisions/0028. What compares nothing is not guessed at.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import promql_parser as promql

from kubedrill.core.evidence.about import About
from kubedrill.core.plan.trouble import AlertRule, Trouble
from kubedrill.plugins.sources.promql import MIRRORED, bare, constant, one_line, parsed

LONGEST_QUERY: Final = 8192
"""What a server takes in the address of a question, with room for the range around it."""
MOST_RULES: Final = 20
"""Of so many rules of one name is told which one fired. KubeAPIErrorBudgetBurn has four."""
_PASSED_ON: Final = frozenset({"label_replace", "label_join", "sort", "sort_desc"})
_RELABELS: Final = frozenset({"label_replace", "label_join"})
_ABSENT: Final = frozenset({"absent", "absent_over_time"})
SIDE: Final = "kubedrill_side"
"""The label by which the sides of an `or` are told apart, so that both count where both are true."""
_SHOWN: Final = 120
"""Characters of an expression that a sentence shows."""


class NotDerived(ValueError):
    """The expression does not tell what to measure; the message says why."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side of an `or`: its trouble, and what that can be divided by."""

    trouble: str
    scale: float | None

    @property
    def share(self) -> str:
        """The trouble without a unit."""
        return f"({self.trouble}) / {_number(self.scale)}" if self.scale else f"0 * ({self.trouble}) + 1"


@dataclass(frozen=True, slots=True)
class Measured:
    """`trouble` has series with values above 0, and only while they are in trouble; `seen` has data, well or not.

    An empty `seen`: a server that answers has seen it. `scale` is what the values can be divided by, so that those of
    another unit can be added to them; None where they can only be counted. `sides` are those of an `or`.
    """

    trouble: str
    seen: str
    better: str
    threshold: float | None = None
    scale: float | None = None
    sides: tuple[Side, ...] = ()

    @property
    def each(self) -> tuple[Side, ...]:
        """What is added up, side by side."""
        return self.sides or (Side(self.trouble, self.scale),)

    @property
    def in_words(self) -> str:
        """When it falls, and how the sides are added up."""
        if not self.sides:
            return self.better
        scaled = any(side.scale for side in self.sides)
        return f"{self.better}: {'each against its own limit' if scaled else 'the number of series in trouble'}"


@lru_cache(maxsize=256)
def trouble_of(expression: str, about: About) -> Trouble:
    """How an alert's trouble is measured as far as it is `about` one namespace; what can't be derived says why."""
    try:
        found = _measured(_only(parsed(expression), about))
        query = one_line(parsed(_or_nothing(found)))
    except NotDerived as why:
        return Trouble(why_not=str(why))
    except ValueError:
        return Trouble(why_not="its expression is not PromQL that can be read here, or too long")
    if len(query) > LONGEST_QUERY:
        return Trouble(why_not="its expression is too long")
    return Trouble(query, found.in_words, found.threshold)


def rule_of(name: str, rules: Iterable[Trouble], expressions: Iterable[str], about: About) -> AlertRule:
    """The rules of one name, their troubles each and together: any of them may be the one that fires."""
    each, texts = tuple(rules), tuple(expressions)
    if len(each) == 1:
        return AlertRule(name, each[0], each)
    wrong = next((t for t in each if not t.query), None)
    if wrong:
        return AlertRule(name, replace(wrong, labels={}))
    return AlertRule(
        name, trouble_of(" or ".join(f"({text})" for text in texts), about), each if len(each) <= MOST_RULES else ()
    )


def _or_nothing(found: Measured) -> str:
    return f"({found.trouble}) or {f'(0 * {found.seen})' if found.seen else 'vector(0)'}"


def _only(node: Any, about: About) -> Any:
    """The expression, its selectors limited to what is about the namespace (and cluster), or says nothing of it."""

    def limited(selector: Any) -> Any:
        if not isinstance(selector, promql.VectorSelector):
            return None
        if selector.matchers.or_matchers:
            raise NotDerived("it selects with or, which is not PromQL")
        wanted = [
            f'{label}=~"{_literal(value)}|"'
            for label, value in about.wanted.items()
            if not any(
                m.name == label and m.op == promql.MatchOp.Equal and m.value == value for m in _matchers(selector)
            )
        ]
        return promql.parse(_with(str(selector.prettify()), selector.name or "", wanted)) if wanted else None

    return promql.transform(node, post_visit=limited)


def _matchers(selector: Any) -> list[Any]:
    return list(selector.matchers.matchers)


def _with(text: str, name: str, matchers: list[str]) -> str:
    """A selector's text with some more matchers: before its closing brace, which nothing behind it can hold."""
    more, end = ",".join(matchers), text.rfind("}")
    if end < 0:
        return f"{name}{{{more}}}{text[len(name) :]}"
    return f"{text[:end]},{more}{text[end:]}"


def _literal(value: str) -> str:
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\\\1", value).replace('"', '\\"')


def _measured(node: Any) -> Measured:
    node = bare(node)
    if isinstance(node, promql.BinaryExpr) and str(node.op) in ("and", "unless", "or"):
        return _of_two(node)
    if isinstance(node, promql.BinaryExpr) and str(node.op) in MIRRORED:
        return _compared(node)
    if isinstance(node, promql.AggregateExpr):
        return _measured(node.expr)
    if isinstance(node, promql.Call) and node.func.name in _ABSENT:
        missing = bare(node.args[0])
        named = missing.vector_selector if isinstance(missing, promql.MatrixSelector) else missing
        return Measured(one_line(node), "", f"when {_shown(named)} is there again")
    if isinstance(node, promql.Call) and node.func.name in _PASSED_ON:
        return _measured(node.args[0])
    raise NotDerived(
        f"{_shown(node)} is compared with nothing, so where it has no series it may be well or not measured"
    )


def _of_two(node: Any) -> Measured:
    operator, matching = str(node.op), _matching(node.modifier)
    left = _measured(node.lhs) if operator == "or" else _as_labelled(node.lhs)
    if operator == "or":
        right = _measured(node.rhs)
        sides = (*left.each, *right.each)
        counted = f"(0 * ({left.trouble}) + 1) or{matching} (0 * ({right.trouble}) + 1)"
        seen = f"({left.seen} or{matching} {right.seen})" if left.seen and right.seen else ""
        return Measured(_added(sides, counted), seen, f"{left.better}, or {right.better}", sides=sides)

    def beside(trouble: str) -> str:
        return f"({trouble}) {operator}{matching} {_operand(node.rhs)}"

    sides = tuple(replace(side, trouble=beside(side.trouble)) for side in left.sides)
    trouble = _added(sides, beside(left.trouble)) if sides else beside(left.trouble)
    seen = left.seen
    if operator == "and" and (needed := _seen_beside(node.rhs)):
        seen = f"({seen} and{matching} {needed})" if seen else needed
    return replace(left, trouble=trouble, seen=seen, sides=sides)


def _as_labelled(node: Any) -> Measured:
    """What is measured of a side of `and` and `unless`, with its labels as they are held against the other side's."""
    node = bare(node)
    if isinstance(node, promql.AggregateExpr) and node.param is None:
        return _around(_as_labelled(node.expr), f"sum{_grouping(node.modifier)} ({{}})")
    if isinstance(node, promql.Call) and node.func.name in _RELABELS:
        rest = ", ".join(one_line(argument) for argument in node.args[1:])
        return _around(_as_labelled(node.args[0]), f"{node.func.name}({{}}, {rest})")
    return _measured(node)


def _around(inner: Measured, text: str) -> Measured:
    """The same with an operation around it that keeps what it comes to, and gives it other labels."""
    sides = tuple(replace(side, trouble=text.replace("{}", side.trouble)) for side in inner.sides)
    counted = text.replace("{}", inner.trouble)
    seen = text.replace("{}", inner.seen) if inner.seen else ""
    return replace(inner, trouble=_added(sides, counted) if sides else counted, seen=seen, sides=sides)


def _grouping(modifier: Any) -> str:
    if modifier is None:
        return ""
    by = modifier.type == promql.AggModifierType.By
    return f" {'by' if by else 'without'} ({', '.join(modifier.labels)})"


def _added(sides: tuple[Side, ...], counted: str) -> str:
    """The sides of an `or` together: what each has of its own limit, told apart by a label of ours.

    Where none has one that it can be measured by they are `counted`.
    """
    if not any(side.scale for side in sides):
        return counted
    return " or ".join(f'label_replace({side.share}, "{SIDE}", "{n}", "", "")' for n, side in enumerate(sides))


def _seen_beside(node: Any) -> str:
    """What has data whether the other side of an `and` is true or not; empty where nothing can tell."""
    try:
        return _as_labelled(node).seen
    except NotDerived:
        return ""


def _compared(node: Any) -> Measured:
    operator, modifier = str(node.op), node.modifier
    if modifier is not None and modifier.return_bool:
        raise NotDerived(f"{_shown(node)} has a value whether it is true or not, so that it always fires")
    left, right = constant(node.lhs), constant(node.rhs)
    if right is not None:
        return _against(bare(node.lhs), operator, right)
    if left is not None:
        return _against(bare(node.rhs), MIRRORED[operator], left)
    if modifier is not None and (modifier.fill_values.lhs, modifier.fill_values.rhs) != (None, None):
        raise NotDerived(f"{_shown(node)} fills in what is missing")
    difference = f"{_operand(node.lhs)} -{_matching(modifier)} {_operand(node.rhs)}"
    return _against(parsed(difference), operator, 0.0)


def _against(compared: Any, operator: str, bound: float) -> Measured:
    """A comparison with a constant."""
    if not math.isfinite(bound):
        raise NotDerived(f"{_shown(compared)} is compared with {bound}")
    left, number = _operand(compared), _number(bound)
    seen = _operand(promql.transform(compared, post_visit=_unfiltered))
    shown = _shown(compared)
    true = f"{left} {operator} {number}"
    falls, rises = f"as {shown} falls", f"as {shown} rises"
    if operator == ">":
        if bound >= 0:
            return Measured(true, seen, falls, bound, scale=bound or None)
        return Measured(f"({true}) - {number}", seen, falls, 0.0)
    if operator == ">=":
        if bound > 0:
            return Measured(true, seen, falls, bound, scale=bound)
        return Measured(f"({true}) - {number} + 1", seen, falls, 0.0)
    missing = bound if bound > 0 else None
    if operator == "<":
        return Measured(f"{number} - ({true})", seen, rises, 0.0, scale=missing)
    if operator == "<=":
        return Measured(f"{number} - ({true}) + 1", seen, rises, 0.0, scale=missing and missing + 1)
    if operator == "!=":
        return Measured(f"abs(({true}) - {number})", seen, f"as {shown} comes back to {number}", 0.0)
    return Measured(f"0 * ({true}) + 1", seen, f"as fewer series of {shown} are {number}")


def _unfiltered(node: Any) -> Any:
    """In the place of a comparison that leaves series out: what it compares, which is there in either case."""
    if not isinstance(node, promql.BinaryExpr) or (node.modifier is not None and node.modifier.return_bool):
        return None
    if str(node.op) in MIRRORED:
        return bare(node.rhs if constant(node.lhs) is not None else node.lhs)
    return bare(node.lhs) if str(node.op) in ("and", "unless") else None


def _number(value: float) -> str:
    text = f"{value:.17g}" if float(f"{value:g}") != value else f"{value:g}"
    return f"({text})" if value < 0 else text


def _matching(modifier: Any) -> str:
    """How the two sides are matched, as it is written behind the operator."""
    if modifier is None:
        return ""
    text = ""
    if modifier.matching is not None:
        on = modifier.matching.type == promql.LabelModifierType.Include
        text = f" {'on' if on else 'ignoring'} ({', '.join(modifier.matching.labels)})"
    if modifier.card in (promql.VectorMatchCardinality.ManyToOne, promql.VectorMatchCardinality.OneToMany):
        side = "left" if modifier.card == promql.VectorMatchCardinality.ManyToOne else "right"
        text += f" group_{side} ({', '.join(modifier.group_labels or [])})"
    return text


def _operand(node: Any) -> str:
    """The text of an expression, in brackets where an operator beside it would take it apart."""
    node = bare(node)
    return f"({one_line(node)})" if isinstance(node, promql.BinaryExpr | promql.UnaryExpr) else one_line(node)


def _shown(node: Any) -> str:
    return _cut(one_line(bare(node)))


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
