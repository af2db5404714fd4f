"""What the facilitator enters is held against the drill before it is recorded: nothing that is said gets lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.cli.drills import drill, finished
from tests.cli.fake_api import GROUP
from tests.measure.builders import drill_plan

from kubedrill.api.faults import Fault
from kubedrill.core.evidence.codec import to_line
from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.core.evidence.timestamps import instant
from kubedrill.core.plan.codec import digest_of, plan_to_json
from kubedrill.core.undo.record import DrillIdentity
from kubedrill.plugins.faults.of_drill import profile
from kubedrill.store.plans import plan_name
from kubedrill.store.segments import FACT_BYTES, data_of

DRILLS = f"{GROUP}/drills/drills"
ACTIONS = f"{GROUP}/drills/playeractions"
CONFIG_MAPS = "/api/v1/namespaces/drills/configmaps"
STARTED = "2026-03-02T11:50:00Z"
TIME = "2026-03-02T12:00:00Z"
OPEN = {"id": "change-1", "who": "somebody with kubectl-set", "what": "w"}
ENTERED: dict[str, tuple[list[str], dict[str, Any]]] = {
    "an observation": (
        ["observe", "ClientNotified", "--at", f"{TIME}±30s", "--by", "emma", "--evidence", "phone"],
        {
            "action": "Observe",
            "message": "phone",
            "observation": {
                "milestone": "ClientNotified",
                "time": "2026-03-02T12:00:00+00:00",
                "within": "30s",
                "player": "emma",
            },
        },
    ),
    "a severity that was said": (
        ["observe", "SeverityAssessed", "--at", TIME, "--by", "emma", "--severity", "p1"],
        {
            "action": "Observe",
            "severity": "P1",
            "observation": {
                "milestone": "SeverityAssessed",
                "time": "2026-03-02T12:00:00+00:00",
                "within": "1m",
                "player": "emma",
            },
        },
    ),
    "a confirmation": (
        ["confirm", "cable", "undo"],
        {"action": "Confirm", "confirmation": {"fault": "cable", "step": "Undo"}},
    ),
    "an attribution": (
        ["attribute", "change-1", "--to", "tom", "--evidence", "merged PR 12"],
        {"action": "Attribute", "message": "merged PR 12", "attribution": {"change": "change-1", "player": "tom"}},
    ),
    "a hint": (["hint", "look", "at", "memory"], {"action": "Hint", "message": "look at memory"}),
}


def played(name: str = "rush", **status: Any) -> dict[str, Any]:
    """A drill in play with three players, a fault by hand, and a change that nobody is known for."""
    thing = drill(name, **{"phase": "InPlay", "startExTime": STARTED, "interference": [OPEN], **status})
    thing["metadata"]["uid"] = "uid-rush"
    thing["spec"]["players"] = [{"name": player, "role": "L1"} for player in ("alice", "emma", "tom")]
    thing["spec"]["scenario"]["faults"].append({"name": "cable", "manual": {"do": "unplug", "undo": "plug"}})
    return thing


def over(**more: Any) -> dict[str, Any]:
    """It has ended after it was played."""
    return played(**finished("Passed", startExTime=STARTED, **more))


def with_plan(api: Any, thing: dict[str, Any], alice: str = "") -> dict[str, Any]:
    """The same after its plan was stored; `alice` is her user name at the API server."""
    by_hand = Fault.model_validate({"name": "cable", "manual": {"do": "unplug", "undo": "plug"}})
    design = drill_plan()
    players = tuple(replace(p, kubernetes=alice) if p.name == "alice" else p for p in design.players)
    plan = replace(design, players=players, profiles=(*design.profiles, profile(by_hand, "shop")))
    text = plan_to_json(plan)
    name = plan_name(DrillIdentity("uid-rush", "rush", "drills"), digest_of(text))
    api.put(CONFIG_MAPS, {"metadata": {"name": name}, "data": {"plan": text}})
    thing["status"]["plan"] = {"name": name, "hash": digest_of(text)}
    return thing


def with_evidence(api: Any, *facts: Fact) -> None:
    metadata = {
        "name": "rush-uid-rush-facts-0",
        "labels": {"kubedrill.dev/drill": "rush", "kubedrill.dev/evidence": "facts"},
        "ownerReferences": [{"uid": "uid-rush"}],
    }
    lines = [to_line(fact, FACT_BYTES)[1] for fact in facts]
    api.put(CONFIG_MAPS, {"metadata": metadata, "data": data_of(lines, full=False)})


def test_with_the_plan_and_without_it_what_was_seen_is_entered(api, kubedrill):
    for thing in (played(), with_plan(api, played())):
        api.put(DRILLS, thing)
        api.put(DRILLS, drill("older", **finished("Passed")))
        for typed, spec in ENTERED.values():
            api.requests.clear()
            result = kubedrill(*typed)
            assert result.exit_code == 0, result.output
            (made,) = api.bodies("POST", ACTIONS)
            assert made["spec"] == {"actor": "alice@example.com", "drill": "rush", **spec}


REFUSED = {
    "an unknown player": (["observe", "FixApplied", "--at", TIME, "--by", "nobody"], "nobody does not play in rush"),
    "an unknown player of a change": (
        ["attribute", "change-1", "--to", "nobody", "--evidence", "x"],
        "nobody does not play in rush: there is alice, emma, tom",
    ),
    "an unknown change": (
        ["attribute", "interference/bogus", "--to", "tom", "--evidence", "x"],
        "interference/bogus is no change that rush has seen. Unattributed: change-1 (by somebody with kubectl-set)",
    ),
    "an unknown milestone": (["observe", "Lunch", "--at", TIME], "Lunch is no milestone that somebody can have seen"),
    "what no person sees": (["observe", "Injected", "--at", TIME], "Injected is no milestone that somebody can have"),
    "an acknowledgement of nobody": (["observe", "Acknowledged", "--at", TIME], "Acknowledged needs --by"),
    "no severity": (
        ["observe", "SeverityAssessed", "--at", TIME, "--by", "emma"],
        "SeverityAssessed needs --severity: without, it counts for nothing",
    ),
    "no level": (["observe", "EscalationEngaged", "--at", TIME, "--by", "emma"], "EscalationEngaged needs --level"),
    "a time before the start": (
        ["observe", "ClientNotified", "--at", "2026-03-01T12:00:00Z"],
        "and rush started only at 2026-03-02T11:50:00",
    ),
    "an unknown fault": (["confirm", "plug", "do"], "plug is no fault of rush: there is cable"),
    "a fault that the drill does itself": (["confirm", "limit", "do"], "limit is not done by hand: there is cable"),
    "an unknown drill": (["hint", "look", "--drill", "nonsuch"], "nonsuch"),
}


@pytest.mark.parametrize(("typed", "why"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("planned", [True, False], ids=["with its plan", "without"])
def test_what_is_not_in_the_drill_is_not_recorded(api, kubedrill, typed, why, planned):
    api.put(DRILLS, with_plan(api, played()) if planned else played())
    result = kubedrill(*typed)
    assert (result.exit_code, api.bodies("POST", ACTIONS)) == (2, [])
    assert why in " ".join(result.output.split())


@pytest.mark.parametrize("typed", [typed for typed, _ in ENTERED.values()], ids=ENTERED)
def test_a_drill_that_has_not_started_or_was_refused_has_nothing_to_enter(api, kubedrill, typed):
    held = drill(phase="Held")
    refused = drill(**finished("Error", started=False, phase="Aborted", message="no rule is loaded"))
    for thing, why in (
        (held, "rush has not started"),
        (refused, "rush has ended (no rule is loaded) before it started"),
    ):
        api.put(DRILLS, thing)
        result = kubedrill(*typed, "--drill", "rush")
        assert (result.exit_code, api.bodies("POST", ACTIONS)) == (2, [])
        assert f"{why}: there is nothing to enter for it" in result.output


@pytest.mark.parametrize("what", ["a confirmation", "a hint"])
def test_what_comes_too_late_for_a_drill_that_has_ended_is_not_recorded(api, kubedrill, what):
    api.put(DRILLS, over())
    result = kubedrill(*ENTERED[what][0], "--drill", "rush")
    assert (result.exit_code, api.bodies("POST", ACTIONS)) == (2, [])
    assert "rush has ended (Passed: as it was)" in result.output


@pytest.mark.parametrize("what", ["an observation", "an attribution"])
def test_what_was_seen_may_be_entered_afterwards_and_the_report_is_written_anew(api, kubedrill, what):
    api.put(DRILLS, over())
    assert kubedrill(*ENTERED[what][0], "--drill", "rush").exit_code == 0
    assert len(api.bodies("POST", ACTIONS)) == 1
    ((mark,),) = (change["metadata"]["annotations"].values() for change in api.bodies("PATCH", f"{DRILLS}/rush"))
    assert mark


def test_a_change_that_is_attributed_already_may_be_attributed_anew(api, kubedrill):
    at = Interval(instant(TIME), instant(TIME))
    detail = {"change": "Deployment/worker@7", "target": "Deployment/worker", "path": "/x", "field": "x"}
    changed = Fact(FactKind.TARGET_CHANGED, at, Source.TARGET_WATCH, "change/7", evidence="e", detail=detail)
    with_evidence(api, changed)
    api.put(DRILLS, with_plan(api, played(interference=[])))
    for known in ("interference/Deployment/worker@7", "change/7"):
        result = kubedrill("attribute", known, "--to", "tom", "--evidence", "x")
        assert result.exit_code == 0, result.output
    assert kubedrill("attribute", "interference/Deployment/worker@8", "--to", "tom", "--evidence", "x").exit_code == 2


def test_where_the_evidence_can_not_be_read_and_not_every_change_is_shown_no_id_is_called_unknown(api, kubedrill):
    api.answers["GET", CONFIG_MAPS] = (403, {"kind": "Status", "reason": "Forbidden", "message": "no"})
    api.put(DRILLS, played(interference=[OPEN | {"id": f"change-{n}"} for n in range(20)]))
    assert kubedrill("attribute", "change-99", "--to", "tom", "--evidence", "x").exit_code == 0


OWN = {
    "attribute": ["attribute", "change-1", "--to", "alice", "--evidence", "it was me"],
    "observe": ["observe", "FixApplied", "--at", TIME, "--by", "alice"],
    "observe nobody's": ["observe", "Recovered", "--at", TIME],
}


@pytest.mark.parametrize("typed", OWN.values(), ids=OWN)
def test_whoever_is_credited_does_not_enter_it_and_somebody_else_does(api, kubedrill, typed):
    api.put(DRILLS, with_plan(api, played(), alice="alice@example.com"))
    result = kubedrill(*typed)
    assert (result.exit_code, api.bodies("POST", ACTIONS)) == (3, [])
    assert "nobody is credited by their own word, and alice@example.com plays as alice in rush" in result.output
    api.put(DRILLS, with_plan(api, played(), alice="alice@elsewhere"))
    assert kubedrill(*typed).exit_code == 0


@pytest.mark.parametrize("on", [[], ["one", "two"]])
def test_which_drill_must_be_said_unless_exactly_one_is_on(api, kubedrill, on):
    api.collections[DRILLS] = {}
    for name in on:
        api.put(DRILLS, played(name))
    result = kubedrill("hint", "look")
    assert result.exit_code == 2
    assert "say which drill with --drill" in result.output
