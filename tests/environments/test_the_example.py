"""The scenario of the demo is the example: its drill says neither where monitoring is nor who the people are."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import yaml
from tests.environments.builders import resolved
from tests.undo.builders import NOON

from kubedrill.api.drill import Drill
from kubedrill.api.environment import DrillEnvironment
from kubedrill.api.roster import DrillRoster
from kubedrill.cli.manifest import load, the_drill_in
from kubedrill.core.plan.drill_plan import Endpoint
from kubedrill.core.plan.setting import DrillSetting
from kubedrill.plugins.sources.alert_routes import AlertRoutes
from kubedrill.plugins.webhook_addresses import ALERTMANAGER, ends_of

FOLDER: Final = Path(__file__).parents[2] / "scenarios/morning-rush"
DOCUMENTS: Final = load([str(FOLDER / f"{name}.yaml") for name in ("environment", "roster", "scenario", "drill")])


def the_drill() -> Drill:
    return the_drill_in(DOCUMENTS)[1]


def test_the_drill_itself_says_neither():
    written = the_drill().spec.to_wire()

    assert "monitoring" not in {name for name, said in written.items() if said}
    assert written["players"] == [{"name": "alice"}, {"name": "emma"}, {"name": "tom"}]


def test_the_files_beside_it_say_both():
    beside = [d.model for d in DOCUMENTS if isinstance(d.model, DrillEnvironment | DrillRoster)]
    setting = resolved(the_drill().spec, *beside)

    assert isinstance(setting, DrillSetting)
    assert (setting.environment, setting.roster) == ("staging", "support")
    assert (setting.prometheus, setting.alertmanager) == (
        Endpoint("staging", "prometheus", 9090),
        Endpoint("staging", "alertmanager", 9093),
    )
    assert {(p.name, p.role, p.kind, p.kubernetes) for p in setting.players} == {
        ("alice", "L1", "Script", "alice@example.com"),
        ("emma", "L2", "Script", "emma@example.com"),
        ("tom", "Engineering", "Script", "tom@example.com"),
    }


def test_whoever_is_paged_is_told_of_in_the_same_breath():
    """The receiver that pages people tells the operator, too, and the environment names it: so a page is Paged."""
    text = (FOLDER / "app/manifests/alertmanager.yml").read_text(encoding="utf-8").replace("@NAMESPACE@", "staging")
    routes = AlertRoutes(text)
    (named,) = (d.model for d in DOCUMENTS if isinstance(d.model, DrillEnvironment))
    assert named.spec.alertmanager is not None
    people = set(named.spec.alertmanager.receivers_for_people)
    paged = {one.receiver for one in routes.deliveries({"alertname": "HighQueueDepth", "severity": "page"}, NOON)}
    urls = {
        receiver["name"]: [hook["url"] for hook in receiver["webhook_configs"]]
        for receiver in yaml.safe_load(text)["receivers"]
    }

    assert paged == people == {"pager"}
    assert [url.rsplit("/", 2)[1:] for url in urls["pager"]] == [
        ["page-sink:8080", "page"],
        ["alertmanager", "staging"],
    ]
    assert routes.reaches_people("pager", ends_of(ALERTMANAGER, "staging"))
