"""Scripts of players: what can be written, and what is refused before anybody acts."""

from pathlib import Path

import pytest
import yaml

from kubedrill.api.people import Action
from kubedrill.cli.connection import CliError
from kubedrill.cli.players.script import ScriptStep, load_script

SCENARIOS = Path(__file__).parents[2] / "scenarios"
PLAYS = sorted(SCENARIOS.glob("*/plays/*.yaml"))


def script(tmp_path, **changes):
    file = tmp_path / "script.yaml"
    file.write_text(
        yaml.safe_dump(
            {
                "namespace": "staging",
                "page": {"alert": "HighQueueDepth"},
                "players": {"alice": {"as": "alice@x"}},
                "steps": [{"at": "1m", "as": "alice", "do": "ack"}],
                **changes,
            }
        )
    )
    return file


def step(**fields):
    return ScriptStep.model_validate({"as": "alice", **fields})


@pytest.mark.parametrize("file", PLAYS, ids=lambda f: f.stem)
def test_the_plays_of_the_scenarios_are_well_formed(file):
    assert load_script(file).steps


def test_there_are_plays_to_try():
    assert {f.stem for f in PLAYS} >= {"morning-rush", "diagnose-first"}


@pytest.mark.parametrize(
    ("fields", "action", "said"),
    [
        ({"do": "ack"}, Action.ACK, {"message": ""}),
        ({"do": "ack on it"}, Action.ACK, {"message": "on it"}),
        ({"do": "severity P1 'it is bad'"}, Action.SEVERITY, {"severity": "P1", "message": "it is bad"}),
        ({"do": "escalate L2 help"}, Action.ESCALATE, {"level": "L2", "message": "help"}),
        ({"do": "engage"}, Action.ENGAGE, {"message": ""}),
        (
            {"do": "diagnose halved", "component": "worker", "faultClass": "MemoryLimit"},
            Action.DIAGNOSE,
            {"message": "halved", "diagnosis": {"component": "worker", "faultClass": "MemoryLimit"}},
        ),
    ],
)
def test_a_step_says_what_the_command_line_says(fields, action, said):
    word = step(**fields).word()
    assert (word.action, word.fields) == (action, said)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"steps": [{"as": "alice", "do": "shout"}]}, "nobody can say 'shout'"),
        ({"steps": [{"as": "alice", "do": "severity P9"}]}, "a severity is one of P1, P2, P3, P4, P5"),
        ({"steps": [{"as": "alice", "do": "escalate"}]}, "escalate to whom?"),
        ({"steps": [{"as": "alice"}]}, "exactly one of do and kubectl"),
        ({"steps": [{"as": "bob", "do": "ack"}]}, "bob acts, but is not among the players"),
        ({"steps": [{"as": "alice", "do": "ack", "at": "5"}]}, "steps[0].at"),
        ({"players": {"alice": {"is": "x"}}}, "players.alice.is: unknown field"),
    ],
)
def test_a_script_that_makes_no_sense_is_refused_with_its_place(tmp_path, changes, complaint):
    with pytest.raises(CliError) as refused:
        load_script(script(tmp_path, **changes))
    assert complaint in str(refused.value)
    assert refused.value.exit_code == 2
