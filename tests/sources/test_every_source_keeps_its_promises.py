"""What every source of evidence promises, whatever it is of. A new one needs an example in `examples/`."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.answers.test_readers_take_anything import changed, places
from tests.observers.builders import drill_plan
from tests.observers.wire import standing, until
from tests.signals.builders import at
from tests.sources.builders import OTHER, Example, Reading, examples, facts_of, fields_asked_for, is_kept

from kubedrill.cli.setup import opt_in
from kubedrill.controller.gathering import FactInbox, NamespaceWatches, Scope
from kubedrill.controller.gathering.samples import SeriesHistory
from kubedrill.core.evidence.facts import Fact, FactKind
from kubedrill.core.plan.drill_plan import PlannedStop
from kubedrill.kube.answers import NoAnswer, TooMuch
from kubedrill.kube.client import Unreachable
from kubedrill.kube.clock import ServerClock
from kubedrill.kube.informers import Informers
from kubedrill.kube.paths import Namespaced
from kubedrill.kube.watch import IDENTITY
from kubedrill.plugins.sources import discover, of_kind, watched_kinds
from kubedrill.plugins.sources.base import How
from kubedrill.plugins.sources.polled import Conversation, Heard, Poll, PollScope

SOURCES = discover()
POLLED = {source.name: source for source in of_kind(How.POLL)}
WATCHED = {source.name: source for source in of_kind(How.WATCH)}
PROMISED = examples()
ABSURD = [None, 7, "x", [], {}, [7], {"": None}, "9999-12-31T23:59:59-23:59", 10**400]
OPERATOR = Path(opt_in.__file__).parents[2]
PLUGINS = OPERATOR / "plugins"


def another(metadata: Any) -> Any:
    """The metadata of an object that is not the example's."""
    return {**metadata, "name": "poison", "uid": OTHER} if isinstance(metadata, dict) else metadata


def test_every_source_has_an_example_and_every_example_a_source():
    assert set(PROMISED) == set(SOURCES)


@pytest.mark.parametrize("name", SOURCES)
def test_it_says_where_its_bounds_come_from(name):
    assert SOURCES[name].bounds
    assert bool(SOURCES[name].watches) == (SOURCES[name].how is How.WATCH)
    assert bool(SOURCES[name].polling) == (SOURCES[name].how is How.POLL)


@pytest.mark.parametrize("name", SOURCES)
def test_it_gives_the_facts_that_it_declares(name):
    given_kinds = {fact.kind for fact in facts_of(SOURCES[name], PROMISED[name])}
    assert set(PROMISED[name].truth) <= given_kinds <= SOURCES[name].facts <= set(FactKind)


@pytest.mark.parametrize("name", SOURCES)
def test_each_interval_holds_the_true_instant(name):
    facts = facts_of(SOURCES[name], PROMISED[name])
    for kind, instant in PROMISED[name].truth.items():
        assert any(f.at.not_before <= instant <= f.at.not_after for f in facts if f.kind is kind), kind


@pytest.mark.parametrize("name", SOURCES)
def test_the_same_thing_seen_again_by_another_reader_is_the_same_fact(name):
    once, again = ([f.id for f in facts_of(SOURCES[name], PROMISED[name])] for _ in range(2))
    assert once == again


@pytest.mark.parametrize("name", WATCHED)
def test_an_event_that_comes_twice_tells_nothing_new(name):
    reading = Reading(WATCHED[name], PROMISED[name])
    ids = {f.id for f in (*reading.begin(), *reading.event())}
    assert {f.id for f in reading.event()} <= ids


def event_of(example: Example) -> tuple[Namespaced, str, dict[str, Any]]:
    assert example.event is not None
    return example.event


@pytest.mark.parametrize("name", WATCHED)
def test_what_is_kept_of_an_object_is_all_that_it_reads(name):
    whole, cut = (facts_of(WATCHED[name], PROMISED[name], cut=cut) for cut in (False, True))
    assert [(f.id, f.at, f.evidence, f.detail) for f in cut] == [(f.id, f.at, f.evidence, f.detail) for f in whole]


@pytest.mark.parametrize("name", WATCHED)
def test_it_asks_for_nothing_that_is_not_kept(name):
    """A field that is asked for and not kept is a field that is never there."""
    kinds = [watched_kinds()[watched.where] for watched in WATCHED[name].watches]
    fields = IDENTITY.union({"kind"}, *(kind.fields for kind in kinds))
    asked = fields_asked_for(WATCHED[name], PROMISED[name])
    assert {field for field in asked if not is_kept(field, fields)} == set()


@pytest.mark.parametrize("name", WATCHED)
def test_an_object_of_any_shape_ends_nothing_and_spoils_no_other(name):
    _, _, event = event_of(PROMISED[name])
    reading, good = (Reading(WATCHED[name], PROMISED[name]) for _ in range(2))
    reading.begin(), good.begin()
    for place in places(event):
        for value in ABSURD:
            poison = changed(event, place, value)
            if place:
                poison["metadata"] = another(poison.get("metadata"))
            reading.poison(poison if isinstance(poison, dict) else {"metadata": poison})
    assert [f.id for f in reading.event()] == [f.id for f in good.event()]


@pytest.mark.parametrize("name", WATCHED)
async def test_what_is_watched_reaches_the_drill(name):
    """Over the wire, by the informers that all sources share."""
    example, inbox, clock = PROMISED[name], FactInbox(), ServerClock(timedelta(0))
    where, kind, item = event_of(example)
    async with standing() as (wire, kube):
        for one in dict.fromkeys(of for of, _ in example.there):
            wire.put(one.of("shop"), 5, *(thing for of, thing in example.there if of == one))
        told = NamespaceWatches(Informers(kube, clock), clock, inbox, lambda: None)
        await told.start(drill_plan(faults=example.faults), Scope("monday", "drills", clock.now()))
        await wire.tell(where.of("shop"), kind, item)
        facts: list[Fact] = []

        def heard() -> bool:
            facts.extend(inbox.drain())
            return set(example.truth) <= {f.kind for f in facts}

        await until(heard)
        await told.stop()


def asked_of(name: str) -> tuple[Poll, PollScope, list[Conversation]]:
    """A poll of a drill that has something to ask of each source, and the conversations that it begins."""
    plan = replace(drill_plan(impact="depth"), stop_when=(PlannedStop("errors", promql="errors > 5"),))
    polling = POLLED[name].polling
    assert polling is not None
    poll, scope = polling.begin(SeriesHistory), PollScope(plan, at(0), at(0), at(0), timedelta(seconds=1), {})
    return poll, scope, list(poll.ask(scope))


@pytest.mark.parametrize("name", POLLED)
def test_what_is_polled_is_asked_for_by_its_source_alone(name):
    _, _, conversations = asked_of(name)
    questions = [question for one in conversations for question in next(one)]
    assert questions
    assert all(question.path.startswith("/api/") for question in questions)


@pytest.mark.parametrize("name", POLLED)
@pytest.mark.parametrize("error", [Unreachable("refused"), NoAnswer("says nothing"), TooMuch("says too much")])
def test_whoever_has_no_answer_tells_of_nothing_and_says_why(name, error):
    poll, scope, conversations = asked_of(name)
    for one in conversations:
        next(one)
        with pytest.raises(type(error)):
            one.throw(error)
    told = poll.told(scope, [Heard(None, str(error)) for _ in conversations])
    assert [*told.facts, *told.decisive, *told.firing, *told.pending] == []
    assert not any(series.samples for series in told.series.values())
    assert (told.errors or tuple(reading.said for reading in told.stops)) == (str(error),)
    assert all(reading.met is None for reading in told.stops)


@pytest.mark.parametrize("where", watched_kinds(), ids=lambda where: where.plural)
def test_the_opt_in_gives_the_rights_to_watch_it(where):
    group = where.group_version.rpartition("/")[0]
    rules = [rule for item in opt_in.objects("shop", "drills", *opt_in.MORE) for rule in item.get("rules") or ()]
    verbs = {
        verb
        for rule in rules
        if group in rule["apiGroups"] and where.plural in rule["resources"] and not rule.get("resourceNames")
        for verb in rule["verbs"]
    }
    assert {"list", "watch"} <= verbs


async def test_what_is_watched_only_where_it_is_made_costs_others_nothing():
    clock = ServerClock(timedelta(0))
    async with standing() as (_, kube):
        informers = Informers(kube, clock)
        told = NamespaceWatches(informers, clock, FactInbox(), lambda: None)
        await told.start(drill_plan(), Scope("monday", "drills", clock.now()))
        always = [one for one in watched_kinds().values() if not one.where_made]
        assert len(informers) == len(always) + 2  # and what is said, here and in the control namespace
        await told.stop()


def test_nothing_outside_of_the_plugins_names_one():
    named = [
        (str(module.relative_to(OPERATOR)), source.name)
        for module in OPERATOR.rglob("*.py")
        if PLUGINS not in module.parents
        for source in SOURCES.values()
        if f"sources.{source.name} import" in (text := module.read_text(encoding="utf-8"))
        or re.search(rf"sources import .*\b{source.name}\b", text)
    ]
    assert named == []
