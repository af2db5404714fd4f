"""The entry point: `kubedrill`, and `kubectl drill` when it is called `kubectl-drill`.

The verbs are a table, and a verb's module is imported when it is used: `--help` and `ack` must not wait for
what `play` needs.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

import click


@dataclass(frozen=True, slots=True)
class Verb:
    """Where a verb is, and what it does in a line."""

    module: str
    summary: str
    attribute: str = ""


FAMILIES: Final[dict[str, dict[str, Verb]]] = {
    "Players (under your own name, wherever you may speak)": {
        "ack": Verb("players.say", "I have seen the page and look at it."),
        "severity": Verb("players.say", "How bad it is: P1 to P5."),
        "escalate": Verb("players.say", "I escalate to this level, e.g. L2."),
        "engage": Verb("players.say", "I was called and have joined."),
        "command": Verb("players.say", "I lead this incident.", "assume_command"),
        "notify": Verb("players.say", "I told the client this."),
        "diagnose": Verb("players.say", "This is the cause."),
        "contain": Verb("players.say", "I limit the damage this way."),
        "fix": Verb("players.say", "I remove the cause this way."),
        "mitigated": Verb("players.say", "The impact on the client goes down."),
        "resolve": Verb("players.say", "It works again."),
        "all-clear": Verb("players.say", "Everybody was told that it is over."),
        "lead": Verb("players.say", "I have the lead."),
        "postmortem": Verb("players.say", "This person writes the post-mortem."),
        "note": Verb("players.say", "For the record."),
    },
    "Facilitators (in the control namespace)": {
        "start": Verb("facilitators.facilitate", "Start a drill that is held."),
        "stop": Verb("facilitators.facilitate", "Stop a drill and restore everything."),
        "observe": Verb("facilitators.enter", "Enter what was seen or heard."),
        "confirm": Verb("facilitators.enter", "A manual fault was done or undone."),
        "attribute": Verb("facilitators.enter", "Who made an unattributed change."),
        "hint": Verb("facilitators.enter", "Record a hint that was given."),
        "import-audit": Verb("facilitators.import_audit", "Give the API server's audit log to a drill."),
        "opt-in": Verb("setup.opt_in", "Let drills break a namespace."),
        "opt-out": Verb("setup.opt_in", "No longer let drills break a namespace."),
        "witness": Verb("setup.witness", "Whether the API server tells who changes what, for drills to credit."),
    },
    "By hand, whatever else is gone": {
        "restore": Verb("safety.restore", "Restore by hand, from the undo records alone."),
        "uninstall": Verb("safety.uninstall", "Restore everything and remove KubeDrill."),
    },
    "Before, during and after": {
        "doctor": Verb("setup.doctor", "What is missing before a drill can run."),
        "lint": Verb("setup.plan", "Check a drill's file without a cluster."),
        "plan": Verb("setup.plan", "What a drill would do, and how it is undone."),
        "watch": Verb("facilitators.watch", "Follow a drill to its verdict."),
        "report": Verb("reports.stored_report", "Write a drill's report."),
        "run": Verb("facilitators.run", "Apply, follow and report: for CI.", "run_"),
        "play": Verb("players.play", "Play a script as its players."),
        "replay": Verb("reports.replay", "A drill from a transcript, without a cluster."),
    },
}
VERBS: Final = {name: verb for family in FAMILIES.values() for name, verb in family.items()}


class Verbs(click.Group):
    """The verbs of the table, each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """All verbs."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  same
        """One verb's command."""
        verb = VERBS.get(cmd_name)
        if verb is None:
            return None
        module = import_module(f"kubedrill.cli.{verb.module}")
        command = getattr(module, verb.attribute or cmd_name.replace("-", "_"))
        if not isinstance(command, click.Command):
            raise TypeError(f"kubedrill.cli.{verb.module} has no command {cmd_name}")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  same
        """The verbs by family, from the table alone."""
        for family, verbs in FAMILIES.items():
            with formatter.section(family):
                formatter.write_dl([(name, verb.summary) for name, verb in verbs.items()])


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="kubedrill")
def cli() -> None:
    """Live incident drills on Kubernetes: a real fault, real pages, people measured, the cluster put back."""


def main() -> None:
    """Run the command line; as a kubectl plugin it calls itself what people typed."""
    plugin = Path(sys.argv[0]).name.startswith("kubectl")
    cli(prog_name="kubectl drill" if plugin else "kubedrill")


if __name__ == "__main__":
    main()
