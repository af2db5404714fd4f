"""One function says who somebody is: the whole of it as a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubedrill.core.evidence.attribution import Somebody, Standing, who_is
from kubedrill.core.plan.drill_plan import FIELD_MANAGER, KUBERNETES, Participant

ALICE = Participant("alice", "L1", kubernetes="alice@example.com", field_manager="alice-cli")
TOM = Participant("tom", "Engineering", kubernetes="tom@example.com")
EVE = Participant("eve", "L2")
OPERATOR = "system:serviceaccount:drills:kubedrill"
OWN = frozenset({OPERATOR, "kubedrill"})
PACKAGE = Path(__file__).parents[2] / "operator/kubedrill"


@pytest.mark.parametrize(
    ("key", "name", "players", "standing", "player"),
    [
        # a name that one of the players has there
        (KUBERNETES, "alice@example.com", (ALICE, TOM), Standing.PLAYER, "alice"),
        (KUBERNETES, "tom@example.com", (ALICE, TOM), Standing.PLAYER, "tom"),
        (FIELD_MANAGER, "alice-cli", (ALICE, TOM), Standing.PLAYER, "alice"),
        # a name counts where it is one: not in another channel, and not when it only looks alike
        (FIELD_MANAGER, "alice@example.com", (ALICE, TOM), Standing.UNKNOWN, ""),
        (KUBERNETES, "alice-cli", (ALICE, TOM), Standing.STRANGER, ""),
        (KUBERNETES, "Alice@example.com", (ALICE, TOM), Standing.STRANGER, ""),
        # a player who plays as what would be a machine is a player
        (
            KUBERNETES,
            "system:serviceaccount:kube-system:bot",
            (Participant("bot", "L1", kubernetes="system:serviceaccount:kube-system:bot"),),
            Standing.PLAYER,
            "bot",
        ),
        # the operator itself
        (KUBERNETES, OPERATOR, (ALICE, TOM), Standing.OPERATOR, ""),
        (FIELD_MANAGER, "kubedrill", (ALICE,), Standing.OPERATOR, ""),
        # the cluster's own machinery
        (KUBERNETES, "system:node:worker-1", (ALICE,), Standing.AUTOMATION, ""),
        (KUBERNETES, "system:kube-controller-manager", (), Standing.AUTOMATION, ""),
        (KUBERNETES, "system:apiserver", (), Standing.AUTOMATION, ""),
        (KUBERNETES, "system:serviceaccount:kube-system:deployment-controller", (), Standing.AUTOMATION, ""),
        (FIELD_MANAGER, "kube-controller-manager", (ALICE,), Standing.AUTOMATION, ""),
        # somebody else: none of the players, whose names there are all known
        (KUBERNETES, "mallory", (ALICE, TOM), Standing.STRANGER, ""),
        (KUBERNETES, "system:serviceaccount:argocd:application-controller", (ALICE, TOM), Standing.STRANGER, ""),
        ("slack", "U123", (), Standing.STRANGER, ""),
        # nobody knows: no name, a tool's, or one that may be that of a player who is not known there
        (KUBERNETES, "", (ALICE, TOM), Standing.UNKNOWN, ""),
        (FIELD_MANAGER, "kubectl-edit", (ALICE, TOM), Standing.UNKNOWN, ""),
        (KUBERNETES, "mallory", (ALICE, EVE), Standing.UNKNOWN, ""),
        ("slack", "U123", (ALICE, TOM), Standing.UNKNOWN, ""),
    ],
)
def test_who_it_is(key: str, name: str, players: tuple[Participant, ...], standing: Standing, player: str):
    assert who_is(key, name, players, OWN) == Somebody(standing, player)


@pytest.mark.parametrize(
    ("standing", "is_open"),
    [
        (Standing.PLAYER, False),
        (Standing.AUTOMATION, False),
        (Standing.OPERATOR, False),
        (Standing.STRANGER, True),
        (Standing.UNKNOWN, True),
    ],
)
def test_only_the_facilitator_can_say_who_a_stranger_or_somebody_unknown_is(standing: Standing, is_open: bool):
    assert Somebody(standing).is_open is is_open


def test_a_player_without_a_name_somewhere_is_nobody_there():
    assert TOM.identities == {KUBERNETES: "tom@example.com"}
    assert who_is(FIELD_MANAGER, "", (TOM,)) == Somebody(Standing.UNKNOWN)


def test_nobody_else_compares_people_by_their_names():
    forms = ("p.kubernetes ==", "player.kubernetes", ".field_manager in", "system:node:", "system:kube-")
    found = [
        f"{file.relative_to(PACKAGE)}: {line.strip()}"
        for file in PACKAGE.rglob("*.py")
        if file.name != "attribution.py"
        for line in file.read_text(encoding="utf-8").splitlines()
        if any(form in line for form in forms)
    ]
    assert found == []
