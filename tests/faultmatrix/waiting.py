"""How long a story waits for what, and the end that nearly all stories have."""

from __future__ import annotations

import os
from typing import Final

from tests.faultmatrix.run import Run

PATIENCE: Final = float(os.environ.get("KUBEDRILL_MATRIX_PATIENCE", "60"))
"""Seconds for what takes one or two; where a planted defect is looked for, less is enough."""
ARMING: Final = PATIENCE
ENDING: Final = PATIENCE
GOING: Final = 30.0
AFTERWARDS: Final = 2.0


async def over_and_deleted(run: Run) -> None:
    """The drill ends by itself, with all put back; then it is deleted."""
    ending = max(ENDING, run.plan.expect.restored_within)
    await run.until(run.ended, ending, "over")
    await run.until(lambda: run.restored() and run.closed(), ending, "put back and closed")
    await run.remember()
    await run.delete()
    await run.until(lambda: run.phase() == "Gone", GOING, "gone")
