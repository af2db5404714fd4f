from pathlib import Path

import pytest
from cluster.bases import pip_files, pip_settings, stand_in
from cluster.commands import ClusterError
from cluster.images import full_reference, request


@pytest.fixture
def context(tmp_path) -> Path:
    (tmp_path / "Containerfile").write_text("ARG BASE=python:3.13-slim\nFROM ${BASE}\nCOPY main.py /\n")
    (tmp_path / "main.py").write_text("print()\n")
    (tmp_path / "unread.txt").write_text("draft\n")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("app", "localhost/app:dev"),
        ("app:1", "localhost/app:1"),
        ("localhost/drill/app:dev", "localhost/drill/app:dev"),
        ("drill/app", "localhost/drill/app:dev"),
        ("ghcr.io/drill/app:2", "ghcr.io/drill/app:2"),
    ],
)
def test_a_name_without_a_registry_stays_on_this_machine(name, reference) -> None:
    assert full_reference(name) == reference


def test_a_change_in_a_copied_file_is_another_image(context) -> None:
    before = request("app", context, None, []).digest
    (context / "main.py").write_text("print(1)\n")
    assert request("app", context, None, []).digest != before


def test_a_change_in_a_file_that_is_not_copied_is_the_same_image(context) -> None:
    before = request("app", context, None, []).digest
    (context / "unread.txt").write_text("another draft\n")
    assert request("app", context, None, []).digest == before


def test_another_build_argument_is_another_image(context) -> None:
    assert request("app", context, None, ["A=1"]).digest != request("app", context, None, ["A=2"]).digest


def test_a_context_without_a_containerfile_is_refused(tmp_path) -> None:
    with pytest.raises(ClusterError, match="no Containerfile"):
        request("app", tmp_path, None, [])


def test_a_build_argument_needs_a_value(context) -> None:
    with pytest.raises(ClusterError, match="NAME=VALUE"):
        request("app", context, None, ["BASE"])


@pytest.mark.parametrize(
    ("public", "name"),
    [
        ("python:3.13-slim", "python"),
        ("docker.io/library/python:3.11", "python"),
        ("docker.io/library/debian:bookworm-slim", "services"),
        ("localhost/kubedrill-services", "services"),
    ],
)
def test_a_public_base_has_a_local_stand_in_whatever_its_tag(public, name) -> None:
    assert stand_in(public).name == name


def test_a_base_without_a_stand_in_is_refused_by_name() -> None:
    with pytest.raises(ClusterError, match="golang:1"):
        stand_in("golang:1.26")


def test_pip_s_environment_overrules_its_files_and_later_files_earlier_ones(tmp_path) -> None:
    first, second = tmp_path / "1.conf", tmp_path / "2.conf"
    first.write_text("[global]\ntimeout = 10\ncert = /a.pem\nretries = 2\n")
    second.write_text("[global]\ntimeout = 20\ncert = /b.pem\n")
    settings = pip_settings([first, second, tmp_path / "absent"], {"PIP_CERT": "/c.pem", "HOME": "/root"})
    assert settings == {"timeout": "20", "cert": "/c.pem", "retries": "2"}


def test_a_file_named_in_the_environment_is_pip_s_last_word_among_files() -> None:
    assert pip_files({"PIP_CONFIG_FILE": "/own.conf"}, Path("/home/a"))[-1] == Path("/own.conf")
