"""The defects of `defects.yaml`: what each breaks, and how."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

ROOT: Final = Path(__file__).parents[2]
DEFECTS: Final = Path(__file__).parent / "defects.yaml"


@dataclass(frozen=True, slots=True)
class Defect:
    """A bug: `old` in `file` (below the package) becomes `new`; `breaks` is the clause that it breaks.

    `arrow` tells whether it breaks an arrow or clause of the protocol. `try_first` are plans (globs) that run before
    the others, because where a defect is looked for first costs nothing and saves minutes.
    """

    name: str
    breaks: str
    file: str
    old: str
    new: str
    arrow: bool = False
    try_first: str = ""


def defects() -> list[Defect]:
    """All of them.

    Raises:
        TypeError: an entry lacks a key, or has one that a defect does not have.
    """
    return [Defect(**entry) for entry in yaml.safe_load(DEFECTS.read_text(encoding="utf-8"))]
