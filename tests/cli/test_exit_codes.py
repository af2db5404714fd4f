"""The exit code tells CI how a drill ended."""

import pytest
from tests.cli.drills import drill, finished

from kubedrill.cli.exit_codes import ExitCode, exit_code


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        ("Passed", ExitCode.PASSED),
        ("Failed", ExitCode.MISSED),
        ("Stopped", ExitCode.STOPPED),
        ("Error", ExitCode.ERROR),
        ("Inconclusive", ExitCode.INCONCLUSIVE),
    ],
)
def test_each_verdict_has_a_code_of_its_own(verdict, code):
    assert exit_code(drill(**finished(verdict))) == code


def test_an_error_before_anything_was_touched_is_a_refusal():
    assert exit_code(drill(**finished("Error", started=False))) == ExitCode.REFUSED


@pytest.mark.parametrize("verdict", ["Passed", "Failed", "Stopped", "Error"])
def test_a_cluster_that_is_not_put_back_outweighs_the_verdict(verdict):
    assert exit_code(drill(**finished(verdict, restored=False))) == ExitCode.NOT_RESTORED


def test_the_numbers_are_those_that_are_published():
    assert {c.name: c.value for c in ExitCode} == {
        "PASSED": 0,
        "MISSED": 1,
        "BAD_INPUT": 2,
        "REFUSED": 3,
        "STOPPED": 4,
        "ERROR": 5,
        "NOT_RESTORED": 6,
        "INCONCLUSIVE": 7,
    }
