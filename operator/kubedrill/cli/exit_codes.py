"""What the exit codes of `watch` and `run` mean, for CI. The one place where they are decided."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from kubedrill.core.measure.results import Verdict


class ExitCode(IntEnum):
    """How a command ended."""

    PASSED = 0
    MISSED = 1
    BAD_INPUT = 2
    REFUSED = 3
    STOPPED = 4
    ERROR = 5
    NOT_RESTORED = 6
    INCONCLUSIVE = 7


OF_VERDICT: Mapping[str, ExitCode] = {
    Verdict.PASSED: ExitCode.PASSED,
    Verdict.FAILED: ExitCode.MISSED,
    Verdict.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
    Verdict.STOPPED: ExitCode.STOPPED,
    Verdict.ERROR: ExitCode.ERROR,
}


def exit_code(drill: Mapping[str, Any]) -> ExitCode:
    """The exit code of a drill that has finished, from its status.

    A cluster that is not put back outweighs every verdict. An Error before anything was touched is a
    guardrail's refusal.
    """
    status = drill.get("status") or {}
    started = status.get("startExTime") is not None
    if started and not (status.get("restore") or {}).get("complete", False):
        return ExitCode.NOT_RESTORED
    verdict = status.get("verdict", "")
    if verdict == Verdict.ERROR and not started:
        return ExitCode.REFUSED
    return OF_VERDICT.get(verdict, ExitCode.ERROR)
