"""YAML of a stranger as what it is made of: lists, mappings and texts. Nothing in it is a number, a date or an alias.

An alias can make a few lines a thousand times as long, and a tag can make anything; neither is in what Alertmanager
writes of its configuration.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import yaml

from kubedrill.kube.answers import NoAnswer, TooMuch

MOST_SIGNS: Final = 256 << 10
"""It takes about two seconds a MiB to be read, in which nothing else is done."""
MOST_LEVELS: Final = 40
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def plain(text: str) -> Any:
    """What a document says, in lists, mappings and texts.

    Raises:
        Unanswered: it is no such document, or longer or deeper than is read.
    """
    if len(text) > MOST_SIGNS:
        raise TooMuch(f"has a configuration of more than {MOST_SIGNS >> 10} KiB")
    events = yaml.parse(text, Loader=_LOADER)
    try:
        for event in events:
            if isinstance(event, yaml.NodeEvent):
                return _node(event, events, MOST_LEVELS)
    except (yaml.YAMLError, StopIteration) as error:
        raise NoAnswer("has a configuration that is not YAML") from error
    return None


def _node(event: Any, events: Iterator[Any], levels: int) -> Any:
    if isinstance(event, yaml.ScalarEvent):
        return event.value
    if levels == 0 or isinstance(event, yaml.AliasEvent):
        raise NoAnswer("has a configuration with aliases, or nested too deep")
    if isinstance(event, yaml.SequenceStartEvent):
        return list(_nodes(events, yaml.SequenceEndEvent, levels - 1))
    parts = list(_nodes(events, yaml.MappingEndEvent, levels - 1))
    if not all(isinstance(key, str) for key in parts[::2]):
        raise NoAnswer("has a configuration with a key that is no text")
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _nodes(events: Iterator[Any], end: type[Any], levels: int) -> Iterator[Any]:
    while not isinstance(event := next(events), end):
        yield _node(event, events, levels)
