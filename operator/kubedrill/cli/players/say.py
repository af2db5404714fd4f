"""What players say: each verb makes one immutable PlayerAction where it is heard, by the speaker's own name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import click

from kubedrill.api.base import API_VERSION
from kubedrill.api.people import Action
from kubedrill.cli.connection import Access, CliError, connected, demand, path_of, run, with_access
from kubedrill.cli.exit_codes import ExitCode
from kubedrill.cli.players.listed import why_uncounted
from kubedrill.cli.players.where import places_to_speak
from kubedrill.kube.client import Kube
from kubedrill.kube.paths import WHO_AM_I

SEVERITIES: Final = ("P1", "P2", "P3", "P4", "P5")


@dataclass(frozen=True, slots=True)
class Word:
    """Something that is said: the action and the fields of PlayerActionSpec that belong to it."""

    action: Action
    fields: dict[str, Any] = field(default_factory=dict)


async def who_am_i(kube: Kube) -> str:
    """The user name at the API server of whoever asks."""
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    body = await demand(kube.call("POST", WHO_AM_I.all, review), "who are you?")
    return str(body["status"]["userInfo"]["username"])


async def say(kube: Kube, namespace: str, word: Word, actor: str | None = None) -> dict[str, Any]:
    """Record a word under the speaker's own name (asked for when not given); the PlayerAction as made."""
    fields = {key: value for key, value in word.fields.items() if value}
    body = {
        "apiVersion": API_VERSION,
        "kind": "PlayerAction",
        "metadata": {"generateName": f"{word.action.value.lower()}-"},
        "spec": {"actor": actor or await who_am_i(kube), "action": word.action.value, **fields},
    }
    return await demand(
        kube.call("POST", path_of("playeractions", namespace), body, query=[("fieldValidation", "Strict")]),
        f"{word.action.value} was not recorded",
    )


async def said(access: Access, word: Word) -> None:
    """Say it wherever it may be heard, and show what was recorded, and where nobody looked.

    Raises:
        CliError: nobody would hear it, or it was refused somewhere; what was recorded is shown.
    """
    async with connected(access) as kube:
        actor, places = await asyncio.gather(who_am_i(kube), places_to_speak(kube, access, word.fields.get("drill")))
        refused = [one for one in [await _shown(kube, place, word, actor) for place in places.namespaces] if one]
        counts = [one for one in refused if one.namespace not in places.unsure]
        if counts or len(refused) == len(places.namespaces):
            raise (counts or refused)[0].error
        if places.looked_at:
            click.echo(f"Warning: {places.looked_at.replace('YOU', actor)}", err=True)
        if places.drill is not None and word.action is not Action.NOTE:
            warning = await why_uncounted(kube, places.control, places.drill, actor)
            if warning:
                click.echo(f"Warning: {warning}", err=True)


@dataclass(frozen=True, slots=True)
class NotRecorded:
    """A word that was refused somewhere."""

    namespace: str
    error: CliError


async def _shown(kube: Kube, namespace: str, word: Word, actor: str) -> NotRecorded | None:
    """Say it in one namespace, and show what was recorded; a refusal holds up no other namespace."""
    try:
        made = await say(kube, namespace, word, actor)
    except CliError as error:
        return NotRecorded(namespace, error)
    meta, spec = made["metadata"], made["spec"]
    click.echo(f"{meta['creationTimestamp']}  {spec['actor']}: {spec['action']}  ({namespace}/{meta['name']})")
    return None


def _spoken(
    action: Action, fields: Callable[..., dict[str, Any]], *, must_speak: bool = False, needs: str = ""
) -> Callable[..., None]:
    """The body of a verb: all its options but the common ones go to `fields`. `needs`: what must be said."""

    @with_access
    def command(access: Access, drill: str | None, message: tuple[str, ...], **options: Any) -> None:
        words = {"message": " ".join(message), **fields(**options)}
        if needs and not any(words.values()):
            raise CliError(needs, ExitCode.BAD_INPUT)
        run(said(access, Word(action, {"drill": drill, **words})))

    command = click.option("--drill", help="Name of the drill; not needed while one is on.")(command)
    return click.argument("message", nargs=-1, required=must_speak)(command)


def _verb(name: str, action: Action, summary: str, *, must_speak: bool = False) -> click.Command:
    return click.command(name, help=summary)(_spoken(action, dict, must_speak=must_speak))


ack = _verb("ack", Action.ACK, "I have seen the page and look at it.")
assume_command = _verb("command", Action.COMMAND, "I lead this incident.")
notify = _verb("notify", Action.NOTIFY, "I told the client MESSAGE.", must_speak=True)
contain = _verb("contain", Action.CONTAIN, "I limit the damage by MESSAGE.")
fix = _verb("fix", Action.FIX, "I remove the cause by MESSAGE.")
mitigated = _verb("mitigated", Action.MITIGATED, "The impact on the client goes down.")
resolve = _verb("resolve", Action.RESOLVE, "It works again.")
all_clear = _verb("all-clear", Action.ALL_CLEAR, "Everybody was told that it is over.")
lead = _verb("lead", Action.LEAD, "I have the lead: said in words, so that others know.")
note = _verb("note", Action.NOTE, "For the record: MESSAGE.", must_speak=True)
postmortem = _verb("postmortem", Action.POSTMORTEM, "The post-mortem's owner is MESSAGE.", must_speak=True)

severity = click.command("severity", help="How bad it is: P1 (worst) to P5.")(
    click.argument("level", type=click.Choice(SEVERITIES, case_sensitive=False))(
        _spoken(Action.SEVERITY, lambda level: {"severity": level})
    )
)
escalate = click.command("escalate", help="I escalate to LEVEL, e.g. L2 or Engineering.")(
    click.argument("level")(_spoken(Action.ESCALATE, lambda level: {"level": level}))
)
engage = click.command("engage", help="I was called and have joined; --level is mine when left out.")(
    click.option("--level", help="Your own role, which it is when left out; another counts for nobody.")(
        _spoken(Action.ENGAGE, lambda level: {"level": level})
    )
)
diagnose = click.command("diagnose", help="This is the cause.")(
    click.option("--component", help="What is broken, e.g. the name of a workload.")(
        click.option("--fault-class", help="How it is broken, e.g. OutOfMemory.")(
            _spoken(
                Action.DIAGNOSE,
                lambda component, fault_class: {"diagnosis": _given(component=component, faultClass=fault_class)},
                needs="say what the cause is: a MESSAGE, --component or --fault-class",
            )
        )
    )
)


def _given(**fields: str | None) -> dict[str, str]:
    return {key: value for key, value in fields.items() if value}
