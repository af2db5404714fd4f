"""Prometheus' answers read into facts and samples. An error is *no data*, and no data is never healthy."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.facts import Sample
from kubedrill.core.evidence.samples import Samples
from kubedrill.core.measure.progress import progressed
from kubedrill.core.plan.drill_plan import RuleTiming
from kubedrill.core.plan.trouble import AlertRule, Trouble
from kubedrill.kube.answers import (
    NoAnswer,
    instant_of_seconds,
    instant_of_text,
    labels_of,
    list_of,
    number_of,
    object_of,
    quoted,
    text_of,
)
from kubedrill.plugins.sources.raw_values import RawForm
from kubedrill.plugins.sources.trouble import rule_of, trouble_of

DEFAULT_EVALUATION = timedelta(seconds=60)
LONGEST_EVALUATION = timedelta(days=1)
LONGEST_WAIT = timedelta(days=366)
IDENTITY = 32
"""Hexadecimal digits by which rules are told apart."""


@dataclass(frozen=True, slots=True)
class RawSeries:
    """One series of a matrix: its labels and (time, value) pairs in order."""

    labels: Mapping[str, str]
    samples: Sequence[Sample]


@dataclass(frozen=True, slots=True)
class LoadedRule:
    """What is loaded under an alert's name, how often it is evaluated, and when it last was."""

    rule: AlertRule
    every: timedelta = DEFAULT_EVALUATION
    evaluated: datetime | None = None


def matrix(answer: Any) -> tuple[RawSeries, ...]:
    """The series of an answer to an instant query with a range.

    Raises:
        Unanswered: the answer is an error or something else.
    """
    return tuple(
        RawSeries(labels_of(one.get("metric")), tuple(_samples(list_of(one.get("values"), "a series' values"))))
        for one in _result(answer, "matrix")
    )


def vector(answer: Any) -> Iterator[tuple[dict[str, str], float]]:
    """The series of an answer to an instant query: labels and value, which may be NaN or without end.

    Raises:
        Unanswered: the answer is an error or something else.
    """
    for one in _result(answer, "vector"):
        yield labels_of(one.get("metric")), _pair(one.get("value"))[1]


def result_type(answer: Any) -> str:
    """What kind of value an answer holds, e.g. `vector`.

    Raises:
        Unanswered: the answer is an error or something else.
    """
    return text_of(_data(answer).get("resultType"), "the result's type")


def latest_by(answer: Any, label: str) -> dict[str, float]:
    """The finite values of an instant query's answer by one of its labels.

    Raises:
        Unanswered: the answer is an error or something else.
    """
    return {labels.get(label, ""): value for labels, value in vector(answer) if math.isfinite(value)}


def failure(answer: Any) -> tuple[str, str] | None:
    """Type and words of the error that an answer tells of; nothing when it tells of success.

    Only an error in Prometheus' own form is quoted: anything else may be a stranger's secret.

    Raises:
        Unanswered: it is neither.
    """
    whole = object_of(answer, "the answer")
    if whole.get("status") == "success":
        return None
    if whole.get("status") != "error":
        raise NoAnswer("that is not an answer of Prometheus")
    kind, words = whole.get("errorType"), whole.get("error")
    return (kind if isinstance(kind, str) else ""), quoted(words if isinstance(words, str) else "")


def _data(answer: Any) -> Mapping[str, Any]:
    failed = failure(answer)
    if failed:
        raise NoAnswer(f"it says {failed[1]}")
    return object_of(answer.get("data"), "data")


def _result(answer: Any, wanted: str) -> Iterator[Mapping[str, Any]]:
    if result_type(answer) != wanted:
        raise NoAnswer(f"the result is something else than a {wanted}")
    for one in list_of(answer["data"].get("result"), "the result"):
        yield object_of(one, "a series")


def _samples(values: Iterable[Any]) -> Iterator[Sample]:
    for pair in values:
        at, value = _pair(pair)
        if math.isfinite(value):
            yield Sample(at, value)


def _pair(pair: Any) -> tuple[datetime, float]:
    stamp, said = _two(list_of(pair, "a sample"))
    try:
        return instant_of_seconds(stamp), float(text_of(said, "a sample's value"))
    except ValueError as error:
        raise error if isinstance(error, NoAnswer) else NoAnswer("a sample's value is not a number") from None


def _two(pair: list[Any]) -> tuple[Any, Any]:
    if len(pair) != 2:
        raise NoAnswer("a sample is not a pair of time and value")
    return pair[0], pair[1]


def raw_total(found: Sequence[Sequence[RawSeries]], form: RawForm) -> tuple[Sample, ...] | None:
    """The value of an expression from the raw samples of its selectors, added up over its series.

    None when raw samples can't tell: a selector gave several series (fine for a bare one, each of whose series has
    a value of its own), their labels differ, or they were not all sampled by the same scrapes. Nothing for one
    selector is nothing for the whole, as in PromQL.
    """
    series = [one for group in found for one in group if one.samples]
    if any(not [one for one in group if one.samples] for group in found):
        return ()
    if not form.bare and (any(len(group) > 1 for group in found) or len({_matching_labels(s) for s in series}) > 1):
        return None
    if form.bare:
        series = [replace(one, samples=tuple(_valued(one.samples, form))) for one in series]
    totals, counts = _sums(series)
    if any(n != len(series) for n in counts.values()):
        return None
    total = _in_order(totals)
    return total if form.bare else tuple(_valued(total, form))


def _valued(samples: Iterable[Sample], form: RawForm) -> Iterator[Sample]:
    for sample in samples:
        value = form.value(sample.value)
        if value is not None:
            yield Sample(sample.at, value)


def evaluated_total(series: Iterable[RawSeries], step: int) -> tuple[Sample, ...]:
    """The value of an expression that Prometheus evaluated every `step` seconds, added up over its series.

    An evaluation shows the last scrape, which is up to a step old, so its stamp is set back by half a step.
    """
    return _in_order(_sums(series)[0], timedelta(seconds=step) / 2)


def _sums(series: Iterable[RawSeries]) -> tuple[dict[datetime, float], dict[datetime, int]]:
    totals: dict[datetime, float] = {}
    counts: dict[datetime, int] = {}
    for one in series:
        for sample in one.samples:
            totals[sample.at] = totals.get(sample.at, 0.0) + sample.value
            counts[sample.at] = counts.get(sample.at, 0) + 1
    return totals, counts


def _in_order(totals: Mapping[datetime, float], back: timedelta = timedelta(0)) -> tuple[Sample, ...]:
    return tuple(Sample(at - back, totals[at]) for at in sorted(totals))


def _matching_labels(series: RawSeries) -> frozenset[tuple[str, str]]:
    return frozenset((k, v) for k, v in series.labels.items() if k != "__name__")


class Distances:
    """How often samples were so many seconds apart, to a tenth of one."""

    def __init__(self, counted: Mapping[float, int] | None = None, last: int | None = None) -> None:
        self._counted, self._last = Counter(counted or {}), last

    def feed(self, at: int, _value: float) -> None:
        """The next sample (microseconds)."""
        if self._last is not None:
            self._counted[round((at - self._last) / 1e6, 1)] += 1
        self._last = at

    def copy(self) -> Distances:
        """Another one that has come as far."""
        return Distances(self._counted, self._last)

    @property
    def median(self) -> timedelta | None:
        """The usual distance; nothing when there was none."""
        number = self._counted.total() // 2
        for distance, count in sorted(self._counted.items()):
            number -= count
            if number < 0:
                return timedelta(seconds=distance)
        return None


def spacing(samples: Iterable[Sample], default: timedelta) -> timedelta:
    """The usual distance of samples: their median, to a tenth of a second.

    Scrapes jitter by milliseconds; without rounding, every new sample would move what is measured by a hair.
    """
    return progressed(Samples.of(samples), "spacing", Distances).median or default


def alert_rules(answer: Any, about: About, wanted: Collection[str] | None = None) -> dict[str, LoadedRule]:
    """The alert rules that are loaded, by name (`/api/v1/rules?type=alert`), several of one name together.

    Others than the `wanted` ones are passed over: an older Prometheus answers with all that it has.

    Raises:
        Unanswered: the answer is an error or something else.
    """
    found: dict[str, list[_OneRule]] = {}
    for group in (object_of(g, "a group of rules") for g in list_of(_data(answer).get("groups") or [], "the groups")):
        for rule in (object_of(r, "a rule") for r in list_of(group.get("rules") or [], "a group's rules")):
            name = text_of(rule.get("name", ""), "a rule's name")
            if rule.get("type", "alerting") != "alerting" or not name or (wanted is not None and name not in wanted):
                continue
            expression = text_of(rule.get("query", ""), "a rule's expression")
            trouble = replace(trouble_of(expression, about), labels=labels_of(rule.get("labels") or {}))
            timing = RuleTiming(_lasting(rule, "duration"), _lasting(rule, "keepFiringFor"), _interval(group))
            found.setdefault(name, []).append(_OneRule(expression, trouble, timing, _evaluated(rule)))
    return {name: _loaded(name, rules, about) for name, rules in found.items()}


@dataclass(frozen=True, slots=True)
class _OneRule:
    expression: str
    trouble: Trouble
    timing: RuleTiming
    evaluated: datetime | None


def _loaded(name: str, rules: Sequence[_OneRule], about: About) -> LoadedRule:
    """Rules of one name: their history tells of all of them up to where the slowest of them has come."""
    rule = rule_of(name, (r.trouble for r in rules), (r.expression for r in rules), about)
    waits, lingers, every = zip(*((r.timing.waits, r.timing.lingers, r.timing.every) for r in rules), strict=True)
    timing = RuleTiming(min(waits), max(lingers), max(every))
    evaluated = min((r.evaluated for r in rules if r.evaluated), default=None)
    return LoadedRule(replace(rule, timing=timing, identity=_identity(rules)), timing.every, evaluated)


def _identity(rules: Iterable[_OneRule]) -> str:
    """What tells rules from any others by which alerts fire and end: expressions, waits and labels, in any order."""
    told = sorted(
        json.dumps(
            [
                " ".join(rule.expression.split()),
                rule.timing.waits.total_seconds(),
                rule.timing.lingers.total_seconds(),
                sorted(rule.trouble.labels.items()),
            ]
        )
        for rule in rules
    )
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:IDENTITY]


def _interval(group: Mapping[str, Any]) -> timedelta:
    said = group.get("interval")
    seconds = number_of(said, "a group's interval") if said else DEFAULT_EVALUATION.total_seconds()
    if not 0 < seconds <= LONGEST_EVALUATION.total_seconds():
        raise NoAnswer("a group's interval is not between zero and a day")
    return timedelta(seconds=seconds)


def _lasting(rule: Mapping[str, Any], field: str) -> timedelta:
    """A duration of a rule, in seconds there; none where an older or another server does not tell it."""
    seconds = number_of(rule.get(field) or 0, f"a rule's {field}")
    if not 0 <= seconds <= LONGEST_WAIT.total_seconds():
        raise NoAnswer(f"a rule's {field} is not between zero and a year")
    return timedelta(seconds=seconds)


def _evaluated(rule: Mapping[str, Any]) -> datetime | None:
    """When a rule was evaluated last; nothing before the first time (Prometheus then says year 1)."""
    return instant_of_text(rule["lastEvaluation"]) if rule.get("lastEvaluation") else None
