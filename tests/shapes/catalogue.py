"""Which drills are played: each shape of an alert with each of its courses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

SHAPES: Final = Path(__file__).with_name("shapes.yaml")
COURSES: Final = ("fixed", "nobody", "healed", "worse", "early", "scaled")
"""Fixed by a player, by nobody, healed by automation, made worse by a player; fixed by a player who is quicker than the
fault's whole effect, and scaled out by an autoscaler, which heals what clients notice and leaves the cause."""
UNJUDGED: Final = ("refused", "without-effect", "taken-out")
"""Not started; without anything of the target hurt; with the fault taken out by somebody's controller."""
WORSE: Final = (
    "scale-to-zero",
    "lower-still",
    "restarts",
    "delete",
    "quiet",
    "heal-the-neighbour",
    "silence",
)


@dataclass(frozen=True)
class Shape:
    """An alert as people write it: `$ns` in it is the namespace of the drill.

    `trouble`: which figure of the recorder's is in trouble below or above what. `keep`: keep_firing_for, in seconds.
    `label`: what this monitoring calls the namespace. `neighbour`: another namespace's shop is broken all the time.
    `holds`: how many MB a pod holds; with few the fault kills nobody. `query`: the impact, where the scenario names it.
    `labelled`: the rule puts the namespace on its alert. `withheld`: by what Alertmanager is kept from telling anybody.
    `group_wait`: for how many seconds it keeps the page back; players know of the trouble by the page alone then.
    `flapped`: the alert has fired and ended shortly before the drill.
    """

    name: str
    expr: str
    courses: tuple[str, ...]
    case: str = ""
    worse: str = ""
    trouble: Mapping[str, Any] = field(default_factory=lambda: {"figure": "available", "below": 3})
    ci: tuple[str, ...] = ()
    records: Mapping[str, str] = field(default_factory=dict)
    label: str = "namespace"
    second: str = ""
    neighbour: bool = False
    keep: int = 0
    note: int | None = None
    holds: int = 44
    query: str = ""
    labelled: bool = True
    pending: int = 2
    withheld: str = ""
    group_wait: int = 0
    flapped: bool = False


@dataclass(frozen=True)
class Play:
    """One drill: a shape, and what becomes of it."""

    shape: Shape
    course: str

    @property
    def name(self) -> str:
        return f"{self.shape.name}-{self.course}"

    @property
    def namespace(self) -> str:
        return f"shape-{self.name}"

    @property
    def alert(self) -> str:
        """The alert's name: no other play has it."""
        return "".join(word.title() for word in self.name.split("-"))

    @property
    def in_ci(self) -> bool:
        return self.course in self.shape.ci

    def of_its_namespace(self, text: str) -> str:
        """An expression about its namespace."""
        return text.replace("$ns", self.namespace)


def shape_of(said: Mapping[str, Any]) -> Shape:
    """A shape as the file says it. Raises TypeError at a word that shapes do not have."""
    given = {("pending" if key == "for" else key): value for key, value in said.items()}
    for key in ("courses", "ci"):
        given[key] = tuple(given.get(key, ()))
    return Shape(**given)


def shapes() -> list[Shape]:
    """All of them."""
    return [shape_of(one) for one in yaml.safe_load(SHAPES.read_text(encoding="utf-8"))]


def plays() -> Iterator[Play]:
    """All drills, those of one course beside those of others: who waits runs beside who works."""
    every = [Play(shape, course) for shape in shapes() for course in shape.courses]
    return iter(sorted(every, key=lambda play: (play.shape.courses.index(play.course), play.name)))
