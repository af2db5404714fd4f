"""An undo that can't be stored, or is forgotten, is none: stored before the first write, kept until it is done."""

from __future__ import annotations

from tests.cli.conftest import api, kubedrill
from tests.cli.undo import DRILLS, SECRETS, broken, limit_of
from tests.e2e.catalogue.stage import (
    Enactment,
    known_failure,
    over_and_deleted,
)
from tests.faultmatrix.deaths import gone_and_stopped
from tests.faultmatrix.kubelet import FAULTED
from tests.faultmatrix.plan import COMMITTED, REPLIED, Rule
from tests.faultmatrix.run import Run
from tests.faultmatrix.shapes import GOOD
from tests.faultmatrix.stories import stop, stop_once_met

from kubedrill.core.paths import ApiPath

NO_SECRETS = {"metadata": {"name": "no-secrets"}, "spec": {"hard": {"count/secrets": "0"}}}
__all__ = ["api", "kubedrill"]  # fixtures: an API server at the wire, and a command line


async def without_room_for_a_record(run: Run) -> None:
    """A quota of the control namespace lets no Secret be made."""
    quotas = f"/api/v1/namespaces/{run.slot.control}/resourcequotas"
    await run.slot.must("POST", quotas, NO_SECRETS)
    try:
        await run.apply()
        await over_and_deleted(run)
    finally:
        await run.slot.kube.call("DELETE", ApiPath(f"{quotas}/no-secrets"))


@known_failure("krkn rollback/handler.py", story=without_room_for_a_record, expect={"verdict": ("Error",)})
async def test_undo_that_cannot_be_stored_means_that_nothing_is_injected(enacted: Enactment):
    """krkn: when its rollback file could not be written, a line of the log said so, and the scenario ran all the same.
    Here the drill ends in Error, with the quota's refusal, and the target was never touched.
    """
    assert "quota" in enacted.status["message"]
    assert enacted.values() == [GOOD]
    assert not enacted.writes("target")


@known_failure("chaos-mesh#310")
def test_undo_outlives_the_definitions_of_our_own_resources(api, kubedrill):
    """Chaos Mesh 310: with its CRDs deleted first, the faults could not be recovered any more. Here the record is a
    Secret: with no Drill and no kind of ours served, one command puts back from it and closes it. (At the wire: the
    cluster is shared, and a policy forbids to delete the CRDs while a record is open.)
    """
    api.answers["GET", f"{DRILLS}/storm"] = (404, {"kind": "Status", "message": "404 page not found"})
    api.answers["GET", "/apis"] = (200, {"groups": [{"name": "apps"}]})
    api.collections[SECRETS] = {}
    broken(api)
    assert kubedrill("restore", "--all").exit_code == 0
    assert limit_of(api) == "128Mi"
    assert not api.collections[SECRETS]


@known_failure(
    "chaosblade#336",
    story=stop_once_met,
    rules=(Rule("target", ("put-back", "kill"), when=COMMITTED),),
    expect={"verdict": ("Stopped", "Error"), "value": GOOD},
)
async def test_undo_survives_a_restart_and_nothing_is_injected_a_second_time(enacted: Enactment):
    """ChaosBlade 336: an operator that was restarted could make the experiment once more. Here it was killed right
    after its patch, a player put the old value back meanwhile, and the new operator does not hit that player again.
    """
    assert enacted.run.programs["operator"].started == 2
    assert enacted.values() == [GOOD, FAULTED, GOOD]


@known_failure(
    "chaos-mesh records controller", story=stop, fault="two-targets", rules=(Rule("target", ("kill",), when=COMMITTED),)
)
async def test_undo_of_every_target_is_stored_before_the_first_one_is_touched(enacted: Enactment):
    """Chaos Mesh's records controller: all targets were hit first and the status saved once afterwards, so a crash
    between hit them again. Here the operator was killed after the first of two patches: both records stood by then,
    and each target was hit once.
    """
    stored = {name: enacted.records(target=name)[0].version for name in ("web", "api")}
    hit = [s.version for s in enacted.run.witness.of("target") if s.value == FAULTED]
    assert max(stored.values()) < min(hit)
    assert enacted.values("web") == enacted.values("api") == [GOOD, FAULTED, GOOD]


@known_failure(
    "krkn#911",
    "krkn#916",
    "krkn#1137",
    story=gone_and_stopped,
    fault="queue-load",
    watchdog=True,
    down=None,
    rules=(Rule("record", ("kill",), nth=2, when=REPLIED),),
    expect={"restored_within": 40},
)
async def test_undo_of_a_fault_outside_the_api_server_is_stored_like_any_other(enacted: Enactment):
    """krkn 911, 916 and 1137: many of its scenarios could not be rolled back at all. Here no fault has undo code of its
    own, so none can lack it: fake jobs in a queue are swept by the watchdog, who knows of them from the record alone.
    """
    assert enacted.reverted_by() == {"Watchdog"}
