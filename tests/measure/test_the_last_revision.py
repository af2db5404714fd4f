"""The same facts in any order, told twice, or hours late, give the same last revision of the report."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.measure.any_drill import BEGINS, AnyDrill, any_drill, well_played
from tests.measure.builders import alert, at, changed, drill_plan, fact, injected, samples, state

from kubedrill.controller.gathering.known_facts import KnownFacts
from kubedrill.core.evidence.facts import Fact, FactKind, Series
from kubedrill.core.evidence.samples import Samples
from kubedrill.core.measure.assessment import assess
from kubedrill.core.measure.drill_record import assemble
from kubedrill.core.measure.results import DrillRecord
from kubedrill.core.measure.verdicts import give_verdict

WHATEVER = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def in_batches(facts: list[Fact], sizes: list[int]) -> list[list[Fact]]:
    found = []
    for size in sizes:
        found.append(facts[:size])
        facts = facts[size:]
    return [*found, facts]


def revision(drill: AnyDrill, batches: list[list[Fact]], series: dict[str, Series], hours: int = 0) -> DrillRecord:
    """The last one, after all batches were told, each stored before the next came."""
    known, stored = KnownFacts(), frozenset[Fact]()
    told = known.of(stored, (), at(BEGINS), drill.plan)
    for batch in batches:
        told = known.of(stored, batch, at(BEGINS), drill.plan)
        stored |= frozenset(batch)
    now = at(drill.now) + timedelta(hours=hours)
    so_far = assess(drill.plan, told, series, now=now, ended=drill.circumstances.ended)
    verdict = give_verdict(so_far.objectives, so_far.findings)
    return assemble(drill.plan, told, series, so_far, verdict, drill.circumstances)


def read_in_batches(series: Series, chance: Random) -> Series:
    """The same samples, some read twice, in any order."""
    kept, rest = Samples(), list(series.samples)
    chance.shuffle(rest)
    while rest:
        size = chance.randint(1, len(rest))
        kept = kept.united(sorted([*rest[:size], *series.samples[:3]], key=lambda s: s.at))
        rest = rest[size:]
    return replace(series, samples=kept)


@WHATEVER
@given(
    st.one_of(any_drill(), well_played()),
    st.randoms(use_true_random=False),
    st.lists(st.integers(0, 9), max_size=6),
    st.integers(0, 100),
)
def test_whatever_the_order_how_often_and_how_late(drill, chance, sizes, hours):
    drill = replace(drill, ended=drill.now)
    once = revision(drill, [list(drill.facts)], drill.series)
    again = [*drill.facts, *chance.sample(drill.facts, len(drill.facts) // 2)]
    chance.shuffle(again)
    series = {name: read_in_batches(one, chance) for name, one in drill.series.items()}
    assert revision(drill, in_batches(again, sizes), series, hours) == once


def test_the_silence_after_the_end_is_no_recovery():
    """No check tells when it ended, and nobody looked any more: hours later that must not have become a window."""
    facts = [
        injected(),
        alert(FactKind.ALERT_FIRING, 0),
        changed(50, by="tom", change="fix", field="limits.memory"),
        state(60, 5),
        alert(FactKind.ALERT_RESOLVED, 69, 70),
    ]
    drill = AnyDrill(drill_plan(steady=()), tuple(facts), {}, now=75, ended=75)
    for hours in (0, 5):
        assert not [m for m in revision(drill, [facts], {}, hours).milestones if m.name == "Recovered"]


def test_what_happened_before_the_end_and_was_told_hours_later_counts():
    drill = AnyDrill(drill_plan(), (), {"impact": samples([1.0] * 20)}, now=200, ended=200)
    late = [alert(FactKind.ALERT_FIRING, 0), fact(FactKind.ACKNOWLEDGED, 30, by="alice")]
    assert {m.name for m in revision(drill, [late], {}, hours=5).milestones} == {"AlertFired", "Acknowledged"}
