"""What somebody types as a name is one, or the command says that it is none; nothing is asked of the API server."""

from __future__ import annotations

import pytest
from tests.cli.conftest import SELF_REVIEW
from tests.cli.drills import drill
from tests.cli.fake_api import GROUP

from kubedrill.cli.safety.installed import KINDS
from kubedrill.cli.setup.opt_in import objects

SERVED = "/apis/kubedrill.dev/v1alpha1"
OPERATOR = "/apis/apps/v1/namespaces/drills/deployments/kubedrill"
WAYS = ("..", ".", "a/b", "../../staging/deployments/web", "a%2Fb", "a\n", "\x1b[2J")
NAMED = {
    "start": ("start",),
    "stop": ("stop",),
    "import-audit": ("import-audit", "--log", "-"),
    "doctor": ("doctor",),
    "hint": ("hint", "look", "there", "--drill"),
    "observe": ("observe", "ClientNotified", "--at", "12:00", "--drill"),
    "confirm": ("confirm", "plug", "do", "--drill"),
}
NAMESPACES = {
    "opt-in": ("opt-in",),
    "opt-out": ("opt-out",),
    "restore": ("restore", "-n"),
    "uninstall": ("uninstall", "-n"),
    "report": ("report", "storm", "-n"),
    "ack": ("ack", "-n"),
    "watch": ("watch", "storm", "-n"),
    "opt-in's control": ("opt-in", "shop", "--control-namespace"),
    "opt-in --print": ("opt-in", "--print"),
    "opt-out's control": ("opt-out", "shop", "--control-namespace"),
    "start": ("start", "storm", "-n"),
}
NO_NAMESPACES = (
    *WAYS,
    "drills,shop",
    "drills in (a)",
    'x"\nkind: ClusterRole',
    "Drills",
    "drills.",
    "d" * 64,
    "дrills",
)


# who asks, what a player says (the API server judges which drill it names), whether KubeDrill is there
HARMLESS = (
    SELF_REVIEW,
    f"{GROUP}/drills/playeractions",
    SERVED,
    OPERATOR,
    "/api/v1/namespaces/drills/secrets",
    f"{GROUP}/drills/drills",
)


@pytest.fixture(autouse=True)
def a_drill(api):
    api.put(f"{GROUP}/drills/drills", drill("storm"))
    api.collections[f"{GROUP}/drills/playeractions"] = {}
    api.answers["GET", SERVED] = (200, {"resources": [{"name": kind} for kind in KINDS]})


@pytest.mark.parametrize("name", WAYS, ids=ascii)
@pytest.mark.parametrize("command", NAMED.values(), ids=NAMED)
def test_the_name_of_a_drill_leads_nowhere_else(api, kubedrill, command, name):
    result = kubedrill(*command, name)
    assert result.exit_code == 2, result.output
    assert "name" in result.output
    assert not [path for _, path, _ in api.requests if path not in HARMLESS]


@pytest.mark.parametrize("name", WAYS, ids=ascii)
def test_a_drill_that_is_watched_is_looked_for_among_the_drills(api, kubedrill, name):
    result = kubedrill("watch", name)
    assert result.exit_code == 2
    assert result.output.startswith("Error: there is no drill ")
    assert {path for _, path, _ in api.requests} == {f"{GROUP}/drills/drills"}


@pytest.mark.parametrize("command", [("start",), ("stop",)], ids=" ".join)
def test_a_name_that_is_left_empty_is_not_every_drill(api, kubedrill, command):
    result = kubedrill(*command, "")
    assert (result.exit_code, result.output) == (2, "Error: a name is empty\n")
    assert not [r for r in api.requests if r[0] in ("PATCH", "DELETE")]


@pytest.mark.parametrize("name", NO_NAMESPACES, ids=ascii)
@pytest.mark.parametrize("command", NAMESPACES.values(), ids=NAMESPACES)
def test_a_namespace_is_one_and_no_selector_no_path_and_no_yaml(api, kubedrill, command, name):
    result = kubedrill(*command, name)
    assert result.exit_code == 2, result.output
    assert "is not the name of a namespace: use small letters, digits and '-'" in result.output
    assert api.requests == []


@pytest.mark.parametrize("name", NO_NAMESPACES, ids=ascii)
def test_the_control_namespace_of_the_environment_is_one_too(api, kubedrill, monkeypatch, name):
    monkeypatch.setenv("KUBEDRILL_NAMESPACE", name)
    result = kubedrill("start", "storm")
    assert result.exit_code == 2, result.output
    assert api.requests == []


def test_what_is_applied_for_a_namespace_is_about_that_namespace_alone():
    about = {thing["metadata"].get("namespace", thing["metadata"]["name"]) for thing in objects("shop", "drills")}
    assert about == {"shop"}


@pytest.mark.parametrize("name", WAYS, ids=ascii)
def test_a_report_that_somebody_edited_leads_to_no_other_object(api, kubedrill, name, tmp_path):
    spec = {"drill": "storm", "drillUid": "d1", "completed": "2026-03-02T12:06:00Z", "record": [name]}
    api.put(f"{GROUP}/drills/drillreports", {"metadata": {"name": "storm-d1"}, "spec": spec})
    result = kubedrill("report", "storm", "-o", str(tmp_path))
    assert result.exit_code == 2, result.output
    assert [path for _, path, _ in api.requests] == [f"{GROUP}/drills/drillreports"]
