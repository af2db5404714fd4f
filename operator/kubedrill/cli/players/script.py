"""A script for players: who does what when after the page. The file that `kubedrill play` acts.

```yaml
namespace: staging
pace: 12
page: {service: page-sink, port: 8080, path: pages, alert: HighQueueDepth, within: 10m}
players:
  alice: {as: alice@example.com}
steps:
- {at: 2m, as: alice, do: ack}
- {at: 3m, as: alice, do: severity P1}
- {at: 5m, as: alice, kubectl: [scale, deployment/worker, --replicas=10]}
- {as: alice, when: {promql: queue_depth < 20, within: 5m}, do: resolve}
```

`at` is scenario time since the page's alert fired, divided by the pace. `within` and `when` are real time.
A player's steps are done in order, each when its time has come; players act side by side.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import ConfigDict, Field, ValidationError, model_validator

from kubedrill.api.base import ApiModel, Duration, Line, Name
from kubedrill.api.people import Action
from kubedrill.cli.connection import CliError
from kubedrill.cli.exit_codes import ExitCode
from kubedrill.cli.manifest import mistakes
from kubedrill.cli.players.say import SEVERITIES, Word

VERBS: Final[Mapping[str, tuple[Action, str]]] = {
    "ack": (Action.ACK, ""),
    "severity": (Action.SEVERITY, "severity"),
    "escalate": (Action.ESCALATE, "level"),
    "engage": (Action.ENGAGE, "level"),
    "command": (Action.COMMAND, ""),
    "notify": (Action.NOTIFY, ""),
    "diagnose": (Action.DIAGNOSE, ""),
    "contain": (Action.CONTAIN, ""),
    "fix": (Action.FIX, ""),
    "mitigated": (Action.MITIGATED, ""),
    "resolve": (Action.RESOLVE, ""),
    "all-clear": (Action.ALL_CLEAR, ""),
    "lead": (Action.LEAD, ""),
    "postmortem": (Action.POSTMORTEM, ""),
    "note": (Action.NOTE, ""),
}
"""What a player can say: the action, and the field that takes the first word."""


class ScriptPlayer(ApiModel):
    """As whom a player acts: by impersonation, or by a context of the kubeconfig of their own."""

    user: Line | None = Field(None, alias="as", description="User to impersonate.")
    context: Line | None = Field(None, description="Context of the kubeconfig.")


class Page(ApiModel):
    """Where the players' pager is: a Service that gives what Alertmanager's webhook brought it."""

    service: Name = Field("page-sink", description="Its Service.")
    port: int = Field(8080, ge=1, le=65535, description="Its port.")
    path: Line = Field("pages", description="Its path.")
    alert: Line = Field(description="The alert whose page starts play; its firing is T+0.")
    within: Duration = Field("15m", description="How long the page is waited for; real time.")


class When(ApiModel):
    """A condition that a step waits for: a PromQL expression that gives something."""

    promql: Line = Field(description="The expression; it holds when its result is not empty.")
    service: Name = Field("prometheus", description="Prometheus' Service.")
    port: int = Field(9090, ge=1, le=65535, description="Its port.")
    within: Duration = Field("10m", description="How long it is waited for; real time.")


class ScriptStep(ApiModel):
    """One thing that one player does: say a word, or run kubectl."""

    at: Duration = Field("0s", description="Not before this scenario time after T+0.")
    player: Name = Field(alias="as", description="Who does it.")
    when: When | None = Field(None, description="What it waits for besides.")
    do: Line | None = Field(None, description="What is said: a verb and its words, e.g. severity P1.")
    kubectl: Annotated[list[Line], Field(max_length=30)] | None = Field(
        None, description="Arguments of kubectl; {crashed} is the name of a pod that was killed."
    )
    component: Line | None = Field(None, description="For diagnose: what is broken.")
    fault_class: Line | None = Field(None, description="For diagnose: how it is broken.")

    @model_validator(mode="after")
    def _one_thing(self) -> ScriptStep:
        if (self.do is None) == (self.kubectl is None):
            raise ValueError("say exactly one of do and kubectl")
        if self.do is not None:
            self.word()
        return self

    def word(self) -> Word:
        """The word of a `do` step.

        Raises:
            ValueError: there is no such verb, or its first word is missing.
        """
        verb, *words = shlex.split(self.do or "") or [""]
        if verb not in VERBS:
            raise ValueError(f"nobody can say {verb!r}: there are {', '.join(VERBS)}")
        action, first = VERBS[verb]
        fields: dict[str, Any] = {}
        if first and words:
            fields[first] = words.pop(0)
        if verb == "severity" and fields.get("severity") not in SEVERITIES:
            raise ValueError(f"a severity is one of {', '.join(SEVERITIES)}")
        if verb == "escalate" and not words and not fields:
            raise ValueError("escalate to whom? e.g. escalate L2")
        if action is Action.DIAGNOSE and not (words or self.component or self.fault_class):
            raise ValueError("diagnose what? e.g. diagnose 'out of memory', or component and faultClass beside it")
        if action is Action.DIAGNOSE and (self.component or self.fault_class):
            said = {"component": self.component, "faultClass": self.fault_class}
            fields["diagnosis"] = {k: v for k, v in said.items() if v}
        return Word(action, fields | {"message": " ".join(words)})


class Script(ApiModel):
    """A whole play."""

    model_config = ApiModel.model_config | ConfigDict(title="Script")
    namespace: Name = Field(description="The target namespace: where players act.")
    pace: int = Field(1, ge=1, le=60, description="The drill's pace.")
    page: Page = Field(description="Where the page comes.")
    players: dict[Name, ScriptPlayer] = Field(description="Who plays, by name.")
    steps: list[ScriptStep] = Field(min_length=1, max_length=200, description="What is done.")

    @model_validator(mode="after")
    def _known_players(self) -> Script:
        unknown = sorted({step.player for step in self.steps} - set(self.players))
        if unknown:
            raise ValueError(f"{', '.join(unknown)} acts, but is not among the players")
        return self


def load_script(file: Path) -> Script:
    """The script in a file.

    Raises:
        Trouble: it can't be read, or is none; each mistake with its place.
    """
    try:
        return Script.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise CliError(f"{file}: {error.strerror}", ExitCode.BAD_INPUT) from error
    except yaml.YAMLError as error:
        raise CliError(f"{file}: {error}", ExitCode.BAD_INPUT) from error
    except ValidationError as error:
        raise CliError(f"{file}: {mistakes(error)}", ExitCode.BAD_INPUT) from error
