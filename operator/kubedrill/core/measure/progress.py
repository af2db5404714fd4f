"""Measurement goes on where it stopped: only samples that came since are looked at, and the newest once more.

What is measured is a fold over samples, a pure function of them. Each closed page of samples remembers the fold at
its end, so that a turn feeds the newest page alone. It is a cache and nothing else: without it (after a restart) all
samples are fed again, to the same result. A page that is put in later is another page, and so are all after it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from itertools import islice
from typing import Final, Protocol, Self, TypeVar

from kubedrill.core.evidence.samples import ALWAYS, SamplePage, Samples

REMEMBERED: Final = 4
"""Of so many pages the fold is remembered: something may have to be measured up to an instant a moment ago."""


class Progress(Protocol):
    """What was measured of the samples so far."""

    def feed(self, at: int, value: float) -> None:
        """One more sample, later than all before it (microseconds since 1970)."""

    def copy(self) -> Self:
        """Another one that has come as far, and goes on by itself."""


P = TypeVar("P", bound=Progress)


def progressed(
    samples: Samples, asked: Hashable, begin: Callable[[], P], *, since: int = ALWAYS, until: int = -ALWAYS
) -> P:
    """The fold over the samples from `since` to `until`, both in. `asked` is all that it depends on beside them."""
    since = max(since, samples.begins)
    key, pages = (asked, since), samples.pages
    whole = _whole(pages, until)
    known = next((n for n in range(whole - 1, -1, -1) if key in pages[n].measured), -1)
    so_far: P = pages[known].measured[key].copy() if known >= 0 else begin()
    for number, page in enumerate(islice(pages, known + 1, None), known + 1):
        if page.last < since:
            continue
        for at, value in zip(page.times, page.values, strict=True):
            if since <= at <= until:
                so_far.feed(at, value)
        if whole - REMEMBERED <= number < whole:
            page.measured[key] = so_far.copy()
    for page in pages[max(0, known - REMEMBERED) : max(0, whole - REMEMBERED)]:
        page.measured.pop(key, None)
    return so_far


def _whole(pages: tuple[SamplePage, ...], until: int) -> int:
    """How many pages are closed, and not later than `until`."""
    whole = max(0, len(pages) - 1)
    while whole and pages[whole - 1].last > until:
        whole -= 1
    return whole
