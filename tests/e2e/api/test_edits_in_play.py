"""What a drill is judged by can be edited until it has started, and never after; what is wanted of it always can."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pytest
from tests.e2e.api.conftest import kubectl
from tests.e2e.api.test_messages import drill

FINALIZER: Final = "example.com/any"  # not ours: where the policies are in force, we may not take ours off
Apply = Callable[[dict[str, Any]], str]
Edit = Callable[[dict[str, Any]], Any]

EDITS: Final[dict[str, tuple[str, Edit]]] = {
    "another player": ("players", lambda s: s["players"].append({"name": "bob", "role": "L2"})),
    "a player less": ("players", lambda s: s["players"].pop()),
    "no players": ("players", lambda s: s.pop("players")),
    "a player's other name": ("players", lambda s: s["players"][0].update(identities={"kubernetes": "alice"})),
    "another environment": ("environment", lambda s: s.update(environment="billing")),
    "another roster": ("roster", lambda s: s.update(roster="nights")),
    "another facilitator": ("facilitator", lambda s: s.update(facilitator="sam")),
    "another pace": ("pace", lambda s: s.update(pace=12)),
    "a longer drill": ("maxDuration", lambda s: s.update(maxDuration="2h")),
    "a longer wrap-up": ("wrapUp", lambda s: s.update(wrapUp="20m")),
    "more time for the effect": ("armWithin", lambda s: s.update(armWithin="10m")),
    "another Prometheus": (
        "monitoring",
        lambda s: s.update(monitoring={"prometheus": {"name": "thanos-query", "port": 10902}}),
    ),
}
"""What is edited, by the field of the spec that the answer names."""
SET: Final[dict[str, Any]] = {
    "environment": "shop",
    "roster": "on-call",
    "facilitator": "fay",
    "pace": 2,
    "maxDuration": "1h",
    "wrapUp": "5m",
    "armWithin": "1m",
    "monitoring": {"alertmanager": {"name": "alerts", "port": 9093}},
}
"""The optional fields, each with a value that is no default."""


def refusal(field: str) -> str:
    return f"{field} can't change once the drill has started: make another drill"


def status(namespace: str, thing: dict[str, Any], **written: Any) -> str:
    """Write to its status as the operator does; empty when it was accepted, else what kubectl says."""
    return patch(namespace, thing, {"status": written}, "--subresource=status")


def patch(namespace: str, thing: dict[str, Any], change: dict[str, Any], *options: str) -> str:
    name = thing["metadata"]["name"]
    done = kubectl("patch", "drill", name, "-n", namespace, "--type=merge", "-p", json.dumps(change), *options)
    return "" if done.returncode == 0 else done.stderr


@pytest.fixture
def started(apply: Apply, namespace: str) -> Callable[..., dict[str, Any]]:
    """Makes a drill that has started, with these fields of its spec set."""

    def made(**fields: Any) -> dict[str, Any]:
        thing = drill(lambda s: s.update(desired="Run", **fields))
        assert not apply(thing)
        assert not status(namespace, thing, phase="Armed", startExTime="2026-03-02T12:00:00.123Z")
        return thing

    return made


@pytest.mark.parametrize(("field", "edit"), EDITS.values(), ids=EDITS)
def test_once_it_has_started_an_edit_of_what_it_is_judged_by_is_refused(
    apply: Apply, started: Callable[..., dict[str, Any]], field: str, edit: Edit
):
    thing = started()
    edit(thing["spec"])
    said = apply(thing)
    assert refusal(field) in said
    assert f"spec.{field}: " in said


@pytest.mark.parametrize("field", SET)
def test_a_value_that_was_set_can_not_be_taken_back_either(
    apply: Apply, started: Callable[..., dict[str, Any]], field: str
):
    thing = started(**SET)
    del thing["spec"][field]
    assert refusal(field) in apply(thing)


def test_of_several_edits_each_is_named(apply: Apply, started: Callable[..., dict[str, Any]]):
    thing = started()
    for _, edit in EDITS.values():
        if edit is not EDITS["no players"][1]:
            edit(thing["spec"])
    said = apply(thing)
    assert not [field for field, _ in EDITS.values() if refusal(field) not in said], said


def test_it_stays_so_when_the_drill_has_ended(apply: Apply, started: Callable[..., dict[str, Any]], namespace: str):
    thing = started()
    assert not status(namespace, thing, phase="Completed", verdict="Passed", endExTime="2026-03-02T13:00:00Z")
    thing["spec"]["pace"] = 12
    assert refusal("pace") in apply(thing)


@pytest.mark.parametrize("phase", [None, "Preflight", "Held"])
@pytest.mark.parametrize("edit", [edit for _, edit in EDITS.values()], ids=list(EDITS))
def test_before_the_start_everything_of_it_may_be_edited(apply: Apply, namespace: str, phase: str | None, edit: Edit):
    thing = drill()
    assert not apply(thing)
    if phase:
        assert not status(namespace, thing, phase=phase, message="all is checked")
    edit(thing["spec"])
    assert not apply(thing)


def test_a_drill_that_has_started_can_be_stopped(started: Callable[..., dict[str, Any]], namespace: str):
    thing = started(**SET)
    assert not patch(namespace, thing, {"spec": {"desired": "Stop", "stopBecause": "a real incident"}})


def test_the_same_manifest_may_be_applied_again(apply: Apply, started: Callable[..., dict[str, Any]]):
    thing = started(**SET)
    assert not apply(thing)


def test_the_order_of_the_players_is_no_edit(apply: Apply, started: Callable[..., dict[str, Any]]):
    thing = started()
    thing["spec"]["players"].reverse()
    assert not apply(thing)


def test_the_operator_goes_on_writing_status_and_finalizer(started: Callable[..., dict[str, Any]], namespace: str):
    thing = started(**SET)
    assert not patch(namespace, thing, {"metadata": {"finalizers": [FINALIZER]}})
    assert not status(namespace, thing, phase="InPlay", clock="T+1m", machine={"phase": "InPlay"})
    assert not status(namespace, thing, phase="Completed", verdict="Passed")
    assert not patch(namespace, thing, {"metadata": {"finalizers": None}})
    assert kubectl("delete", "drill", thing["metadata"]["name"], "-n", namespace, "--timeout=20s").returncode == 0


def test_the_very_write_that_starts_it_is_accepted_for_a_drill_that_was_edited_before(apply: Apply, namespace: str):
    thing = drill()
    assert not apply(thing)
    thing["spec"] |= SET
    assert not apply(thing)
    assert not status(namespace, thing, phase="Armed", startExTime="2026-03-02T12:00:00Z")
