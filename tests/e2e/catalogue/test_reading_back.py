"""An undo is done when it was read back, not when somebody said so; and what is restored is what was recorded."""

from __future__ import annotations

from typing import Any

from tests.e2e.catalogue.stage import (
    Enactment,
    from_now_on,
    healed,
    in_play,
    known_failure,
    over_and_deleted,
    target,
)
from tests.faultmatrix.kubelet import FAULTED
from tests.faultmatrix.plan import COMMITTED, Rule
from tests.faultmatrix.run import Run
from tests.faultmatrix.shapes import GOOD
from tests.faultmatrix.stories import stop

from kubedrill.kube.client import MERGE_PATCH


@known_failure("litmus-go#527", story=stop, rules=(Rule("target", ("pretend",), nth=2),))
async def test_reading_back_an_undo_that_was_only_said_to_be_done_does_it_again(enacted: Enactment):
    """Litmus PR 527: recovered was reported without a look. Here the answer to the undo's patch says that it was done
    and it was not: that shows when it is read back, it is sent again, and Reverted is stored only then.
    """
    inject, pretended, *again = enacted.writes("target")
    assert "pretend" in pretended
    assert again
    assert inject.endswith("200")
    back = [s for s in enacted.run.witness.of("target", "web") if s.value == GOOD][-1]
    told = [s.version for s in enacted.records(state="Reverted")]
    assert back.version < min(told)
    assert set(enacted.ends.values()) == {"Restored"}


@known_failure("litmus#5154", story=stop, rules=(Rule("target", ("reset",), nth=2, when=COMMITTED),))
async def test_reading_back_an_undo_whose_answer_was_lost_finds_it_done(enacted: Enactment):
    """Litmus 5154: an undo that had been done was flagged as failed, for its exit code. Here the answer to the undo's
    patch is lost: what is read back is the good value, told as Restored, and not written a second time.
    """
    assert enacted.values() == [GOOD, FAULTED, GOOD]
    assert set(enacted.ends.values()) == {"Restored"}
    assert enacted.status["restore"]["complete"] is True


async def unreadable_while_stopped(run: Run) -> list[str]:
    """The target can't be read when the drill is stopped. Gives the states of the records until it can."""
    await in_play(run)
    unreadable = from_now_on(run, Rule("get-target", ("reply 500",), times=0))
    await run.stop()
    await run.until(lambda: unreadable.hits >= 3 and run.phase() == "Recovering", 60, "it is tried again")
    states = sorted(run.state_of_records())
    healed(run, unreadable)
    await over_and_deleted(run)
    return states


@known_failure("litmus#3330", story=unreadable_while_stopped)
async def test_reading_back_that_fails_is_neither_gone_nor_done_and_ends_once_it_can_be_read(enacted: Enactment):
    """Litmus 3330: experiments hung in their revert. Here a target that can't be read is not taken for gone, nor for
    put back: the record stays open, it is tried again, and the drill ends as soon as the API server answers.
    """
    assert "Reverted" not in enacted.saw
    assert enacted.saw
    assert set(enacted.ends.values()) == {"Restored"}


async def scaled_in_play(run: Run) -> dict[str, Any]:
    """A player scales in play. Gives the target at the end."""
    await in_play(run)
    await run.slot.must(
        "PATCH",
        run.slot.path_of("Deployment", "web"),
        {"spec": {"replicas": 3}},
        MERGE_PATCH,
        query=[("fieldManager", "kubectl-scale")],
    )
    await run.stop()
    await over_and_deleted(run)
    return await target(run)


@known_failure("litmus-go#196", story=scaled_in_play, expect={"value": GOOD})
async def test_reading_back_restores_the_recorded_fields_and_no_replica_count(enacted: Enactment):
    """Litmus 196: recovery set a replica count that was not the one before. Here only fields that the fault has touched
    are restored, each to its recorded value: a scale in the middle of the drill stays.
    """
    assert enacted.saw["spec"]["replicas"] == 3
    assert not [path for s in enacted.records() for path in s.value["before"] if path.endswith("/replicas")]
    assert set(enacted.ends.values()) == {"Restored"}
