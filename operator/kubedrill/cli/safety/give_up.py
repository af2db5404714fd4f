"""Giving up what can't be verified: the last way out, for whoever is of the break-glass group.

The Drill is told first, by an annotation that only that group may set; then the records go that nobody can carry
out. In the other order, the operator would find them missing.
"""

from __future__ import annotations

import click

from kubedrill.api.drill import ACCEPTS_UNVERIFIED
from kubedrill.cli.safety.survey import Survey
from kubedrill.kube.client import MERGE_PATCH, Kube
from kubedrill.protocol.drills import drill_path
from kubedrill.store.undo_records import RecordError, StoredRecord, UnreadableRecord, close


async def accept(kube: Kube, namespace: str, name: str, by: str) -> bool:
    """Tells a Drill that it may end with what can't be verified. False where there is no such Drill.

    Raises:
        RecordTrouble: it may not be told, so no record may be deleted either.
    """
    change = {"metadata": {"annotations": {ACCEPTS_UNVERIFIED: by}}}
    answer = await kube.call("PATCH", drill_path(namespace, name), change, content_type=MERGE_PATCH)
    if answer.status == 404:
        return False
    if not answer.ok:
        raise RecordError(f"tell drill {name} that it may end", answer)
    return True


async def give_up(kube: Kube, survey: Survey, by: str) -> None:
    """Ends what can't be verified: says what is lost with it, tells the Drills, deletes the records.

    Raises:
        RecordTrouble: the API server refuses it.
    """
    lost = dict(survey.lost())
    doubtful: tuple[StoredRecord | UnreadableRecord, ...] = (*survey.unreadable, *survey.foreign)
    if not doubtful and not lost:
        click.echo("there is nothing that can't be verified: nothing is given up")
        return
    owners = {one.drill_uid for one in survey.unreadable} | {one.record.drill.uid for one in survey.foreign} | set(lost)
    for uid in sorted(owners & survey.drills.keys()):
        drill = survey.drills[uid]["metadata"]["name"]
        if await accept(kube, survey.namespace, drill, by):
            click.echo(
                f"{drill} may end: {by} has accepted that not everything is verified to be back. Its verdict is"
                " Error, and its report says so",
                err=True,
            )
    for one in doubtful:
        click.echo(f"undo record {one.ref.name} is deleted. As far as is known it was to restore:", err=True)
        known = list(survey.known_of(one.ref.name)) or ["    nothing is known of it"]
        click.echo("\n".join(known), err=True)
        if not await close(kube, one):
            click.echo(f"undo record {one.ref.name} has changed meanwhile and stays: run it again", err=True)
