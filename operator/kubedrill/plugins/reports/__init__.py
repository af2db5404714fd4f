"""Reports: a drill's record as text, one file a format. Pure: the same record gives the same bytes.

A format is a module of this package that has `FORMAT` (its name), `SUFFIX` (of its files) and
`render(record) -> str`. To add one, add a module: it is found by looking, and one that keeps only half of
this contract is an error at import, never a format that is quietly missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType, ModuleType
from typing import Final

from kubedrill.core.measure.results import DrillRecord

_CONTRACT: Final = ("FORMAT", "SUFFIX", "render")


@dataclass(frozen=True, slots=True)
class Format:
    """A format of reports: its name (`--format`), the suffix of its files with the dot, and its renderer."""

    name: str
    suffix: str
    render: Callable[[DrillRecord], str]


class UnknownFormatError(ValueError):
    """A format was asked for that there is none of; the message lists those that there are."""


def as_format(module: ModuleType) -> Format | None:
    """The format that a module brings; nothing when it is a module of another kind.

    Raises:
        TypeError: it has a part of the contract only.
    """
    there = [name for name in _CONTRACT if hasattr(module, name)]
    if "FORMAT" not in there:
        return None
    if len(there) < len(_CONTRACT):
        missing = ", ".join(name for name in _CONTRACT if name not in there)
        raise TypeError(f"{module.__name__} is no report format: it lacks {missing}")
    return Format(module.FORMAT, module.SUFFIX, module.render)


def _discovered() -> Mapping[str, Format]:
    found: dict[str, Format] = {}
    for info in iter_modules(__path__, f"{__name__}."):
        made = as_format(import_module(info.name))
        if made is None:
            continue
        if made.name in found:
            raise TypeError(f"two report formats are called {made.name}")
        found[made.name] = made
    return MappingProxyType(found)


FORMATS: Final[Mapping[str, Format]] = _discovered()


def render(record: DrillRecord, format: str) -> str:  # noqa: A002 - the word of the command line, `--format`
    """The report of a drill in one of `FORMATS`.

    Raises:
        UnknownFormatError: there is no such format.
    """
    if format not in FORMATS:
        raise UnknownFormatError(f"no report format {format!r}; there are {', '.join(sorted(FORMATS))}")
    return FORMATS[format].render(record)
