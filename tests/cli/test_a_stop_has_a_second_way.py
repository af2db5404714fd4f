"""A stop whose annotation is refused is said in the spec, and that is told; a start has no second way."""

from __future__ import annotations

from typing import Any

import pytest
from tests.cli.drills import drill, finished
from tests.cli.fake_api import GROUP

DRILLS = f"{GROUP}/drills/drills"
FULL = (
    422,
    {
        "reason": "Invalid",
        "message": "metadata.annotations: Too long: must have at most 262144 bytes",
        "details": {"causes": [{"reason": "FieldValueTooLong", "field": "metadata.annotations"}]},
    },
)
POLICY = (422, {"message": "ValidatingAdmissionPolicy 'no-annotations' denied request", "details": {"causes": [{}]}})
FORBIDDEN = (403, {"reason": "Forbidden", "message": 'User "alice" cannot patch resource "drills"'})
SPEC = {"spec": {"desired": "Stop", "stopBecause": "real incident"}}


def refuses_annotations(answer: tuple[int, dict[str, Any]]) -> Any:
    def of(method: str, _path: str, body: Any) -> tuple[int, dict[str, Any]] | None:
        return answer if method == "PATCH" and "annotations" in (body.get("metadata") or {}) else None

    return of


@pytest.mark.parametrize("refusal", [FULL, POLICY], ids=["no room for another annotation", "a policy"])
def test_a_stop_whose_annotation_is_refused_is_written_in_the_spec(api, kubedrill, refusal):
    api.put(DRILLS, drill(**finished("Stopped", phase="Stopped")))
    api.refuses = refuses_annotations(refusal)
    result = kubedrill("stop", "rush", "--because", "real incident")
    assert result.exit_code == 0
    assert api.bodies("PATCH", f"{DRILLS}/rush")[-1] == SPEC
    assert refusal[1]["message"] in result.output
    assert "so the stop stands in spec.desired" in result.output
    assert "write it in Git as well" in result.output


def test_a_stop_that_is_refused_both_ways_says_both(api, kubedrill):
    api.put(DRILLS, drill(phase="InPlay"))
    api.answers["PATCH", f"{DRILLS}/rush"] = FORBIDDEN
    result = kubedrill("stop", "rush")
    assert result.exit_code == 3
    assert "annotation kubedrill.dev/desired was refused" in result.output
    assert "and spec.desired, too" in result.output
    assert result.output.count(FORBIDDEN[1]["message"]) == 2


def test_a_start_that_is_refused_is_not_tried_in_another_way(api, kubedrill):
    api.put(DRILLS, drill())
    api.refuses = refuses_annotations(POLICY)
    assert kubedrill("start", "rush").exit_code == 2
    assert len(api.bodies("PATCH", f"{DRILLS}/rush")) == 1
