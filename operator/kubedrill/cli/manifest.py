"""Drills, and what stands beside them, from files, checked by the models before a cluster sees them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from kubedrill.api.base import API_VERSION, URL_PATTERN, in_words
from kubedrill.api.drill import Drill
from kubedrill.api.drill_names import generated_from, wrong_with
from kubedrill.api.environment import DrillEnvironment
from kubedrill.api.roster import DrillRoster
from kubedrill.api.scenario import DrillScenario
from kubedrill.cli.api_rules import broken
from kubedrill.cli.connection import CliError
from kubedrill.cli.exit_codes import ExitCode
from kubedrill.plugins import faults  # noqa: F401  importing it registers the fault kinds

Written = Drill | DrillScenario | DrillEnvironment | DrillRoster
MODELS: Final[Mapping[str, type[Written]]] = {
    "Drill": Drill,
    "DrillScenario": DrillScenario,
    "DrillEnvironment": DrillEnvironment,
    "DrillRoster": DrillRoster,
}
NOT_READ_YET: Final = frozenset(
    {
        *("hypothesis", "checklist", "runbook", "expectedAction", "improvementPlan"),
        *("pagerduty", "slack", "email"),
    }
)
"""Fields that earlier versions took and nobody read. Each comes back with what reads it."""
PLURALS: Final = {
    "Drill": "drills",
    "DrillScenario": "drillscenarios",
    "DrillEnvironment": "drillenvironments",
    "DrillRoster": "drillrosters",
}


@dataclass(frozen=True, slots=True)
class Document:
    """One object of a file: as it was written, and as it was understood.

    A Drill that the API server is to name (`generateName`) is understood under the beginning of its name.
    """

    wire: dict[str, Any]
    model: Written

    @property
    def is_named(self) -> bool:
        """Whether it has a name of its own."""
        return bool(self.wire["metadata"].get("name"))

    @property
    def called(self) -> str:
        """What to call it in a sentence."""
        return self.model.metadata.name if self.is_named else f"{self.wire['metadata']['generateName']}…"

    @property
    def kind(self) -> str:
        """Which of our kinds it is."""
        return type(self.model).__name__


def load(files: Iterable[str]) -> tuple[Document, ...]:
    """The documents of files, `-` for standard input.

    Raises:
        Trouble: a file can't be read, or a document is none of ours; each mistake with its place.
    """
    return tuple(_understood(wire, file) for file in files for wire in _documents(file))


def the_drill_in(documents: Iterable[Document]) -> tuple[Document, Drill]:
    """The only Drill among documents.

    Raises:
        Trouble: there is none or more than one.
    """
    drills = [(d, d.model) for d in documents if isinstance(d.model, Drill)]
    if len(drills) != 1:
        raise CliError(f"the file must hold one Drill, it holds {len(drills)}", ExitCode.BAD_INPUT)
    return drills[0]


def _documents(file: str) -> list[Any]:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        return [d for d in yaml.safe_load_all(text) if d is not None]
    except OSError as error:
        raise CliError(f"{file}: {error.strerror}", ExitCode.BAD_INPUT) from error
    except yaml.YAMLError as error:
        raise CliError(f"{file}: {error}", ExitCode.BAD_INPUT) from error


def _understood(wire: Any, file: str) -> Document:
    kind = str(wire.get("kind")) if isinstance(wire, dict) else "no object"
    if kind not in MODELS or wire.get("apiVersion") != API_VERSION:
        expected = f"{', '.join(list(MODELS)[:-1])} or {list(MODELS)[-1]}"
        raise CliError(f"{file}: expected a {expected} of {API_VERSION}, got {kind}", ExitCode.BAD_INPUT)
    try:
        document = Document(wire, MODELS[kind].model_validate(_named(wire) if kind == "Drill" else wire))
    except ValidationError as error:
        raise CliError(f"{file}: {mistakes(error)}", ExitCode.BAD_INPUT) from error
    if isinstance(document.model, Drill):
        _demand_a_drills_name(document, file)
    if wrong := list(broken(document.model)):
        raise CliError(f"{file}: " + "\n".join(wrong), ExitCode.BAD_INPUT)
    return document


def _named(wire: dict[str, Any]) -> dict[str, Any]:
    """A Drill with a name, where the API server is to give it one."""
    metadata = wire.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("name") or not isinstance(metadata.get("generateName"), str):
        return wire
    beginning = metadata["generateName"]
    return wire | {"metadata": metadata | {"name": beginning.rstrip("-.") or beginning}}


def _demand_a_drills_name(document: Document, file: str) -> None:
    """What the API server would say of a Drill's name, or of the one that it would make. Raises CliError."""
    metadata = document.wire["metadata"]
    field, said = ("name", metadata["name"]) if document.is_named else ("generateName", metadata["generateName"])
    wrong = wrong_with(said if document.is_named else generated_from(said))
    if wrong:
        raise CliError(f"{file}: metadata.{field}: {wrong}, got {said!r}", ExitCode.BAD_INPUT)


def mistakes(error: ValidationError) -> str:
    """What is wrong with an object, each mistake with its place as people write it."""
    return "\n".join(f"{_place(e['loc'])}: {_said(e)}" for e in error.errors())


def _place(steps: tuple[int | str, ...]) -> str:
    return "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in steps).lstrip(".") or "document"


def _said(mistake: Any) -> str:
    if mistake["type"] == "extra_forbidden":
        return "nothing reads this yet: leave it out" if mistake["loc"][-1] in NOT_READ_YET else "unknown field"
    if mistake["type"] == "missing":
        return "is required"
    if (mistake.get("ctx") or {}).get("pattern") == URL_PATTERN:
        return in_words(mistake)  # a password may stand in it, which nobody wants to read in a pipeline's log
    return f"{in_words(mistake)}, got {mistake['input']!r}"
