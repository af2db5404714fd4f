"""Each alert of the shapes fires while two of the shop's three pods are missing, and only then: so says promtool."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.shapes.catalogue import COURSES, Play, shapes
from tests.shapes.exporter import WHOLE, Seen, Shop
from tests.shapes.monitoring import manifests, prometheus, rules
from tests.shapes.paging import alertmanager

PLAYS = [Play(shape, shape.courses[0]) for shape in shapes() if shape.courses[0] in COURSES]
BROKEN = range(60, 120)
SECONDS = 180


def courses_of(play: Play) -> Iterator[tuple[int, str, float]]:
    """Every second of every series that its Prometheus would have."""
    shop = Shop()
    for second in range(SECONDS):
        available = 1 if second in BROKEN else WHOLE
        shop.goes_on(1, available)
        answers = [number < available for number in range(WHOLE)]
        waits = [(f"app-{n}", up, 0, "" if up else "CrashLoopBackOff") for n, up in enumerate(answers)]
        for name, labels, value in shop.figures(Seen(WHOLE, available, tuple(waits))):
            told = labels | {"namespace": play.namespace, "job": "shops"}
            yield second, series(name, told), value
            foreign = labels | {"exported_namespace": play.namespace, "namespace": "elsewhere"}
            yield second, series(name, foreign | {"job": "shops-unhonoured"}), value
        for number, up in enumerate(answers):
            pod = {"job": "pods", "namespace": play.namespace, "instance": f"10.0.0.{number}:8000"}
            yield second, series("up", pod), float(up)


def series(name: str, labels: dict[str, str]) -> str:
    return f"{name}{{{','.join(f'{key}={value!r}' for key, value in labels.items())}}}".replace("'", '"')


def trial_of(play: Play) -> dict[str, Any]:
    """A test of its alert, as promtool takes it."""
    values: dict[str, list[str]] = defaultdict(lambda: ["_"] * SECONDS)
    for second, name, value in courses_of(play):
        values[name][second] = f"{value:g}"
    firing = f'(count(ALERTS{{alertname="{play.alert}",alertstate="firing"}}) > bool 0) or vector(0)'
    expected = [(50, 0), (115, 1), (175, 0)]
    return {
        "interval": "1s",
        "input_series": [{"series": name, "values": " ".join(gone(course))} for name, course in values.items()],
        "promql_expr_test": [
            {"expr": firing, "eval_time": f"{at}s", "exp_samples": [{"labels": "{}", "value": value}]}
            for at, value in expected
        ],
    }


def gone(course: list[str]) -> Iterator[str]:
    """The values of a series, with the mark that a scrape sets when it has it no more."""
    for now, before in zip(course, ["_", *course], strict=False):
        yield "stale" if now == "_" != before else now


def tool(folder: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.shape.name)
def test_it_fires_then_and_only_then(play: Play, tmp_path: Path):
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rules([play])), encoding="utf-8")
    test = {"rule_files": ["rules.yml"], "evaluation_interval": "1s", "tests": [trial_of(play)]}
    (tmp_path / "test.yml").write_text(yaml.safe_dump(test), encoding="utf-8")
    tool(tmp_path, "promtool", "test", "rules", "test.yml")


def test_prometheus_takes_the_whole_configuration(tmp_path: Path):
    said = prometheus(PLAYS) | {"rule_files": ["rules.yml"]}
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(said), encoding="utf-8")
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rules(PLAYS)), encoding="utf-8")
    (items,) = [yaml.safe_load(manifests(PLAYS, {}))["items"]]
    assert {item["kind"] for item in items} >= {"ConfigMap", "Deployment", "Service"}
    tool(tmp_path, "promtool", "check", "config", "--syntax-only", "prometheus.yml")


def test_alertmanager_takes_the_whole_configuration(tmp_path: Path):
    (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(alertmanager(PLAYS)), encoding="utf-8")
    tool(tmp_path, "amtool", "check-config", "alertmanager.yml")
