"""The dashboard loads in any Grafana and asks for nothing but what the operator exports."""

import re
from itertools import combinations

import promql_parser
import pytest
import yaml
from tests.monitoring.dashboard import MANIFESTS, dashboard, queries

VALUES = {"namespace": "drills", "drill": "morning-rush"}
PANELS = dashboard()["panels"]


@pytest.mark.parametrize("query", queries(), ids=lambda q: f"{q.panel} {q.ref}")
def test_each_query_is_promql_once_its_variables_are_filled_in(query):
    expr = query.filled(VALUES)
    assert "$" not in expr
    promql_parser.parse(expr)


@pytest.mark.parametrize("query", queries(), ids=lambda q: f"{q.panel} {q.ref}")
def test_each_query_aggregates_so_that_the_operators_own_labels_do_not_show(query):
    assert re.match(r"(max|sum|count)\b", query.expr)


def test_every_panel_says_what_it_shows():
    assert all(p["description"] and p["title"] for p in PANELS)


def test_panels_do_not_overlap_and_stay_in_the_grid():
    cells = [
        {(x, y) for x in range(g["x"], g["x"] + g["w"]) for y in range(g["y"], g["y"] + g["h"])}
        for g in (p["gridPos"] for p in PANELS)
    ]
    assert all(x < 24 for panel in cells for x, _ in panel)
    assert not [1 for a, b in combinations(cells, 2) if a & b]


def test_the_data_source_is_chosen_by_whoever_looks():
    sources = {t["datasource"]["uid"] for p in PANELS for t in [p, *p["targets"]]}
    assert sources == {"${datasource}"}


def test_its_address_never_changes():
    assert dashboard()["uid"] == "kubedrill-drill"


def test_grafanas_sidecar_finds_it_by_label():
    kustomization = yaml.safe_load((MANIFESTS / "dashboards" / "kustomization.yaml").read_text())
    assert kustomization["generatorOptions"]["labels"]["grafana_dashboard"] == "1"
    assert kustomization["configMapGenerator"][0]["files"] == ["kubedrill-drill.json"]
