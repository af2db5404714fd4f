"""When each expected alert was pending and firing, from the samples of `ALERTS`: in unbroken stretches.

An alert is often about many things, such as pods, and a Service often answers as any of several replicas, which
evaluate at instants of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.samples import Samples
from kubedrill.core.measure.progress import progressed
from kubedrill.core.measure.smoothing import span
from kubedrill.plugins.sources.prometheus import RawSeries

MOST_STRETCHES = 20
"""Firings of one alert that are told at a time: the first ones and the last ones of an alert that flaps."""


MISSED_EVALUATIONS = 3
"""An alert whose samples pause for longer than this many evaluations has ended and begun anew."""
MOST_TOLD = 20
"""Of an alert about more things than these, such as pods, it is told when it was about any of them."""
FEW = 4
MORE_THAN_ONE = 1.5
"""Times as many samples as its rule is evaluated, in at least `FEW` steps: then replicas answer in turn."""
Stretch = tuple[int, int]
"""First and last instant, in microseconds since 1970."""


@dataclass(frozen=True, slots=True)
class AlertState:
    """When an alert was in one state, about things with these labels; `all`: about so many that they are one.

    `apart` is how far replicas of a Prometheus, which evaluate at different instants, may be apart.
    """

    name: str
    state: str
    labels: Mapping[str, str]
    stretches: tuple[Stretch, ...]
    apart: timedelta = timedelta(0)
    all: bool = False


def states(
    series: Iterable[RawSeries], about: About, every: Callable[[str], timedelta], *, several: bool
) -> Iterator[AlertState]:
    """What each alert was about and when; about more than `MOST_TOLD` things it is told of all of them together."""
    found: dict[tuple[str, str], list[AlertState]] = {}
    for one in series:
        name, state = one.labels.get("alertname", ""), one.labels.get("alertstate", "")
        if state not in ("pending", "firing") or not about.holds(one.labels) or not one.samples:
            continue
        begin = partial(Stretches, every(name))
        measured = progressed(Samples.of(one.samples), ("stretches", every(name)), begin)
        apart = every(name) if several or measured.of_several else timedelta(0)
        told = AlertState(name, state, _own_labels(one), tuple(measured.told), apart)
        found.setdefault((name, state), []).append(told)
    for (name, _), alike in found.items():
        yield from alike if len(alike) <= MOST_TOLD else (_together(alike, every(name)),)


def _together(alike: Sequence[AlertState], every: timedelta) -> AlertState:
    """The same alert about many things as one: from when it is about any of them until it is about none."""
    longest, joined = span(MISSED_EVALUATIONS * every), list[Stretch]()
    for first, last in sorted(stretch for one in alike for stretch in one.stretches):
        if joined and first - joined[-1][1] <= longest:
            joined[-1] = joined[-1][0], max(last, joined[-1][1])
        else:
            joined.append((first, last))
    kept = (*joined[: MOST_STRETCHES // 2], *joined[MOST_STRETCHES // 2 :][-MOST_STRETCHES // 2 :])
    common = set.intersection(*(set(one.labels.items()) for one in alike))
    apart = max(one.apart for one in alike)
    return AlertState(alike[0].name, alike[0].state, dict(sorted(common)), kept, apart, all=True)


class Stretches:
    """Unbroken stretches of samples, each by its first and its last instant (microseconds since 1970)."""

    def __init__(self, every: timedelta, told: Iterable[Stretch] = (), steps: int = 0, lasted: int = 0) -> None:
        self._every, self.told = every, list(told)
        self._longest = span(MISSED_EVALUATIONS * every)
        self._steps, self._lasted = steps, lasted

    @property
    def of_several(self) -> bool:
        """Whether there are more samples than one Prometheus makes: a Service answers as any of its replicas."""
        return self._steps >= FEW and self._steps * span(self._every) > MORE_THAN_ONE * self._lasted

    def feed(self, at: int, _value: float) -> None:
        """The next sample."""
        if self.told and at - self.told[-1][1] <= self._longest:
            self._steps, self._lasted = self._steps + 1, self._lasted + at - self.told[-1][1]
            self.told[-1] = (self.told[-1][0], at)
            return
        self.told.append((at, at))
        if len(self.told) > MOST_STRETCHES:
            del self.told[MOST_STRETCHES // 2]

    def copy(self) -> Stretches:
        """Another one that has come as far."""
        return Stretches(self._every, self.told, self._steps, self._lasted)


def _own_labels(one: RawSeries) -> dict[str, str]:
    return {k: v for k, v in one.labels.items() if k not in ("__name__", "alertname", "alertstate")}
