"""Every way out of a drill puts back: an abort, an error half-way, a failed hypothesis, the deadline."""

from __future__ import annotations

from datetime import datetime

from tests.e2e.catalogue.stage import WITHIN, Enactment, from_now_on, healed, in_play, known_failure, over_and_deleted
from tests.faultmatrix import shapes
from tests.faultmatrix.kubelet import FAULTED
from tests.faultmatrix.plan import COMMITTED, Rule
from tests.faultmatrix.run import Run
from tests.faultmatrix.services import ALERT
from tests.faultmatrix.shapes import GOOD
from tests.faultmatrix.stories import deadline, stop, stop_at_once

LONGEST_DERIVED_SECONDS = 3600
"""At pace 60: a drill whose scenario says nothing of a time is over long before."""


@known_failure(
    "litmus-go#239", "litmus-go#159", story=stop_at_once, rules=(Rule("target", ("stop-drill",), when=COMMITTED),)
)
async def test_way_out_by_an_abort_in_the_middle_of_the_injection_puts_back(enacted: Enactment):
    """Litmus 239 and 159: an abort ended the experiment and left its fault. Here a stop right after the first patch
    goes the same way as any end: reverted, read back, told field by field.
    """
    assert enacted.values() == [GOOD, FAULTED, GOOD]
    assert set(enacted.ends.values()) == {"Restored"}
    assert enacted.status["restore"]["complete"] is True


@known_failure(
    "litmus-go#667",
    "litmus-go#668",
    "litmus-go#526",
    story=stop_at_once,
    fault="two-targets",
    rules=(Rule("target", ("reply 403",), times=0, named="deployments/api"),),
    expect={"verdict": ("Error",)},
)
async def test_way_out_by_an_error_at_the_second_target_puts_the_first_back(enacted: Enactment):
    """Litmus 667, 668 and 526: an error or a timeout half-way ended the run at once, and a node stayed cordoned. Here
    the second target is refused, the drill ends in Error, and the first target is put back.
    """
    assert enacted.values("web") == [GOOD, FAULTED, GOOD]
    assert enacted.values("api") == [GOOD]
    assert enacted.status["restore"]["complete"] is True


async def alert_missing(run: Run) -> None:
    """The alert that the scenario expects does not fire in its time; nobody does anything."""
    scenario = shapes.drill("", "", "", run.plan.fault, run.slot.services, {})["spec"]["scenario"]
    await run.apply(scenario=scenario | {"expectedAlerts": [{"name": ALERT, "within": "1m"}]})
    await over_and_deleted(run)


@known_failure("chaostoolkit#176", story=alert_missing, expect={"verdict": ("Failed",)})
async def test_way_out_by_a_hypothesis_that_fails_puts_back(enacted: Enactment):
    """Chaos Toolkit 176 (lib PR 179): when the hypothesis failed, its rollbacks were not played, unless one had asked
    for it. Here a drill whose alert never fires is Failed, and puts back like any other.
    """
    assert enacted.values() == [GOOD, FAULTED, GOOD]
    assert set(enacted.ends.values()) == {"Restored"}


async def told_to_end(run: Run) -> None:
    """The operator is told to end by the plan's rule; the drill is stopped when its successor is there."""
    await run.apply()
    await run.until(lambda: run.programs["operator"].started == 2, WITHIN, "the operator has ended, and another began")
    await run.until(lambda: run.phase() == "InPlay", WITHIN, "in play")
    await run.stop()
    await over_and_deleted(run)


@known_failure(
    "chaostoolkit-lib#179",
    story=told_to_end,
    rules=(Rule("target", ("terminate",), when=COMMITTED),),
    expect={"exits": 1},
)
async def test_way_out_by_an_interruption_of_the_process_puts_back(enacted: Enactment):
    """Chaos Toolkit lib PR 179: whoever interrupted a run got no rollbacks. Here the operator is told to end right
    after its patch; the next one finds the record, goes on, and puts back at the stop.
    """
    assert enacted.run.exits == ["operator 0"]
    assert enacted.values() == [GOOD, FAULTED, GOOD]


@known_failure("chaos-mesh#847", story=deadline, drill={"maxDuration": "25m"}, expect={"verdict": ("Failed",)})
async def test_way_out_by_the_clock_needs_nobody(enacted: Enactment):
    """Chaos Mesh 847: a stress process went on after its schedule had ended. Here the fault ends with the drill's time,
    which every undo record holds, and nobody has to ask for it.
    """
    assert enacted.values() == [GOOD, FAULTED, GOOD]
    assert set(enacted.ends.values()) == {"Restored"}


@known_failure("chaosblade#305", story=stop)
async def test_way_out_is_set_when_a_drill_begins_though_nobody_said_how_long_it_lasts(enacted: Enactment):
    """ChaosBlade 305: an experiment without a timeout went on for ever. Here a deadline is derived from the scenario
    and stands in the record before the first write, for whoever is left to read it.
    """
    began = min(datetime.fromisoformat(s.value["intended"]) for s in enacted.records())
    deadlines = {datetime.fromisoformat(s.value["deadline"]) for s in enacted.records()}
    assert len(deadlines) == 1
    assert 0 < (deadlines.pop() - began).total_seconds() < LONGEST_DERIVED_SECONDS


async def status_refused(run: Run) -> bool:
    """From in play on no status can be written; the drill is stopped. Gives whether it was back while that lasted."""
    await in_play(run)
    refused = from_now_on(run, Rule("status", ("reply 422",), times=0))
    await run.stop()
    await run.until(run.restored, WITHIN, "put back although no status can be written")
    back = "Reverted" in run.state_of_records() and not refused.done
    healed(run, refused)
    await over_and_deleted(run)
    return back


@known_failure("chaos-mesh#3526", story=status_refused)
async def test_way_out_is_open_although_no_status_can_be_written(enacted: Enactment):
    """Chaos Mesh 3526: a status that was refused kept the fault going. Here the undo rests on the record, not on the
    status: it is back while every write of the status is refused, and the Drill tells of it once one succeeds.
    """
    assert enacted.saw is True
    assert enacted.values() == [GOOD, FAULTED, GOOD]
    assert enacted.status["restore"]["complete"] is True


@known_failure(
    "krkn#1467",
    story=stop,
    fault="two-targets",
    rules=(Rule("target", ("reply 500",), nth=2, times=0, seconds=6, named="deployments/web"),),
    expect={"restored_within": 40},
)
async def test_way_out_of_one_target_is_not_blocked_by_another_that_is_stuck(enacted: Enactment):
    """krkn 1467: one rollback that failed ended the others. Here the undo of one target is refused for a while: the
    other is back long before, and the stuck one is tried until it is back, too.
    """
    back = {s.name: s.version for s in enacted.run.witness.of("target") if s.value == GOOD}
    assert back["api"] < back["web"]
    assert enacted.values("web") == enacted.values("api") == [GOOD, FAULTED, GOOD]
