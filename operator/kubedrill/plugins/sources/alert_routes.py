"""Where Alertmanager's configuration sends an alert: to which receivers, after how long, and when to nobody.

A Prometheus that fires and a pager that stays silent have this between them: `group_wait`, mute times, a route that
ends at a receiver without an address. Matching follows Alertmanager's own rules, of which what is not understood makes
the whole unknown: nothing is said then.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from kubedrill.kube.answers import NoAnswer, list_of, object_of, text_of
from kubedrill.plugins.sources.alert_matchers import Matcher, matchers_of
from kubedrill.plugins.sources.mute_times import holds
from kubedrill.plugins.sources.plain_yaml import plain

GROUP_WAIT: Final = timedelta(seconds=30)
"""Alertmanager's default."""
MOST_ROUTES: Final = 2_000
_PART: Final = re.compile(r"([0-9]+)(ms|s|m|h|d|w|y)")
_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "y": 31_536_000}


@dataclass(frozen=True, slots=True)
class RoutedTo:
    """One receiver that an alert goes to: how long it is held back at first, and by which time interval it is muted."""

    receiver: str
    waits: timedelta
    muted: str = ""


@dataclass(frozen=True, slots=True)
class Inhibition:
    """That alerts of which `source` holds hold back those of which `target` does, where the `equal` labels are."""

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...]


@dataclass(slots=True)
class _Walk:
    """One way through the routes: how many may still be looked at, and which labels were asked for in vain."""

    left: int = MOST_ROUTES
    missed: set[str] = field(default_factory=set)


class AlertRoutes:
    """The routes of one Alertmanager, from its configuration as it tells it itself.

    Raises:
        Unanswered: that is no configuration.
    """

    def __init__(self, text: str) -> None:
        whole = object_of(plain(text), "its configuration")
        self._root = object_of(whole.get("route"), "its route")
        self._intervals = {
            text_of(one.get("name"), "a time interval's name"): one.get("time_intervals")
            for key in ("time_intervals", "mute_time_intervals")
            for one in (object_of(each, "a time interval") for each in list_of(whole.get(key) or [], key))
        }
        self._receivers = {
            text_of(one.get("name"), "a receiver's name"): dict(_addresses(one))
            for one in (object_of(each, "a receiver") for each in list_of(whole.get("receivers") or [], "receivers"))
        }
        self._inhibitions = whole.get("inhibit_rules")

    def deliveries(self, labels: Mapping[str, str], at: datetime) -> tuple[RoutedTo, ...]:
        """To whom an alert with these labels goes at an instant.

        Raises:
            Unanswered: the routes are not understood.
        """
        return tuple(self._matched(self._root, labels, at, "", GROUP_WAIT, _Walk()))

    def missed(self, labels: Mapping[str, str], at: datetime) -> frozenset[str]:
        """Labels that are asked for on the way of an alert with these, and are not among them.

        Raises:
            Unanswered: the routes are not understood.
        """
        walk = _Walk()
        for _ in self._matched(self._root, labels, at, "", GROUP_WAIT, walk):
            pass
        return frozenset(walk.missed)

    def reaches_people(self, receiver: str, own: Collection[str]) -> bool:
        """Whether a receiver has any address beside the operator's, which is a webhook whose URL holds one of `own`.

        A URL may be kept secret; then its receiver counts as people's.
        """
        addresses = self._receivers.get(receiver, {})
        webhooks = list_of(addresses.get("webhook_configs") or [], "webhooks")
        urls = [str(object_of(one, "a webhook").get("url", "")) for one in webhooks]
        return any(not any(end in url for end in own) for url in urls) or any(
            kind != "webhook_configs" for kind in addresses
        )

    def inhibitions(self) -> tuple[Inhibition, ...]:
        """Which alerts hold back which.

        Raises:
            NoAnswer: that is not understood.
        """
        given = list_of(self._inhibitions or [], "inhibit_rules")
        return tuple(_inhibition(object_of(one, "an inhibition")) for one in given)

    def has_address(self, receiver: str) -> bool:
        """Whether a receiver tells anybody at all."""
        return bool(self._receivers.get(receiver))

    def _matched(
        self,
        route: Mapping[str, Any],
        labels: Mapping[str, str],
        at: datetime,
        receiver: str,
        waits: timedelta,
        walk: _Walk,
    ) -> Iterator[RoutedTo]:
        """A route's own deliveries, or those of its children that match: of the first, and on while one continues."""
        walk.left -= 1
        if walk.left < 0:
            raise NoAnswer("has more routes than are looked through")
        receiver = text_of(route.get("receiver") or receiver, "a receiver")
        waits = _duration(route["group_wait"]) if route.get("group_wait") else waits
        matched = False
        for child in (object_of(one, "a route") for one in list_of(route.get("routes") or [], "routes")):
            if not _matches(child, labels, walk):
                continue
            matched = True
            yield from self._matched(child, labels, at, receiver, waits, walk)
            if child.get("continue") != "true":
                break
        if not matched:
            yield RoutedTo(receiver, waits, self._muted(route, at))

    def _muted(self, route: Mapping[str, Any], at: datetime) -> str:
        """The name of the time interval because of which a route tells nobody now."""
        for name in _names(route.get("mute_time_intervals")):
            if holds(self._intervals.get(name), at):
                return name
        active = _names(route.get("active_time_intervals"))
        if active and not any(holds(self._intervals.get(name), at) for name in active):
            return f"outside of {', '.join(active)}"
        return ""


def _names(given: Any) -> list[str]:
    return [text_of(name, "a time interval's name") for name in list_of(given or [], "names of time intervals")]


def _addresses(receiver: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((kind, value) for kind, value in receiver.items() if kind.endswith("_configs") and value)


def _matches(route: Mapping[str, Any], labels: Mapping[str, str], walk: _Walk) -> bool:
    for one in matchers_of(route):
        if one.name not in labels:
            walk.missed.add(one.name)
        if not one.holds(labels.get(one.name, "")):
            return False
    return True


def _inhibition(rule: Mapping[str, Any]) -> Inhibition:
    equal = (text_of(name, "a label") for name in list_of(rule.get("equal") or [], "equal"))
    return Inhibition(matchers_of(rule, "source_"), matchers_of(rule, "target_"), tuple(equal))


def _duration(value: Any) -> timedelta:
    text = text_of(value, "a duration")
    if not re.fullmatch(r"(?:[0-9]+(?:ms|[smhdwy]))+|0", text) or len(text) > 40:
        raise NoAnswer("has a duration that is none")
    return timedelta(seconds=min(sum(int(n) * _UNITS[unit] for n, unit in _PART.findall(text)), 1e9))
