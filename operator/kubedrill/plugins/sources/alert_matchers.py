"""Alertmanager's matchers, of routes, silences and inhibition alike: what each asks of a label, and whether it holds.

They follow Alertmanager's own rules. What is not understood is not known: then nobody says that it holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kubedrill.kube.answers import NoAnswer, list_of, object_of, text_of

_MATCHER: Final = re.compile(r'\s*"?([\w.:/ -]+?)"?\s*(=~|!~|!=|=)\s*(.*?)\s*', re.DOTALL)
_NO_LITERAL: Final = re.compile(r"[\\^$*+?{}\[\]()]")


@dataclass(frozen=True, slots=True)
class Matcher:
    """What is asked of one label. `operator` is =, !=, =~ or !~."""

    name: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f"{self.name}{self.operator}{json.dumps(self.value)}"

    def holds(self, found: str) -> bool:
        """Whether it holds of a label's value, which is empty where there is no such label.

        Raises:
            NoAnswer: its pattern is not understood.
        """
        if self.operator in ("=", "!="):
            alike = found == self.value
        else:
            alike = any(_like(found, one) for one in _alternatives(self.value))
        return alike if self.operator in ("=", "=~") else not alike


def matchers_of(block: Mapping[str, Any], whose: str = "") -> tuple[Matcher, ...]:
    """The matchers of a block of the configuration, in the three ways of writing them.

    `whose` is what comes before the names of their fields, as `source_` does.

    Raises:
        NoAnswer: they are not understood.
    """
    told = list_of(block.get(f"{whose}matchers") or [], "matchers")
    asked = [
        Matcher(name, operator, text_of(value, "a match"))
        for key, operator in ((f"{whose}match", "="), (f"{whose}match_re", "=~"))
        for name, value in object_of(block.get(key) or {}, key).items()
    ]
    return (*asked, *(_read(text_of(one, "a matcher")) for one in told))


def _read(written: str) -> Matcher:
    found = _MATCHER.fullmatch(written)
    if found is None:
        raise NoAnswer("has a matcher that is not understood")
    return Matcher(found[1], found[2], _unquoted(found[3]))


def _unquoted(value: str) -> str:
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], value[1:-1])


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
