"""Somebody else's controller takes the fault out: that is told at once, and the drill ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.machine.world import World, fact, world_in

from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.machine.commands import Revert
from kubedrill.core.machine.phases import Phase
from kubedrill.core.measure.results import Verdict

MEMORY = "/spec/template/spec/containers/0/resources/limits/memory"
BOTH = pytest.mark.parametrize("phase", [Phase.ARMED, Phase.IN_PLAY])


def changed(world: World, number: int = 1, actor: str = "", **detail: object) -> None:
    told = {"target": "Deployment/limit", "path": MEMORY, "change": f"Deployment/limit@{number}"} | detail
    found = fact(FactKind.TARGET_CHANGED, world.now, f"change/{number}", **told)
    world.facts[found.id] = replace(found, actor=actor)


@BOTH
@pytest.mark.parametrize(
    "who",
    [
        {"manager": "kustomize-controller"},
        {"manager": "argocd-application-controller"},
        {"manager": "shop-operator"},
        {"manager": "manager"},
        {"user": "system:serviceaccount:flux-system:kustomize-controller", "manager": "kubectl"},
    ],
    ids=["Flux", "Argo CD", "an operator", "one of the usual toolkit", "a ServiceAccount, by the audit log"],
)
def test_it_ends_at_once_and_says_who(phase: Phase, who: dict[str, Any]):
    world = world_in(phase)
    changed(world, **who)

    decision = world.turn()

    assert decision.state.phase is Phase.RECOVERING
    assert Revert("undo-limit") in decision.commands
    ending = decision.state.ending
    assert ending is not None
    assert (ending.reason, ending.verdict) == ("FaultTakenOut", Verdict.ERROR)
    assert who.get("user", who["manager"]) in ending.message
    assert "Deployment/limit" in ending.message
    assert world.run(8).state.phase is Phase.ABORTED
    assert world.injections == {"limit": 1}


def test_c12_a_drill_that_accepts_it_goes_on():
    world = world_in(Phase.IN_PLAY)
    changed(world, manager="shop-operator")

    accepting = replace(world.look().drill_plan, accepts_reconcilers=True)  # type: ignore[type-var]
    assert world.turn(drill_plan=accepting).state.phase is Phase.IN_PLAY


@pytest.mark.parametrize("manager", ["kubectl-edit", "kubectl-client-side-apply", "k9s", "node-fetch", "helm", ""])
def test_somebody_who_is_only_unknown_is_no_controller(manager: str):
    world = world_in(Phase.IN_PLAY)
    changed(world, manager=manager)

    assert world.turn().state.phase is Phase.IN_PLAY


def test_a_listed_player_is_none_whatever_the_field_manager_is_called():
    world = world_in(Phase.IN_PLAY)
    changed(world, manager="release-controller", actor="alice")

    assert world.turn().state.phase is Phase.IN_PLAY


def test_a_controller_that_comes_after_a_players_fix_takes_nothing_out():
    world = world_in(Phase.IN_PLAY)
    changed(world, manager="kubectl-set", actor="alice")
    world.now += timedelta(seconds=30)
    changed(world, 2, manager="kustomize-controller")

    assert world.turn().state.phase is Phase.IN_PLAY


@pytest.mark.parametrize(
    "other",
    [{"target": "Deployment/neighbour"}, {"path": "/spec/template/metadata/annotations/checksum"}],
    ids=["another workload", "another field"],
)
def test_what_is_not_the_fault_is_not_taken_out(other: dict[str, Any]):
    world = world_in(Phase.IN_PLAY)
    changed(world, manager="kustomize-controller", **other)

    assert world.turn().state.phase is Phase.IN_PLAY
