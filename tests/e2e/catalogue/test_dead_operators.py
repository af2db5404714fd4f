"""The operator is gone for good, deaf, killed twice, or sees what is long past: all is put back all the same."""

from __future__ import annotations

import time

from tests.e2e.catalogue.stage import (
    WITHIN,
    Enactment,
    from_now_on,
    gone,
    in_play,
    known_failure,
    over_and_deleted,
)
from tests.faultmatrix.deaths import gone_at_deadline
from tests.faultmatrix.kubelet import FAULTED
from tests.faultmatrix.plan import COMMITTED, REPLIED, Rule
from tests.faultmatrix.refusing import rights_back
from tests.faultmatrix.run import Run
from tests.faultmatrix.shapes import GOOD
from tests.faultmatrix.stories import stop

DEAD_ONCE_INJECTED = Rule("record", ("kill",), nth=2, when=REPLIED)


@known_failure(
    "litmus#2359",
    story=gone_at_deadline,
    watchdog=True,
    down=None,
    drill={"maxDuration": "25m"},
    rules=(DEAD_ONCE_INJECTED,),
    expect={"verdict": ("Failed", "Stopped", "Error", "Inconclusive"), "restored_within": 45},
)
async def test_dead_operator_does_not_keep_the_fault_after_the_deadline(enacted: Enactment):
    """Litmus 2359, open since 2020: with its helper pod evicted by force, a traffic rule stays for ever. Here the
    deadline is in the record, and a second process that shares nothing with the operator keeps it.
    """
    assert enacted.reverted_by() == {"Watchdog"}
    assert enacted.values() == [GOOD, FAULTED, GOOD]


async def removed_by_force(run: Run) -> None:
    """The operator dies for good; the Drill is removed by force."""
    await run.apply()
    await run.until(lambda: run.dead, WITHIN, "the operator is killed")
    run.ended_at = time.monotonic()
    await run.do("strip-finalizer")
    await run.until(lambda: run.restored() and run.closed(), WITHIN, "put back, and closed, by the watchdog")


@known_failure(
    "chaosblade#604",
    story=removed_by_force,
    watchdog=True,
    down=None,
    rules=(DEAD_ONCE_INJECTED,),
    expect={"restored_within": 30},
)
async def test_dead_operator_and_a_drill_removed_by_force_leave_no_fault(enacted: Enactment):
    """ChaosBlade 604: an experiment that was removed by force left its process running on the node. Here neither
    operator nor Drill is left: the watchdog puts back from the record, and closes it, for nobody is left to read it.
    """
    assert enacted.run.phase() == "Gone"
    assert enacted.reverted_by() == {"Watchdog"}
    assert enacted.run.programs["operator"].started == 1


@known_failure(
    "rabbitmq-cluster-operator#782",
    story=stop,
    rules=(Rule("target", ("kill",), when=COMMITTED), Rule("write", ("kill",), when=COMMITTED, after=0)),
)
async def test_dead_operator_between_two_writes_is_followed_by_one_that_finishes_them(enacted: Enactment):
    """RabbitMQ cluster operator 782: a crash between two writes that belong together left a resize that never ended.
    Here the operator dies after its patch, and its successor after its first write: the third one goes on from the
    record.
    """
    assert enacted.run.programs["operator"].started == 3
    assert enacted.values() == [GOOD, FAULTED, GOOD]


@known_failure(
    "kopf#1145",
    "kopf#1276",
    story=stop,
    rules=(Rule("watch-drill", ("error 500",), times=2),),
    expect={"exits": 2, "verdict": ("Stopped", "Error")},
)
async def test_dead_watch_does_not_leave_a_zombie(enacted: Enactment):
    """kopf 1145 and 1276: a watch that ended in an error was neither restarted nor told of; the process lived on, deaf.
    Here the operator ends at once, is started again, and hears the stop.
    """
    assert enacted.run.exits == ["operator 1", "operator 1"]
    assert enacted.run.programs["operator"].started == 3
    assert enacted.values() == [GOOD, FAULTED, GOOD]


async def stopped_unheard(run: Run) -> None:
    """The events of all watches are dropped for a while, and the stop comes just then."""
    await in_play(run)
    dropping = from_now_on(run, Rule("any", ("drop-events 10",)))
    await run.until(lambda: dropping.hits > 0, WITHIN, "events are dropped")
    await run.stop()
    await over_and_deleted(run)


@known_failure("cassandra-operator#398", story=stopped_unheard)
async def test_deaf_operator_misses_an_event_and_not_what_it_told_of(enacted: Enactment):
    """Cassandra operator 398: the event that announced an end was missed, so its volume was never removed. Here what is
    wanted is read, not remembered: a stop whose event nobody heard is obeyed.
    """
    assert set(enacted.ends.values()) == {"Restored"}
    assert enacted.status["verdict"] == "Stopped"


async def again_under_the_same_name(run: Run) -> list[str]:
    """A drill is deleted in play and made again under its name. Gives both UIDs."""
    await in_play(run)
    first = await run.slot.drill(run.name)
    await run.delete()
    await gone(run)
    run.ended_at = 0.0
    await in_play(run)
    second = await run.slot.drill(run.name)
    await run.stop()
    await over_and_deleted(run)
    return [(drill or {})["metadata"]["uid"] for drill in (first, second)]


@known_failure(
    "K8SPSMDB-430",
    story=again_under_the_same_name,
    expect={"injections": 2},
    rules=(Rule("finalizer", ("stale-all get-drill 8",), nth=2),),
)
async def test_old_state_of_another_drill_under_the_same_name_is_not_taken_for_its_own(enacted: Enactment):
    """Percona MongoDB K8SPSMDB-430: an old read showed the deletion of a former cluster of the same name, and the live
    one was deleted. Here reads give the deleted Drill for a while after a new one has its name: by its UID it is
    another.
    """
    first, second = enacted.saw
    assert first != second
    assert {s.value["uid"] for s in enacted.records()} == {first, second}
    assert enacted.values() == [GOOD, FAULTED, GOOD, FAULTED, GOOD]
    assert enacted.status["verdict"] == "Stopped"


@known_failure(
    "chaosblade#336",
    story=rights_back,
    rules=(Rule("record", ("opt-out",), nth=2, when=REPLIED),),
    expect={"restored_within": 45, "reported_stuck": True, "exits": 1},
)
async def test_helpless_operator_says_that_it_is_stuck_and_goes_on_trying(enacted: Enactment):
    """ChaosBlade 336: a destroy that failed was repeated for ever, and nobody was told. Here the rights were taken
    away in the middle: Stalled says so, with the reason; it is tried with growing pauses; and done once the rights are
    back.
    """
    assert enacted.run.stuck
    assert set(enacted.ends.values()) == {"Restored"}
