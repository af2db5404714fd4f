"""Where Alertmanager's configuration sends an alert: to which receivers, after how long, and when to nobody.

A Prometheus that fires and a pager that stays silent have this between them: `group_wait`, mute times, a route that
ends at a receiver without an address. Matching follows Alertmanager's own rules, of which what is not understood makes
the whole unknown: nothing is said then.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from kubedrill.kube.answers import NoAnswer, list_of, object_of, text_of
from kubedrill.plugins.sources.mute_times import holds
from kubedrill.plugins.sources.plain_yaml import plain

GROUP_WAIT: Final = timedelta(seconds=30)
"""Alertmanager's default."""
MOST_ROUTES: Final = 2_000
_MATCHER: Final = re.compile(r'\s*"?([\w.:/ -]+?)"?\s*(=~|!~|!=|=)\s*(.*?)\s*', re.DOTALL)
_PART: Final = re.compile(r"([0-9]+)(ms|s|m|h|d|w|y)")
_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "y": 31_536_000}
_NO_LITERAL: Final = re.compile(r"[\\^$*+?{}\[\]()]")


@dataclass(frozen=True, slots=True)
class RoutedTo:
    """One receiver that an alert goes to: how long it is held back at first, and by which time interval it is muted."""

    receiver: str
    waits: timedelta
    muted: str = ""


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

    def deliveries(self, labels: Mapping[str, str], at: datetime) -> tuple[RoutedTo, ...]:
        """To whom an alert with these labels goes at an instant.

        Raises:
            Unanswered: the routes are not understood.
        """
        left = [MOST_ROUTES]
        return tuple(self._matched(self._root, labels, at, "", GROUP_WAIT, left))

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
        left: list[int],
    ) -> Iterator[RoutedTo]:
        """A route's own deliveries, or those of its children that match: of the first, and on while one continues."""
        left[0] -= 1
        if left[0] < 0:
            raise NoAnswer("has more routes than are looked through")
        receiver = text_of(route.get("receiver") or receiver, "a receiver")
        waits = _duration(route["group_wait"]) if route.get("group_wait") else waits
        matched = False
        for child in (object_of(one, "a route") for one in list_of(route.get("routes") or [], "routes")):
            if not _matches(child, labels):
                continue
            matched = True
            yield from self._matched(child, labels, at, receiver, waits, left)
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


def _matches(route: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    exact = object_of(route.get("match") or {}, "a match")
    patterns = object_of(route.get("match_re") or {}, "a match_re")
    told = [_MATCHER.fullmatch(text_of(one, "a matcher")) for one in list_of(route.get("matchers") or [], "matchers")]
    if not all(told):
        raise NoAnswer("has a matcher that is not understood")
    asked = [(name, "=", text_of(value, "a match")) for name, value in exact.items()]
    asked += [(name, "=~", text_of(value, "a match_re")) for name, value in patterns.items()]
    asked += [(one[1], one[2], _unquoted(one[3])) for one in told if one]
    return all(_holds(labels.get(name, ""), operator, value) for name, operator, value in asked)


def _unquoted(value: str) -> str:
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], value[1:-1])


def _holds(value: str, operator: str, wanted: str) -> bool:
    found = value == wanted if operator in ("=", "!=") else any(_like(value, one) for one in _alternatives(wanted))
    return found if operator in ("=", "=~") else not found


def _alternatives(pattern: str) -> list[str]:
    """The words that a pattern matches, each with `.*` or `.+` at its ends at the most.

    A stranger's pattern is never run: one of ten letters can take an hour. Any other than this is not understood.
    """
    whole = pattern
    for opening in ("^", "(?:", "("):
        whole = whole.removeprefix(opening)
    closing = pattern.removeprefix("^").startswith("(")
    whole = whole.removesuffix("$").removesuffix(")") if closing else whole.removesuffix("$")
    found = whole.split("|")
    if any(_NO_LITERAL.search(_core(one)) or "." in _core(one) for one in found):
        raise NoAnswer("has a matcher with a pattern that is not understood")
    return found


def _core(word: str) -> str:
    for end in (".*", ".+"):
        word = word.removeprefix(end).removesuffix(end)
    return word


def _like(value: str, word: str) -> bool:
    core = _core(word)
    before, after = word[: len(word) - len(word.lstrip(".*+"))], word[len(word.rstrip(".*+")) :]
    if core == "":
        return value != "" if ".+" in word else True if word else value == ""
    for at in range(len(value) - len(core) + 1):
        if value.startswith(core, at) and _fits(value[:at], before) and _fits(value[at + len(core) :], after):
            return True
    return False


def _fits(rest: str, wild: str) -> bool:
    return rest == "" if wild == "" else rest != "" if wild == ".+" else True


def _duration(value: Any) -> timedelta:
    text = text_of(value, "a duration")
    if not re.fullmatch(r"(?:[0-9]+(?:ms|[smhdwy]))+|0", text) or len(text) > 40:
        raise NoAnswer("has a duration that is none")
    return timedelta(seconds=min(sum(int(n) * _UNITS[unit] for n, unit in _PART.findall(text)), 1e9))
