"""A cluster on a busy machine answers late: it is waited for, and not made anew with all that is in it."""

import json
from pathlib import Path

import pytest
from cluster.commands import Runner
from cluster.kind import Kind
from cluster.settings import Folders

READY = json.dumps(
    {
        "items": [
            {
                "metadata": {"name": "a"},
                "status": {"conditions": [{"type": "Ready", "status": "True"}], "nodeInfo": {"kubeletVersion": "v1"}},
            }
        ]
    }
)


@pytest.fixture
def kind(tmp_path: Path):
    """kind over a kubectl whose answers a test says: a shell script, by its first word."""

    def made(get: str, wait: str) -> Kind:
        folders = Folders(tmp_path)
        folders.kubeconfig.write_text("there")
        kubectl = tmp_path / "kubectl"
        kubectl.write_text(f"#!/bin/sh\ncase $3 in get) {get};; wait) {wait};; esac\n")
        kubectl.chmod(0o755)
        return Kind(folders, Runner(tmp_path / "log", {"PATH": f"{tmp_path}:/usr/bin:/bin"}), "docker")

    return made


def test_one_that_answers_at_once_is_healthy(kind) -> None:
    assert kind(f"echo '{READY}'", "exit 1").is_healthy(60)


def test_one_that_answers_late_is_healthy_to_whoever_waits(kind) -> None:
    late = kind("exit 1", "exit 0")
    assert (late.is_healthy(), late.is_healthy(60)) == (False, True)


def test_one_that_does_not_answer_in_time_is_lost(kind) -> None:
    assert not kind("exit 1", "exit 1").is_healthy(60)
