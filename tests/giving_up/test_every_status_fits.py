"""Whatever was seen, decided and stored before: what the API server is asked to store is what its CRD takes."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.crd_schema import complaints, schema
from tests.examples import share_of
from tests.machine.world import START, drill_plan, seen

from kubedrill.api.drill import DrillSpec
from kubedrill.api.drill_status import FaultStep
from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.core.machine.bounds import (
    LONGEST_ID,
    STATUS_BYTES,
    cut_bytes,
    parts_of,
    short_id,
    size_of,
    within_bounds,
)
from kubedrill.core.machine.kept import kept
from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.reducer import reduce
from kubedrill.core.machine.state import (
    CheckResult,
    Ending,
    FaultState,
    RecordSeen,
    State,
    state_from_wire,
    state_to_wire,
)
from kubedrill.core.machine.status import project, without_nulls
from kubedrill.core.measure.results import FieldOutcome, Verdict
from kubedrill.core.plan.derive import derive
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.core.undo.operations import Refusal
from kubedrill.plugins.faults.of_drill import profile

OBJECT_BYTES = 1_048_576
"""A third less than what the API server stores, for the spec, the metadata and who owns which field."""
texts = st.one_of(
    st.just(""),
    st.text(max_size=20),
    st.builds("x{}".format, st.integers(0, 3)),
    st.builds(
        lambda length, letter: letter * length,
        st.sampled_from([63, 64, 256, 257, 512, 1024, 4096, 5000]),
        st.sampled_from("aé遅\x1b"),
    ),
)
moments = st.none() | st.sampled_from([START + timedelta(minutes=m) for m in (-30, -1, 0, 5)])
names = st.sampled_from(["limit", "queue", "Not_A_Name", "", "n" * 300])
endings = st.none() | st.builds(Ending, texts, texts, st.none() | st.sampled_from(Verdict))
outcomes = st.builds(FieldOutcome, texts, texts, texts, texts, texts, texts, texts, texts)
fault_states = st.builds(FaultState, names, st.sampled_from(FaultStep), st.integers(0, 3), texts, texts, texts)
states = st.builds(
    State,
    st.sampled_from(Phase),
    since=moments,
    start_ex=moments,
    deadline=moments,
    end_ex=moments,
    restored=moments,
    faults=st.lists(fault_states, max_size=25, unique_by=lambda f: f.name).map(tuple),
    ending=endings,
    notes=st.lists(texts, max_size=30).map(tuple),
    given_up=texts,
    reported=st.integers(0, 2),
    outcomes=st.one_of(st.lists(outcomes, max_size=3), outcomes.map(lambda one: [one] * 250)).map(tuple),
)
details = st.fixed_dictionaries(
    {},
    optional={
        "fault": names,
        "level": texts,
        "message": texts,
        "who": texts,
        "target": texts,
        "path": texts,
        "change": texts,
        "alert": st.sampled_from(["Errors", "Other"]),
        "severity": st.sampled_from(["P1", "P9", ""]),
        "to": texts,
        "inject": texts,
        "step": st.sampled_from(["Do", "Undo"]),
        "user": texts,
    },
)


def fact(kind: FactKind, name: str, seconds: int, actor: str, evidence: str, detail: dict[str, Any]) -> Fact:
    at = Interval.at(START + timedelta(seconds=seconds))
    return Fact(kind, at, Source.PLAYER_ACTION, f"{kind}/{name}", actor, evidence, detail)


facts = st.lists(
    st.builds(
        fact,
        st.sampled_from(FactKind),
        texts,
        st.integers(-100, 2000),
        st.sampled_from(["alice", "", "bob"]),
        texts,
        details,
    ),
    max_size=40,
    unique_by=lambda f: f.id,
)
crowds = st.sampled_from(
    [
        [fact(FactKind.ESCALATION_REQUESTED, str(n), n, "alice", "called", {"level": f"team-{n}"}) for n in range(80)],
        [fact(FactKind.INTERFERENCE, str(n), n, "", "x" * 600, {"who": "y" * 300}) for n in range(60)],
        [fact(FactKind.INTERFERENCE, "w" * 400 + str(n), n, "", "", {}) for n in range(3)],
    ]
)
checks = st.lists(
    st.builds(CheckResult, texts, st.sampled_from([True, False, None]), texts, texts, st.booleans()),
    max_size=8,
)


@functools.cache
def longest() -> DrillPlan:
    """A drill with as much of everything as the API takes."""
    spec = DrillSpec.model_validate(
        {
            "targetNamespace": "shop",
            "players": [{"name": "alice", "role": "r" * 63}],
            "scenario": {
                "title": "t" * 256,
                "expectedAlerts": [{"name": "Errors"}, *({"name": f"{n}".rjust(63, "A")} for n in range(9))],
                "faults": [{"name": f"f{n}", "manual": {"do": "d" * 4096, "undo": "u" * 4096}} for n in range(20)],
                "objectives": [
                    {
                        "name": f"{n}".rjust(63, "o"),
                        "to": "EscalationEngaged",
                        "level": f"{n}".rjust(63, "l"),
                        "within": "720h",
                    }
                    for n in range(30)
                ],
                "steadyState": [{"name": f"s{n}", "query": "q" * 1024, "below": 1} for n in range(20)],
            },
        }
    )
    assert spec.scenario is not None
    return derive(spec, spec.scenario, profile)


def wrong(status: dict[str, Any]) -> list[tuple[str, str]]:
    return list(complaints(json.loads(json.dumps(without_nulls(status))), schema("drills", "status"), "status"))


@settings(deadline=None, max_examples=share_of(100))
@given(
    states,
    facts | crowds,
    checks,
    st.sampled_from(["short", "longest", "none"]),
    texts,
    texts,
    st.dictionaries(texts, texts, max_size=5),
    st.sampled_from([None, 1, 2]),
)
def test_every_status_fits(state, found, checked, design, why, cannot_go_on, stuck, again):
    chosen = {"short": drill_plan(), "longest": longest(), "none": None}[design]
    record = RecordSeen("undo-1", "Reverted", ("limit", "Not_A_Name"), why, notes=(why,) * 30)
    looked = seen(
        now=START + timedelta(minutes=30),
        drill_plan=chosen,
        facts=frozenset(found),
        checks=tuple(checked),
        stuck=stuck,
        refusal=Refusal(why, why) if chosen is None else None,
        cannot_go_on=cannot_go_on,
        waiting=stuck,
        records=(record,),
        plans={},
    )
    if state.phase in (Phase.PENDING, Phase.PREFLIGHT, Phase.HELD):
        looked = replace(looked, records=())
    decision = reduce(state, looked)
    status = project(decision, looked, {})
    assert not wrong(status)
    assert size_of(status) <= OBJECT_BYTES
    for _ in range(again or 0):
        status = project(reduce(decision.state, looked), looked, without_nulls(status))
        assert not wrong(status)
        assert size_of(status) <= OBJECT_BYTES


@given(states)
def test_what_the_machine_keeps_is_bounded_once_for_all(state):
    stored = kept(state)
    assert kept(stored) == stored
    assert size_of(state_to_wire(stored)) <= OBJECT_BYTES - STATUS_BYTES
    assert state_from_wire(state_to_wire(stored)) == stored
    untouched = {"phase", "since", "start_ex", "deadline", "end_ex", "restored", "closed", "reported", "heard", "plan"}
    assert all(getattr(stored, name) == getattr(state, name) for name in untouched)
    assert [(f.name, f.step) for f in stored.faults] == [(f.name, f.step) for f in state.faults]


def test_names_as_long_as_they_may_be_are_kept_whole():
    fault = FaultState("n" * 63, target=f"StatefulSet/{'w' * 253}", record="r" * 253)
    assert kept(State(faults=(fault,))).faults == (fault,)


@pytest.mark.parametrize("letter", ["a", "遅", "\x1b", '"', "😀"])
def test_as_many_outcomes_as_long_as_they_get_fit_whatever_they_are_made_of(letter: str):
    outcome = FieldOutcome(*[letter * 5000] * 8)
    long = letter * 5000
    faults = tuple(FaultState(f"f{n}", target=long, record=long, message=long) for n in range(20))
    state = State(outcomes=(outcome,) * 300, faults=faults, notes=(letter * 5000,) * 80, given_up=letter * 5000)
    stored = kept(state)
    assert size_of(state_to_wire(stored)) <= OBJECT_BYTES - STATUS_BYTES
    assert len(stored.outcomes) == 200


def test_of_too_many_outcomes_those_that_are_not_back_are_kept():
    back, not_back = FieldOutcome("web", "/a", "", "", "", "Restored"), FieldOutcome("web", "/b", "", "", "", "Gone")
    assert kept(State(outcomes=(*[back] * 300, not_back))).outcomes[0] == not_back


def test_a_status_of_four_byte_letters_is_cut_further_than_its_crd_asks():
    field = dict.fromkeys(("target", "path", "before", "after", "now", "who"), "😀" * 256) | {"outcome": "Gone"}
    status = {"message": "😀" * 4096, "restore": {"complete": False, "fields": [field] * 200}}
    fitted = within_bounds(status)
    assert size_of(fitted) <= STATUS_BYTES
    assert len(fitted["restore"]["fields"]) == 200
    assert not wrong(fitted)


def test_a_status_that_is_short_is_not_cut():
    status = {"message": "遅" * 4096, "derived": ["遅" * 256] * 60}
    assert within_bounds(status) == status


@given(texts, texts)
def test_ids_of_a_list_that_are_cut_stay_two(one, other):
    ids = ["w" * 256 + one, "w" * 256 + other]
    shown = within_bounds({"interference": [{"id": name} for name in ids]})["interference"]
    assert len(shown) == len(set(ids))


@given(
    st.dictionaries(
        st.sampled_from(sorted(schema("drills", "status")["properties"])),
        st.recursive(
            st.none() | st.booleans() | st.integers() | texts,
            lambda v: st.lists(v, max_size=5) | st.dictionaries(texts, v),
            max_leaves=8,
        ),
    )
)
@settings(deadline=None, max_examples=share_of(100))
def test_a_status_that_somebody_has_forged_becomes_one_that_fits(forged):
    status = forged | {"conditions": [{"type": "Restored"}, 5, {"type": "x" * 100, "status": "True"}], "machine": {}}
    looked = seen(now=START, drill_plan=None, cannot_go_on="forged")
    before = {k: v for k, v in status.items() if k != "phase"}
    assert not wrong(project(reduce(State(given_up="forged"), looked), looked, before))


@given(texts, texts)
def test_ids_that_differ_stay_different_when_they_are_cut(one, other):
    common = "interference/Deployment/" + "w" * 260
    first, second = short_id(common + one), short_id(common + other)
    assert max(len(first), len(second)) <= LONGEST_ID
    assert (first == second) == (one == other)
    assert short_id(first) == first


@given(st.text(max_size=400), st.integers(3, 300))
def test_a_text_is_cut_by_bytes_between_characters(text, most):
    cut = cut_bytes(text, most)
    assert len(cut.encode()) <= most
    assert cut == text or (cut.endswith("…") and text.startswith(cut[:-1]))
    assert cut == text or len(text.encode()) > most


@given(st.one_of(st.text(max_size=400), st.text("a 遅\n😀", max_size=400)), st.integers(4, 300))
def test_a_text_in_parts_is_the_text_and_no_part_is_longer_than_it_may_be(text, most):
    parts = parts_of(text, most)
    assert "".join(parts) == text
    assert all(len(part.encode()) <= most for part in parts)
    assert all(parts) or parts == ("",)


def test_a_text_of_parts_ends_each_between_words_where_there_are_any():
    assert parts_of("the queue is growing again", 12) == ("the queue ", "is growing ", "again")


def test_seven_hundred_japanese_characters_are_three_notes_of_an_event():
    parts = parts_of("遅" * 700, 1024)
    assert [len(part) for part in parts] == [341, 341, 18]


def test_a_part_takes_every_character():
    with pytest.raises(ValueError, match="must take 4 bytes"):
        parts_of("a", 3)


def test_a_list_of_lines_that_is_too_long_says_how_many_more_there_are():
    notes = within_bounds({"restore": {"complete": True, "notes": [f"note {n}" for n in range(50)]}})
    assert notes["restore"]["notes"][-2:] == ["note 18", "and 31 more"]
