"""Draws the layers of the code from the contracts that import-linter enforces: `python docs/draw_layers.py --write`.

The drawing stands in docs/architecture.md between two marks. `make generate` writes it; `make check` says when it is
old.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs/architecture.md"
BEGIN: Final = "<!-- drawn from the import contracts in pyproject.toml by `make generate` -->\n"
END: Final = "<!-- end of the drawing -->\n"


def drawn(pyproject: str) -> str:
    """The layers as a Mermaid diagram: who is above whom, and the packages inside one that are kept apart."""
    contracts = tomllib.loads(pyproject)["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c["type"] == "layers")
    lines = ["```mermaid", "flowchart TB"]
    for at, layer in enumerate(layers):
        members = [_short(name) for name in layer.split("|")]
        lines.append(f"    subgraph L{at}[ ]")
        lines += [f"        {name}[{name}/]" for name in members]
        lines += [
            f"        {part.replace('.', '_')}[{part.rpartition('.')[2]}/]" for part in _parts(contracts, members)
        ]
        lines.append("    end")
    lines += [f"    L{at} --> L{at + 1}" for at in range(len(layers) - 1)]
    return "\n".join((*lines, "```", ""))


def with_drawing(page: str, drawing: str) -> str:
    """The page with this drawing between its marks.

    Raises:
        ValueError: the page has no marks.
    """
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has no place for the drawing: {BEGIN.strip()} … {END.strip()}")
    return head + begin + drawing + end + tail


def _parts(contracts: list[dict[str, object]], members: list[str]) -> list[str]:
    """The packages inside a layer that a contract keeps apart from each other."""
    apart = [str(m) for c in contracts if c["type"] == "independence" for m in c["modules"]]  # type: ignore[attr-defined]
    short = [_short(name) for name in apart]
    return [name for name in short if name.count(".") == 1 and name.partition(".")[0] in members]


def _short(name: str) -> str:
    return name.strip().removeprefix("kubedrill.")


if __name__ == "__main__":
    now = PAGE.read_text(encoding="utf-8")
    wanted = with_drawing(now, drawn((ROOT / "pyproject.toml").read_text(encoding="utf-8")))
    if "--write" in sys.argv:
        PAGE.write_text(wanted, encoding="utf-8")
    elif now != wanted:
        sys.exit(f"{PAGE.name}: the drawing is not of today's contracts: make generate")
