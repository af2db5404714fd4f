"""CI runs the README's commands and nothing that a newcomer could not run."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
STEPS = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]


def test_both_commands_of_the_readme_are_run():
    commands = " ".join(step.get("run", "") for step in STEPS) + (ROOT / ".ci/run").read_text()
    assert "make demo" in commands
    assert "make test" in commands


def test_every_action_is_pinned_to_a_commit():
    used = [step["uses"] for step in STEPS if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action) for action in used)


def test_it_may_read_the_sources_and_nothing_else():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert not [job for job in WORKFLOW["jobs"].values() if "permissions" in job]


def test_every_job_ends_by_itself():
    assert all(job["timeout-minutes"] <= 90 for job in WORKFLOW["jobs"].values())


def test_every_file_that_it_names_exists():
    named = re.findall(r"(?:scenarios|tests)/[\w./-]+\.(?:yaml|sh)", " ".join(step.get("run", "") for step in STEPS))
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
