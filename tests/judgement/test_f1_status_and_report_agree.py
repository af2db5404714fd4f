"""Field case F1: the Drill said Failed (exit code 1), its own report Inconclusive, in three drills of three."""

from __future__ import annotations

from tests.judgement.played import Played

from kubedrill.api.drill import Desired
from kubedrill.core.evidence.facts import FactKind


def test_f1_what_never_came_before_its_limit_was_up_is_judged_alike_by_status_and_report():
    drill = Played()
    drill.arm()
    drill.page()
    drill.pass_time(60)
    drill.happens(FactKind.STEADY_AGAIN)
    drill.end()

    (record,) = drill.records
    told = {o["name"]: (o["verdict"], o.get("reason", "")) for o in drill.status["objectives"]}
    assert told == {o.name: (str(o.verdict), o.reason) for o in record.objectives}
    assert drill.status["verdict"] == record.verdict


def test_no_turn_says_missed_of_what_the_report_can_not_tell():
    drill = Played()
    drill.arm()
    drill.page()
    drill.pass_time(60)
    drill.stop()

    (record,) = drill.records
    open_ones = {o.name for o in record.objectives if o.verdict == "Indeterminate"}
    assert "detection" in open_ones
    for status in drill.statuses:
        assert not {o["name"] for o in status.get("objectives", ()) if o["verdict"] == "Missed"} & open_ones


def test_what_is_seen_after_the_report_was_written_changes_nothing_of_what_was_told():
    drill = Played()
    drill.arm()
    drill.page()
    drill.looks = {"desired": Desired.STOP}
    drill.pass_time(60, lambda: bool(drill.records))
    drill.happens(FactKind.ACKNOWLEDGED, by="alice")
    drill.end()

    told = {o["name"]: o["verdict"] for o in drill.status["objectives"]}
    assert told == {o.name: str(o.verdict) for o in drill.records[0].objectives}
