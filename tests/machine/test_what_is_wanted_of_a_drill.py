"""What is wanted of a Drill: its spec, and the facilitator's word, which no tool that keeps the spec takes back."""

from __future__ import annotations

from typing import Any

import pytest

from kubedrill.api.drill import Desired
from kubedrill.core.machine.desired import desired_of, is_ending, stop_because, the_word


def drill(spec: str | None = None, word: str | None = None, **meta: Any) -> dict[str, Any]:
    notes = {} if word is None else {"annotations": {"kubedrill.dev/desired": word}}
    return {"metadata": {"name": "storm"} | notes | meta, "spec": {} if spec is None else {"desired": spec}}


@pytest.mark.parametrize("spec", ["Run", "Hold", "Stop"])
def test_without_a_word_it_is_what_the_spec_says(spec: str):
    assert desired_of(drill(spec)) == spec


def test_where_nobody_says_anything_it_runs():
    assert desired_of(drill()) is Desired.RUN


def test_start_wins_over_a_spec_that_holds_it():
    assert desired_of(drill("Hold", "Run")) is Desired.RUN


@pytest.mark.parametrize(("spec", "word"), [("Run", "Stop"), ("Hold", "Stop"), ("Stop", "Run"), ("Stop", "Hold")])
def test_a_stop_is_a_stop_whoever_says_it(spec: str, word: str):
    assert desired_of(drill(spec, word)) is Desired.STOP


@pytest.mark.parametrize("word", ["", "Hold", "stop", "run", "Later"])
def test_another_word_says_nothing(word: str):
    assert desired_of(drill("Hold", word)) is Desired.HOLD
    assert desired_of(drill("Run", word)) is Desired.RUN


def test_a_spec_of_a_later_version_starts_nothing():
    assert desired_of(drill("RunOnSundays")) is Desired.HOLD


@pytest.mark.parametrize(
    "broken", [{}, {"metadata": None, "spec": None}, {"metadata": {"annotations": None}, "spec": {"desired": 5}}]
)
def test_a_drill_in_pieces_is_not_stopped(broken: dict[str, Any]):
    assert desired_of(broken) is not Desired.STOP
    assert not is_ending(broken)


@pytest.mark.parametrize("ends", [drill("Stop"), drill("Run", "Stop"), drill("Run", deletionTimestamp="2026-03-01")])
def test_a_stop_and_a_deletion_end_it(ends: dict[str, Any]):
    assert is_ending(ends)


@pytest.mark.parametrize("goes_on", [drill("Run"), drill("Hold"), drill("Hold", "Run")])
def test_nothing_else_does(goes_on: dict[str, Any]):
    assert not is_ending(goes_on)


def test_why_it_was_stopped_is_the_facilitators_word_first():
    spec = {"stopBecause": "lunch"}
    assert stop_because({"spec": spec}) == "lunch"
    said = the_word(Desired.STOP, "a real incident")
    assert stop_because({"spec": spec} | said) == "a real incident"


def test_the_word_touches_nothing_of_the_spec():
    assert the_word(Desired.RUN) == {"metadata": {"annotations": {"kubedrill.dev/desired": "Run"}}}
    assert desired_of({"spec": {"desired": "Run"}} | the_word(Desired.STOP)) is Desired.STOP
