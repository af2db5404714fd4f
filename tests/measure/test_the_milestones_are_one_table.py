"""A milestone stands in one table, from which whoever tells of it takes what it is."""

from __future__ import annotations

from typing import get_args

import pytest

from kubedrill.api.people import Action
from kubedrill.api.scenario import Milestone as Named
from kubedrill.core.machine.conditions import OF_MILESTONES
from kubedrill.core.measure.impact import DECLARED, STATED
from kubedrill.core.measure.milestone_table import MILESTONES, Charged, of
from kubedrill.core.measure.objectives import OF_PEOPLE
from kubedrill.core.measure.results import MilestoneName
from kubedrill.core.measure.score import MONITORING
from kubedrill.plugins.channels.player_actions import OBSERVED, SAID


def test_every_milestone_has_a_row_and_scenarios_may_name_them_all():
    assert set(MILESTONES) == set(MilestoneName)
    assert set(get_args(Named)) == {str(name) for name in MilestoneName}


@pytest.mark.parametrize("name", MILESTONES)
def test_what_players_say_is_theirs(name: MilestoneName):
    row = MILESTONES[name]
    assert bool(row.action) is bool(row.verb)
    assert row.who is Charged.PEOPLE or not row.action
    assert row.action or not row.only_people_tell


def test_status_score_objectives_and_words_are_of_the_table():
    assert of(Charged.MONITORING) == MONITORING
    assert all(MILESTONES[name].condition is condition for name, condition in OF_MILESTONES.items())
    assert {name for name, row in MILESTONES.items() if row.only_people_tell} == OF_PEOPLE
    assert set(OBSERVED) == {str(name) for name, row in MILESTONES.items() if row.observable}
    assert SAID[Action.ACK] is MILESTONES[MilestoneName.ACKNOWLEDGED].fact


def test_what_is_measured_over_a_window_may_be_stated_by_the_fact_of_the_table():
    assert {name: MILESTONES[name].fact for name in STATED} == dict(STATED)
    assert set(DECLARED.values()) <= {row.fact for row in MILESTONES.values()}
