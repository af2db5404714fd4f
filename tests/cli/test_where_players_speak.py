"""Players never say `-n`: their word goes wherever it may be heard, and nothing is said that nobody would hear."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import DRILLS, FORBIDDEN, NAMESPACES, SPEAK_REVIEW, may_speak_in, opted_in
from tests.cli.drills import drill, finished
from tests.cli.fake_api import GROUP, FakeApi

STARTED = "2026-03-02T12:00:00Z"


def spoken_in(api: FakeApi) -> list[str]:
    """The namespaces in which something was said."""
    return sorted(path.split("/")[5] for method, path, _ in api.requests if method == "POST" and "playeract" in path)


def on(name: str, target: str) -> dict[str, Any]:
    """A drill that is on in a namespace."""
    thing = drill(name, phase="InPlay", startExTime=STARTED)
    thing["spec"]["targetNamespace"] = target
    return thing


# ---- players, who may not read the drills


def test_a_player_speaks_wherever_they_may_and_drills_may_be_on(player, kubedrill):
    opted_in(player, "shop", "till")
    player.put(NAMESPACES, {"metadata": {"name": "default"}})
    may_speak_in(player, "staging", "shop", "default")
    result = kubedrill("ack")
    assert result.exit_code == 0, result.output
    assert spoken_in(player) == ["shop", "staging"]
    assert [line.split("(")[1].split("/")[0] for line in result.output.splitlines()] == ["staging", "shop"]


def test_who_may_not_list_namespaces_speaks_in_those_of_their_kubeconfig(player, kubedrill, tmp_path, monkeypatch):
    config = player.kubeconfig(tmp_path, "default", "shop", "staging", "till")
    monkeypatch.setenv("KUBECONFIG", str(config))
    player.answers["GET", NAMESPACES] = FORBIDDEN
    player.put(NAMESPACES, {"metadata": {"name": "default"}})
    player.answers["GET", f"{NAMESPACES}/till"] = FORBIDDEN  # whether it has opted in, they may not see
    may_speak_in(player, "default", "staging", "till", "away")
    result = kubedrill("ack")
    assert result.exit_code == 0
    assert spoken_in(player) == ["staging", "till"]
    assert result.stderr == (
        "Warning: Only the namespaces of your kubeconfig's contexts were looked at, for you may not list others. Say -n"
        " NAMESPACE, or have a cluster admin let you find them: kubectl create clusterrolebinding players-find"
        " --clusterrole=kubedrill-find --user=alice@example.com\n"
    )


def test_who_was_found_a_place_among_all_is_not_warned(player, kubedrill):
    may_speak_in(player, "staging")
    assert kubedrill("ack").stderr == ""


def test_a_namespace_that_may_not_have_opted_in_holds_up_no_other(player, kubedrill, tmp_path, monkeypatch):
    """Whether it has, the API server knows and the player may not see."""
    monkeypatch.setenv("KUBECONFIG", str(player.kubeconfig(tmp_path, "closed", "staging")))
    player.answers["GET", NAMESPACES] = player.answers["GET", f"{NAMESPACES}/closed"] = FORBIDDEN
    player.answers["POST", f"{GROUP}/closed/playeractions"] = FORBIDDEN
    may_speak_in(player, "closed", "staging")
    result = kubedrill("ack")
    assert (result.exit_code, spoken_in(player)) == (0, ["closed", "staging"])
    assert "(staging/acknowledge-" in result.stdout


def test_where_that_was_the_only_one_the_word_was_not_recorded(player, kubedrill, tmp_path, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(player.kubeconfig(tmp_path, "closed")))
    player.answers["GET", NAMESPACES] = player.answers["GET", f"{NAMESPACES}/closed"] = FORBIDDEN
    player.answers["POST", f"{GROUP}/closed/playeractions"] = FORBIDDEN
    may_speak_in(player, "closed")
    result = kubedrill("ack")
    assert result.exit_code == 3
    assert "Acknowledge was not recorded: no" in result.output


def test_who_may_speak_nowhere_is_told_so_and_what_to_ask_for(player, kubedrill):
    may_speak_in(player)
    result = kubedrill("ack")
    assert (result.exit_code, spoken_in(player)) == (3, [])
    assert "you may speak in none of the namespaces that have opted in to drills (staging)" in result.output
    assert "kubectl create rolebinding players -n NAMESPACE --clusterrole=kubedrill-player" in result.output


def test_who_may_not_list_namespaces_is_told_what_was_looked_at(player, kubedrill):
    player.answers["GET", NAMESPACES] = FORBIDDEN
    may_speak_in(player)
    result = kubedrill("ack")
    assert (result.exit_code, spoken_in(player)) == (3, [])
    assert "you may speak in none of your kubeconfig's namespaces (staging). Only the namespaces" in result.output
    assert "kubectl create clusterrolebinding players-find --clusterrole=kubedrill-find --user=" in result.output
    assert "no drill is on" not in result.output


def test_a_list_that_fails_otherwise_is_not_called_a_missing_right(player, kubedrill):
    player.answers["GET", NAMESPACES] = (500, {"message": "etcd is slow"})
    may_speak_in(player)
    result = kubedrill("ack")
    assert (result.exit_code, spoken_in(player)) == (3, [])
    assert "for none could be listed: etcd is slow" in result.output
    assert "kubedrill-find" not in result.output


def test_where_no_namespace_has_opted_in_that_is_said(player, kubedrill):
    player.remove(NAMESPACES, "staging")
    result = kubedrill("ack")
    assert (result.exit_code, spoken_in(player)) == (3, [])
    assert "the namespaces that have opted in to drills (there is none)" in result.output


def test_a_player_is_never_told_whether_a_drill_is_on(player, kubedrill):
    before = kubedrill("ack").output
    player.put(DRILLS, on("rush", "staging"))
    assert "drill" not in before
    assert kubedrill("ack").output.split("(")[0] == before.split("(")[0]


def test_a_namespace_may_be_named_and_then_it_is_that_alone(player, kubedrill):
    opted_in(player, "shop")
    may_speak_in(player, "shop", "staging")
    assert kubedrill("ack", "-n", "shop", "--drill", "rush").exit_code == 0
    assert spoken_in(player) == ["shop"]
    (made,) = player.bodies("POST", f"{GROUP}/shop/playeractions")
    assert made["spec"]["drill"] == "rush"


def test_what_nobody_would_hear_is_not_said(player, kubedrill):
    player.put(NAMESPACES, {"metadata": {"name": "closed"}})
    for namespace, why in (
        ("closed", "closed has not opted in to drills"),
        ("nonsuch", "there is no namespace nonsuch"),
    ):
        result = kubedrill("ack", "-n", namespace)
        assert (result.exit_code, spoken_in(player)) == (2, [])
        assert why in result.output


def test_somebody_may_speak_in_too_many_to_speak_in_all(player, kubedrill):
    names = [f"shop-{n}" for n in range(60)]
    opted_in(player, *names)
    may_speak_in(player, *names)
    result = kubedrill("ack")
    assert (result.exit_code, spoken_in(player)) == (2, [])
    assert "you may speak in 60 namespaces that have opted in: say in which with -n" in result.output


@pytest.mark.parametrize(("refusing", "hearing"), [("till", "staging"), ("staging", "till")])
def test_a_word_that_is_refused_in_one_place_is_said_elsewhere_and_then_told(player, kubedrill, refusing, hearing):
    opted_in(player, "till")
    may_speak_in(player, "staging", "till")
    player.answers["POST", f"{GROUP}/{refusing}/playeractions"] = FORBIDDEN
    result = kubedrill("ack")
    assert result.exit_code == 3
    assert f"({hearing}/acknowledge-" in result.output
    assert "Acknowledge was not recorded: no" in result.output


# ---- whoever may read the drills: a facilitator, or an admin who tries it out


@pytest.fixture
def reader(api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    """Who asks may do anything, and works in namespace default, where no drill ever is."""
    monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig(tmp_path, "default")))
    opted_in(api, "staging", "shop")
    api.put(NAMESPACES, {"metadata": {"name": "default"}})
    api.put(NAMESPACES, {"metadata": {"name": "drills", "labels": {"kubedrill.dev/control": "true"}}})
    api.collections[DRILLS] = {}
    api.reviews[SPEAK_REVIEW] = lambda _: {"status": {"allowed": True}}
    return api


def test_who_may_read_the_drills_speaks_where_the_drill_is(kubedrill, reader):
    reader.put(DRILLS, on("rush", "shop"))
    reader.put(DRILLS, drill("older", **finished("Passed")))
    reader.put(DRILLS, drill("later", phase="Held"))
    assert kubedrill("ack").exit_code == 0
    assert spoken_in(reader) == ["shop"]


def test_who_does_not_play_is_warned_that_the_word_counts_for_nobody(kubedrill, reader):
    reader.put(DRILLS, on("rush", "shop"))
    reader.collections |= {f"{GROUP}/drills/drillrosters": {}, f"{GROUP}/drills/drillenvironments": {}}
    result = kubedrill("ack")
    assert result.exit_code == 0
    assert "alice@example.com does not play in rush, so it is noted and counts for nobody" in result.stderr
    assert "Who plays: alice (no user name is known)" in result.stderr
    assert not kubedrill("note", "odd").stderr


def test_who_plays_is_not_warned_wherever_that_is_written_down(kubedrill, reader):
    named = on("rush", "shop")
    named["spec"]["players"] = [{"name": "alice"}]
    reader.put(DRILLS, named)
    person = {"name": "alice", "role": "L1", "identities": {"kubernetes": "alice@example.com"}}
    roster = {"apiVersion": "kubedrill.dev/v1alpha1", "kind": "DrillRoster", "metadata": {"name": "support"}}
    reader.put(f"{GROUP}/drills/drillrosters", roster | {"spec": {"people": [person]}})
    reader.collections[f"{GROUP}/drills/drillenvironments"] = {}
    result = kubedrill("ack")
    assert (result.exit_code, result.stderr) == (0, "")


NOT_ON = {
    "none": ([], ["ack"], "no drill is on (of those in drills)"),
    "one that is held": (
        [drill("later", phase="Held")],
        ["ack"],
        "no drill is on (of those in drills; later has not started, and what is said before counts for nothing)",
    ),
    "one that has ended": ([drill("older", **finished("Passed"))], ["ack"], "no drill is on"),
    "an unknown one": ([on("rush", "shop")], ["ack", "--drill", "nonsuch"], "there is no drill nonsuch in drills"),
    "a named one that has ended": (
        [drill("older", **finished("Passed"))],
        ["ack", "--drill", "older"],
        "older has ended (Passed: as it was)",
    ),
    "a named one that is held": ([drill("later", phase="Held")], ["ack", "--drill", "later"], "later has not started"),
    "one elsewhere": ([on("rush", "shop")], ["ack", "-n", "staging"], "no drill is on in staging"),
    "a named one elsewhere": (
        [on("rush", "shop")],
        ["ack", "-n", "staging", "--drill", "rush"],
        "rush is on in shop alone",
    ),
    "two": (
        [on("rush", "shop"), on("storm", "staging")],
        ["ack"],
        "say which drill with --drill: rush in shop, storm in staging are on",
    ),
}


@pytest.mark.parametrize(("drills", "typed", "why"), NOT_ON.values(), ids=NOT_ON)
def test_who_may_read_the_drills_is_told_where_none_is_on(kubedrill, reader, drills, typed, why):
    for thing in drills:
        reader.put(DRILLS, thing)
    result = kubedrill(*typed)
    assert (result.exit_code, spoken_in(reader)) == (2, [])
    assert why in result.output


def test_the_drills_of_a_namespace_are_those_that_it_has_opted_in_to(kubedrill, reader):
    opted_in(reader, "lab", control="lab-drills")
    elsewhere = on("own", "lab")
    reader.put(f"{GROUP}/lab-drills/drills", elsewhere)
    assert kubedrill("ack", "-n", "lab").exit_code == 0
    assert spoken_in(reader) == ["lab"]


def test_the_facilitator_may_note_something_in_the_control_namespace(kubedrill, reader):
    assert kubedrill("note", "odd", "-n", "drills").exit_code == 0
    assert spoken_in(reader) == ["drills"]
