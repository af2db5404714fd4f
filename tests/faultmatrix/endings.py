"""How a drill that is over is seen to its end, and how long a story waits for what."""

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
DRIFTING: Final = 7.0
"""Longer than two rounds of a GitOps controller that looks every three seconds."""


async def over_and_deleted(run: Run) -> None:
    """Over, put back, its books closed; deleted, and gone."""
    await run.until(run.ended, ENDING, "over")
    await run.until(lambda: run.restored() and run.closed(), ENDING, "put back and closed")
    await run.remember()
    await run.delete()
    await run.until(lambda: run.phase() == "Gone", GOING, "gone")
