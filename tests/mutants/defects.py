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
    """A bug: `old`, an expression or statements, becomes `new` (nothing: it goes); `breaks` is the clause it breaks.

    `where` is the module, and in it the function, class or constant: `revert:_Reverting.put_back`. As much of the
    module's path as tells it from others. `arrow` tells whether it breaks an arrow or clause of the protocol, `item`
    which of the ways to lose an undo it opens again (1 to 10; 0: none). `tests` (files or folders) and `plans` (globs)
    run before all others, because where a defect is looked for first costs nothing and saves minutes.
    """

    name: str
    breaks: str
    where: str
    old: str
    new: str
    arrow: bool = False
    item: int = 0
    tests: str = ""
    plans: str = ""


def defects() -> list[Defect]:
    """All of them.

    Raises:
        TypeError: an entry lacks a key, or has one that a defect does not have.
    """
    return [Defect(**entry) for entry in yaml.safe_load(DEFECTS.read_text(encoding="utf-8"))]
