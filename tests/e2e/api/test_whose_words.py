"""Whose words: nobody speaks for another, and what facilitators say takes a right; on the real API server."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.api.conftest import OPTED_IN, a_namespace, kubectl, myself

PEOPLE = Path(__file__).parents[3] / "manifests/base/people.yaml"
CONTROL = "kubedrill.dev/control"
IN_FORCE_WITHIN = 30
PLAYER, FACILITATOR, BOTH, WITNESS = (f"{name}@example.com" for name in ("alice", "fay", "tom", "wes"))
ENTERED: dict[str, dict[str, Any]] = {
    "Observe": {"observation": {"milestone": "ClientNotified", "time": "2026-03-02T12:00:00Z", "player": "tom"}},
    "Confirm": {"confirmation": {"fault": "cable", "step": "Undo"}},
    "Attribute": {"attribution": {"change": "interference/x", "player": "tom"}},
    "Hint": {"message": "look at memory"},
}
"""What facilitators say, each with what it needs."""


def word(action: str = "Acknowledge", actor: str = PLAYER, **fields: Any) -> dict[str, Any]:
    return {
        "apiVersion": "kubedrill.dev/v1alpha1",
        "kind": "PlayerAction",
        "metadata": {"generateName": f"{action.lower()}-"},
        "spec": {"actor": actor, "action": action, **fields},
    }


def said(thing: dict[str, Any], namespace: str, by: str = "") -> subprocess.CompletedProcess[str]:
    """Say it there, as somebody; as these tests themselves when nobody is named."""
    return kubectl("create", "-n", namespace, *(("--as", by) if by else ()), "-f", "-", given=thing)


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode != 0, done.stdout
    assert "is forbidden" in done.stderr, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def target(definitions: None) -> Iterator[str]:  # noqa: ARG001  there is nothing to say without them
    yield from a_namespace("words-target", OPTED_IN)


@pytest.fixture(scope="module")
def control(definitions: None) -> Iterator[str]:  # noqa: ARG001  the same
    yield from a_namespace("words-control", f"{CONTROL}=true")


@pytest.fixture(scope="module", autouse=True)
def in_force(target: str, control: str) -> None:
    """Roles and policy are applied, people are bound to their roles, and the policy is known to the server."""
    applied = kubectl("apply", "-f", str(PEOPLE))
    assert applied.returncode == 0, applied.stderr
    bound: list[tuple[str, str, tuple[str, ...]]] = [
        (target, "clusterrole=kubedrill-player", (PLAYER, BOTH)),
        (control, "clusterrole=kubedrill-facilitator", (FACILITATOR, BOTH)),
        (control, "clusterrole=kubedrill-player", (PLAYER, WITNESS)),
    ]
    attribute = ("--verb=attribute", "--resource=playeractions.kubedrill.dev")
    only = kubectl("create", "role", "attributes", "-n", control, *attribute)
    assert only.returncode == 0, only.stderr
    bound.append((control, "role=attributes", (WITNESS,)))
    for number, (namespace, role, people) in enumerate(bound):
        users = [f"--user={user}" for user in people]
        done = kubectl("create", "rolebinding", f"words-{number}", "-n", namespace, f"--{role}", *users)
        assert done.returncode == 0, done.stderr
    deadline = time.monotonic() + IN_FORCE_WITHIN
    while said(word(actor="nobody"), target).returncode == 0:
        assert time.monotonic() < deadline, "the policy is not in force"
        time.sleep(0.2)


def test_a_player_speaks_under_their_own_name(target: str):
    assert said(word(), target, PLAYER).returncode == 0


def test_f8_nobody_speaks_for_another_not_even_a_cluster_admin(target: str):
    assert f"{BOTH} may not speak for {PLAYER}" in refusal(said(word(), target, BOTH))
    assert f"{myself()} may not speak for {PLAYER}" in refusal(said(word(), target))


def test_whoever_may_impersonate_speaks_as_whom_they_are_then_taken_for(target: str):
    assert said(word(actor=BOTH), target, BOTH).returncode == 0


@pytest.mark.parametrize("action", ENTERED)
def test_what_facilitators_say_takes_a_right_that_to_speak_does_not_give(action: str, control: str):
    text = refusal(said(word(action, **ENTERED[action]), control, PLAYER))
    assert f"{PLAYER} may not {action.lower()} in {control}: that takes the verb {action.lower()}" in text
    done = said(word(action, FACILITATOR, **ENTERED[action]), control, FACILITATOR)
    assert done.returncode == 0, done.stderr


def test_one_of_these_rights_may_be_given_alone(control: str):
    done = said(word("Attribute", WITNESS, **ENTERED["Attribute"]), control, WITNESS)
    assert done.returncode == 0, done.stderr
    refusal(said(word("Observe", WITNESS, **ENTERED["Observe"]), control, WITNESS))


@pytest.mark.parametrize("action", ENTERED)
def test_what_facilitators_say_is_not_lost_where_nobody_hears_it(action: str, target: str):
    text = refusal(said(word(action, myself(), **ENTERED[action]), target))
    assert f"{action} is what facilitators say, and nobody hears it in {target}" in text


def test_what_a_player_says_is_not_lost_where_nobody_hears_it(closed_namespace: str):
    text = refusal(said(word(actor=myself()), closed_namespace))
    assert f"{closed_namespace} has not opted in to drills, and nobody would hear it there" in text
    assert f"kubectl drill opt-in {closed_namespace}" in text


def test_a_right_in_one_control_namespace_is_none_in_another(control: str):
    for other in a_namespace("words-other", f"{CONTROL}=true"):
        bound = kubectl(
            "create", "rolebinding", "words", "-n", other, "--clusterrole=kubedrill-player", f"--user={BOTH}"
        )
        assert bound.returncode == 0, bound.stderr
        refusal(said(word("Hint", BOTH, message="look"), other, BOTH))
    assert said(word("Hint", BOTH, message="look"), control, BOTH).returncode == 0


def test_a_word_is_not_made_over_into_another_afterwards(control: str):
    made = said(word("Hint", FACILITATOR, message="look"), control, FACILITATOR).stdout.split()[0]
    change = '{"spec":{"action":"Observe"}}'
    done = kubectl("patch", made, "-n", control, "--type=merge", "-p", change)
    assert "a player's word can't be changed" in done.stderr


def test_the_doctor_tries_whether_anybody_could_speak_for_anybody_and_says_nothing(control: str):
    before = kubectl("get", "playeractions", "-n", control, "-o", "name").stdout
    told = subprocess.run(
        [sys.executable, "-m", "kubedrill.cli.main", "doctor", "-n", control],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    assert "✓ whose-words" in told.splitlines()
    assert kubectl("get", "playeractions", "-n", control, "-o", "name").stdout == before


def test_whoever_may_edit_a_namespace_may_say_what_they_do_there(target: str):
    editor = f"ed-{uuid.uuid4().hex[:6]}@example.com"
    bound = kubectl("create", "rolebinding", "editors", "-n", target, "--clusterrole=edit", f"--user={editor}")
    assert bound.returncode == 0, bound.stderr
    speaking = ("create", "playeractions.kubedrill.dev", "-n", target, "--as", editor)
    deadline = time.monotonic() + IN_FORCE_WITHIN
    while kubectl("auth", "can-i", *speaking).stdout.strip() != "yes":
        assert time.monotonic() < deadline, "the role kubedrill-player is not part of edit"
        time.sleep(0.2)
