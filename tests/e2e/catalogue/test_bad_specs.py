"""A Drill that makes no sense, or is too big, hurts nobody but itself."""

from __future__ import annotations

from typing import Any

from tests.e2e.catalogue.stage import NOBODY, WITHIN, Enactment, in_play, known_failure, over_and_deleted
from tests.faultmatrix.kubelet import FAULTED
from tests.faultmatrix.run import Run
from tests.faultmatrix.shapes import GOOD

from kubedrill.api.drill import DESIRED
from kubedrill.kube.client import MERGE_PATCH
from kubedrill.protocol.drills import drill_path

LARGE = 250_000
"""Bytes of an annotation: an object's may have 262,144 in all."""
POISON: dict[str, dict[str, Any]] = {
    "target": {"scenario": NOBODY},
    "namespace": {"targetNamespace": "nobody-has-made-it"},
    "stop condition": {"stopWhen": [{"name": "errors", "promql": "sum(rate("}]},
}


async def beside_poison(run: Run) -> dict[str, str]:
    """Drills that make no sense come first; then one that does. Gives how the others ended."""
    good, bad = run.name, {kind: f"{run.name}-{kind.replace(' ', '-')}" for kind in POISON}
    run.drills = (good, *bad.values())
    for kind, name in bad.items():
        await run.apply(name, **POISON[kind])
    await run.until(lambda: all(run.ended(name) for name in bad.values()), WITHIN, "the poisonous ones are over")
    told = {kind: ((await run.slot.drill(name)) or {})["status"]["message"] for kind, name in bad.items()}
    await in_play(run)
    await run.stop()
    await over_and_deleted(run)
    return told


@known_failure("chaosblade-operator#12", story=beside_poison)
async def test_bad_spec_neither_crashes_the_operator_nor_holds_up_others(enacted: Enactment):
    """ChaosBlade operator 12: one bad parameter sent the operator into CrashLoopBackOff, and with nobody to take the
    finalizers off, nothing could be deleted. Here each bad Drill says what is wrong, another one runs, and all of them
    go.
    """
    assert "nobody-has-made-it" in enacted.saw["namespace"]
    assert "there is no Deployment/nobody" in enacted.saw["target"]
    assert "stop condition errors: is not valid PromQL" in enacted.saw["stop condition"]
    assert not enacted.run.exits
    assert enacted.values() == [GOOD, FAULTED, GOOD]


async def with_large_annotations(run: Run) -> int:
    """The Drill's annotations have hardly any room left. Gives their size at the end."""
    await in_play(run)
    note = {"metadata": {"annotations": {"example.com/notes": "x" * LARGE}}}
    await run.slot.must("PATCH", drill_path(run.slot.control, run.name), note, MERGE_PATCH)
    await run.stop()
    await run.until(run.ended, WITHIN, "over")
    drill = await run.slot.drill(run.name)
    await over_and_deleted(run)
    return sum(len(k) + len(v) for k, v in (drill or {})["metadata"]["annotations"].items())


@known_failure("kopf#1087", story=with_large_annotations)
async def test_bad_size_of_annotations_keeps_no_drill_from_ending_and_going(enacted: Enactment):
    """kopf 1087: an object whose annotations were full could not be deleted, for the framework wanted to write one
    more. Here the operator keeps nothing in annotations, only the facilitator's word to stop is there: the drill ends,
    puts back and goes.
    """
    assert enacted.saw == len("example.com/notes") + LARGE + len(DESIRED) + len("Stop")
    assert set(enacted.ends.values()) == {"Restored"}
