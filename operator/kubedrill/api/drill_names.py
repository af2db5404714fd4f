"""What a Drill may be called: its name becomes a label of its evidence and its report, and a part of their names."""

from __future__ import annotations

import re
from typing import Final

from kubedrill.api.base import NAME_PATTERN

LONGEST: Final = 50
"""Labels end at 63 characters."""
GENERATED: Final = 5
"""So many characters the API server appends to a `generateName`."""
TOO_LONG: Final = f"the name is longer than {LONGEST} characters: choose a shorter one"
DOTTED: Final = "the name has a dot: write small letters, digits and '-', as in shop-web"


def wrong_with(name: str) -> str:
    """What the API server would say of a Drill's name; nothing when it takes it."""
    if len(name) > LONGEST:
        return TOO_LONG
    return "" if re.fullmatch(NAME_PATTERN, name) else DOTTED


def generated_from(prefix: str) -> str:
    """A name as the API server may make it of a `generateName`."""
    return f"{prefix}{'x' * GENERATED}"
