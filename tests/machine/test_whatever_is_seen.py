"""Laws of the reducer for states and observations of any make, those that should never come included."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import share_of
from tests.machine.world import START, World, fact, seen

from kubedrill.api.drill import Desired
from kubedrill.api.drill_status import FaultStep
from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.machine.commands import CloseRecord, InjectFaults, RemoveFinalizer, Revert
from kubedrill.core.machine.phases import TERMINAL, Phase
from kubedrill.core.machine.reducer import Decision, reduce
from kubedrill.core.machine.state import Ending, FaultState, RecordSeen, State
from kubedrill.core.machine.unverified import MAY_BE_IN
from kubedrill.core.measure.results import FieldOutcome, Verdict

FAULTS = ("limit", "queue")
OPEN = ("Intended", "Injected", "Reverting")
RECORD_STATES = (*OPEN, "Reverted")
# a busy machine is no reason to fail
unhurried = settings(deadline=None, max_examples=share_of(60))

moments = st.none() | st.sampled_from([START + timedelta(minutes=m) for m in (-30, -1, 0, 5)])
endings = st.none() | st.builds(Ending, st.just("Why"), st.just("because"), st.none() | st.sampled_from(Verdict))
fault_states = st.tuples(
    *(
        st.builds(
            FaultState,
            st.just(name),
            st.sampled_from(FaultStep),
            st.integers(0, 3),
            record=st.sampled_from(["", f"undo-{name}"]),
        )
        for name in FAULTS
    )
)
states = st.builds(
    State,
    st.sampled_from(Phase),
    since=moments,
    faults=fault_states | st.just(()),
    start_ex=moments,
    deadline=moments,
    end_ex=moments,
    restored=moments,
    ending=endings,
    closed=st.sampled_from([(), ("undo-limit",), ("undo-gone",)]),
    reported=st.integers(0, 2),
)


def records(names_of_states: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[RecordSeen, ...]]:
    """At most one record a fault, and one that the drill knows nothing of."""
    outcome = FieldOutcome("Deployment/limit", "/spec/a", "1", "2", "1", "Restored")
    found = st.fixed_dictionaries({}, optional=dict.fromkeys((*FAULTS, "stranger"), names_of_states))
    return found.map(
        lambda chosen: tuple(
            RecordSeen(f"undo-{name}", state, (name,), fields=(outcome,)) for name, state in chosen.items()
        )
    )


facts = st.frozensets(
    st.sampled_from(
        [
            fact(kind, START + timedelta(seconds=s), f"{kind}/{name}", fault=name, attempt=1, message="m")
            for kind in (
                FactKind.FAULT_INJECTED,
                FactKind.FAULT_EFFECTIVE,
                FactKind.FAULT_FAILED,
                FactKind.FAULT_REVERTED,
            )
            for name, s in zip(FAULTS, (1, 2), strict=True)
        ]
    )
)


known = st.sampled_from(RECORD_STATES)


@st.composite
def observations(draw: st.DrawFn, names_of_states: st.SearchStrategy[str] = known):
    drill_plan = seen().drill_plan
    return seen(
        now=START + timedelta(minutes=draw(st.sampled_from([0, 1, 20, 600]))),
        drill_plan=draw(st.sampled_from([drill_plan, None])),
        desired=draw(st.sampled_from(Desired)),
        deleting=draw(st.booleans()),
        finalizer=draw(st.booleans()),
        facts=draw(facts),
        records=draw(records(names_of_states)),
        reported=draw(st.integers(0, 2)),
    )


def essence(decision: Decision) -> tuple[object, ...]:
    """All that a decision says, regardless of the order in which it says it."""
    state = decision.state
    lists = (state.closed, state.outcomes, state.faults, decision.commands)
    return (
        replace(state, closed=(), outcomes=(), faults=()),
        *(sorted(map(repr, said)) for said in lists),
        decision.wake_at,
        [because.reason for because in decision.passed],
    )


@unhurried
@given(states, observations(st.sampled_from([*RECORD_STATES, "", "Poison", "intended", "\0"])))
def test_the_machine_has_an_answer_to_everything(state, observation):
    decision = reduce(state, observation)

    assert decision.state.phase in Phase


@unhurried
@given(states, observations(st.sampled_from(["", "Poison", "Reverted?"])))
def test_a_record_that_says_nothing_sensible_is_put_back_and_never_closed(state, observation):
    decision = reduce(state, observation)

    assert not [c for c in decision.commands if isinstance(c, CloseRecord)]
    if decision.state.phase in {Phase.RECOVERING, *TERMINAL}:
        assert {c.record for c in decision.commands if isinstance(c, Revert)} == {r.name for r in observation.records}


@unhurried
@given(states, observations(), st.randoms(use_true_random=False))
def test_the_order_in_which_records_are_listed_does_not_matter(state, observation, random):
    shuffled = list(observation.records)
    random.shuffle(shuffled)

    assert essence(reduce(state, replace(observation, records=tuple(shuffled)))) == essence(reduce(state, observation))


@unhurried
@given(states.filter(lambda s: s.phase in TERMINAL), observations())
def test_an_ended_drill_stays_as_it_ended_whatever_is_seen(state, observation):
    decision = reduce(state, observation)

    assert (decision.state.phase, decision.state.ending) == (state.phase, state.ending)
    assert not [c for c in decision.commands if isinstance(c, InjectFaults)]
    assert not decision.passed


@unhurried
@given(states, observations())
def test_once_play_is_over_nothing_is_injected_any_more(state, observation):
    decision = reduce(state, observation)

    if decision.state.phase is not Phase.ARMED:
        assert not [c for c in decision.commands if isinstance(c, InjectFaults)]


@unhurried
@given(states, observations())
def test_a_record_is_closed_only_when_its_outcome_stands_in_the_state_that_is_stored_before(state, observation):
    decision = reduce(state, observation)

    for command in decision.commands:
        if isinstance(command, CloseRecord):
            assert command.record in decision.state.closed


@unhurried
@given(states, observations())
def test_a_drill_keeps_its_finalizer_while_there_is_a_record(state, observation):
    decision = reduce(state, observation)

    assert not (observation.records and RemoveFinalizer() in decision.commands)


@unhurried
@given(
    states,
    st.dictionaries(st.sampled_from(FAULTS), st.sampled_from(RECORD_STATES)),
    st.booleans(),
    st.sampled_from([{"desired": Desired.STOP}, {"deleting": True}]),
)
def test_a_stop_ends_a_drill_in_any_phase_whatever_its_state_says(state, stored, finalizer, how):
    world = World(
        faults=FAULTS,
        stored=state,
        records=dict(stored),
        finalizer=finalizer,
        on={name for name, how_far in stored.items() if how_far != "Reverted"},
    )

    decision = world.run(14, **how)

    assert decision.state.phase in TERMINAL
    assert (world.records, world.on, world.finalizer) == ({}, set(), False)


@unhurried
@given(
    states,
    st.dictionaries(st.sampled_from(FAULTS), st.sampled_from(OPEN)),
    st.sets(st.sampled_from(FAULTS)),
    st.sets(st.sampled_from(FAULTS)),
    st.booleans(),
    st.sampled_from([{"desired": Desired.STOP}, {"deleting": True}]),
)
def test_a_fault_that_is_in_is_never_said_to_be_restored_whatever_became_of_its_record(
    state, stored, in_already, unread, blind, how
):
    known = {f.name for f in state.faults if f.step in MAY_BE_IN and f.record not in state.closed}
    on = in_already & (stored.keys() | known)
    world = World(
        faults=FAULTS,
        stored=state,
        records=dict(stored),
        finalizer=True,
        on=on,
        unread=unread & stored.keys(),
        blind=blind,
    )

    decision = world.run(14, **how)

    assert world.on <= {f.name for f in decision.state.faults if f.step in MAY_BE_IN} | world.records.keys()
    assert world.finalizer or not world.on
    assert not (world.on and decision.state.restored and state.restored is None)
