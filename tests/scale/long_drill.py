"""A drill of eight hours with a sample a second: what a turn costs at its end, and what a series takes of memory."""

from __future__ import annotations

from bench.long_drill import MOST_MIB, MOST_MS, MOST_TIMES, measure
from tests.scale.bounds import Findings


def measured(findings: Findings) -> None:
    """Played in this process (`bench/long_drill.py`): it needs no API server."""
    figures = measure()
    findings.stated(f"eight hours: a turn after ten minutes takes {figures.after_ten_minutes:.1f} ms")
    findings.bound("eight hours: a turn at their end", figures.after_eight_hours, MOST_MS, "ms")
    slower = figures.after_eight_hours / figures.after_ten_minutes
    findings.bound("eight hours: beside a turn after ten minutes", slower, MOST_TIMES, "times")
    findings.bound("eight hours: memory", figures.mib_a_series, MOST_MIB, "MiB a series")
