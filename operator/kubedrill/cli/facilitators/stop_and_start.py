"""How a drill is told to run or to stop: by an annotation that Argo CD and Flux leave alone, or else by its spec."""

from __future__ import annotations

from typing import Final

import click

from kubedrill.api.drill import DESIRED, Desired
from kubedrill.cli.connection import demand, good, path_of
from kubedrill.core.machine.desired import stop_in_spec, the_word
from kubedrill.kube.client import MERGE_PATCH, Kube
from kubedrill.kube.refusals import is_refusal, words

FACILITATOR: Final = "kubectl-drill-facilitator"
"""The field manager of what facilitators say: of nobody who applies manifests."""


async def say_what_is_wanted(kube: Kube, namespace: str, name: str, desired: Desired, because: str = "") -> None:
    """Say to a drill that it is to run or to stop, in a way that Argo CD and Flux don't take back.

    A stop has a second way: where the annotation is refused (a policy, no room for another one), it goes to the spec,
    which counts as much, and that is told. A start has none: what refuses it may have its reasons.

    Raises:
        CliError: it is refused; of a stop, both ways.
    """
    path, query, what = path_of("drills", namespace, name), [("fieldManager", FACILITATOR)], f"drill {namespace}/{name}"
    answer = await kube.call("PATCH", path, the_word(desired, because), content_type=MERGE_PATCH, query=query)
    if answer.ok or desired is not Desired.STOP or not is_refusal(answer):
        good(answer, what)
        return
    said = kube.call("PATCH", path, stop_in_spec(because), content_type=MERGE_PATCH, query=query)
    await demand(said, f"{what}: the annotation {DESIRED} was refused ({words(answer)}), and spec.desired, too")
    click.echo(
        f"{name}: the annotation {DESIRED} was refused ({words(answer)}), so the stop stands in spec.desired. If"
        " Argo CD or Flux keeps this Drill, write it in Git as well: they can't take it back, but they will try.",
        err=True,
    )
