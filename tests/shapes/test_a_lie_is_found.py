"""The judge of the shapes: what is told rightly passes, and each lie of the field cases is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.shapes.catalogue import Play, Shape
from tests.shapes.exporter import Seen, Shop, line
from tests.shapes.judge import Told, wrong
from tests.shapes.recorder import Look, seen
from tests.shapes.truth import Moment, Truth, truth_of

BELOW = Shape("below", "deploy_available < 3", ("fixed",), worse="delete")
QUEUE = Shape("queue", "shop_queue_depth > 50", ("fixed",), trouble={"figure": "shop_queue_depth", "above": 50})
BROKE, FIXED, WELL, END = 110.0, 130.0, 140.0, 170.0


def then(second: float) -> Moment:
    return Moment(second, second + 0.2)


TRUTH = Truth(then(BROKE), then(FIXED), then(WELL))
STANDS = Truth(then(BROKE), None, None)


def at(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def told(verdict: str = "Passed", *, reported: str = "", **reached: Any) -> Told:
    """What a Drill says; each milestone at a second, at one with its actor, or at one with whatever else is told."""
    given = {"Injected": 108, "AlertFired": 113} | reached
    milestones = []
    for name, value in given.items():
        one = dict(zip(("second", "actor"), value if isinstance(value, tuple) else (value,), strict=False))
        one = value if isinstance(value, dict) else one
        if (second := one["second"]) is not None:
            milestones.append(one | {"name": name, "notBefore": at(second - 1), "notAfter": at(second + 1)})
    status = {"verdict": verdict, "milestones": milestones, "startExTime": at(100), "endExTime": at(END)}
    return Told(status, reported)


def judged(course: str, truth: Truth, said: Told, shape: Shape = BELOW) -> str:
    return "; ".join(wrong(Play(shape, course), truth, said))


def test_a_drill_that_was_fixed_and_says_so_is_judged_rightly():
    assert judged("fixed", TRUTH, told(Mitigated=(138, "alice"), Recovered=141, reported="Passed")) == ""


def test_a_drill_that_nobody_fixed_and_says_so_is_judged_rightly():
    assert judged("nobody", STANDS, told("Failed")) == ""
    assert judged("worse", STANDS, told("Failed")) == ""
    assert judged("worse", STANDS, told("Inconclusive")) == ""


def test_a_drill_that_automation_healed_is_credited_to_nobody():
    assert judged("healed", TRUTH, told("Inconclusive", Mitigated=138, Recovered=141)) == ""
    assert "told of alice" in judged("healed", TRUTH, told("Inconclusive", Mitigated=(138, "alice"), Recovered=141))
    assert "Passed" in judged("healed", TRUTH, told("Passed", Mitigated=138, Recovered=141))


@pytest.mark.parametrize(
    ("said", "lie"),
    [
        (told(Mitigated=(112, "alice"), Recovered=141), "before the player's fix"),
        (told(Mitigated=(138, "alice"), Recovered=125), "before it was well"),
        (told(Mitigated=(138, "alice"), Recovered=165), "after it was well"),
        (told("Failed"), "told to be neither"),
        (told("Failed", Mitigated=(138, "alice"), Recovered=141), "the verdict is Failed"),
        (told(Mitigated=138, Recovered=141), "mitigated by nobody"),
        (told(Mitigated=(138, "alice"), Recovered=141, reported="Inconclusive"), "its report Inconclusive"),
        (told(Mitigated=(138, "alice"), Recovered=141, AlertFired=100), "fired before the fault was in"),
        (told(Mitigated=(138, "alice"), Recovered=141, AlertFired=None), "not told to have fired"),
    ],
)
def test_a_lie_about_what_was_fixed_is_found(said: Told, lie: str):
    assert lie in judged("fixed", TRUTH, said)


@pytest.mark.parametrize("course", ["nobody", "worse"])
def test_b16_what_never_got_well_is_neither_mitigated_nor_recovered(course: str):
    assert "told to be Mitigated" in judged(course, STANDS, told("Failed", Mitigated=(138, "alice")))
    assert "told to be Recovered" in judged(course, STANDS, told("Failed", Recovered=150))
    assert judged(course, STANDS, told("Passed"))


def test_b1_and_b8_what_must_be_refused_is_not_started():
    assert "it was started" in judged("refused", STANDS, told("Failed"))
    assert judged("refused", STANDS, Told({"phase": "Aborted"})) == ""


def test_c10_a_neighbour_that_is_killed_is_no_effect():
    assert "nothing of the target was hurt" in judged("without-effect", STANDS, told("", FaultEffective=112))
    assert judged("without-effect", STANDS, Told({"verdict": "Error"})) == ""


SILENCED = Shape("silenced", "deploy_available < 3", ("nobody",), withheld="silence")
LATE_PAGE = Shape("paged-late", "deploy_available < 3", ("fixed",), group_wait=65)
PAGE = replace(TRUTH, paged=then(115))


def with_findings(said: Told, *rules: str) -> Told:
    return replace(said, findings=frozenset(rules))


def test_b13_where_nobody_was_paged_a_finding_says_so_and_nobody_failed():
    right = with_findings(told("Inconclusive"), "nobody-was-paged")
    assert judged("nobody", STANDS, right, SILENCED) == ""
    assert "no finding says so" in judged("nobody", STANDS, told("Inconclusive"), SILENCED)
    assert "the verdict is Failed" in judged("nobody", STANDS, with_findings(told("Failed"), "x"), SILENCED)
    assert "shows nothing" in judged("nobody", replace(STANDS, paged=then(115)), right, SILENCED)


def test_b14_a_page_is_told_when_it_came_and_that_it_came_late():
    fixed: dict[str, Any] = {"Mitigated": (138, "alice"), "Recovered": 141}
    right = with_findings(told(**fixed, Paged=115), "page-came-late")
    assert judged("fixed", PAGE, right, LATE_PAGE) == ""
    assert "no finding says so" in judged("fixed", PAGE, told(**fixed, Paged=115), LATE_PAGE)
    assert "not told to be Paged" in judged("fixed", PAGE, told(**fixed))
    assert "s after the page" in judged("fixed", PAGE, told(**fixed, Paged=128))
    assert "s before the page" in judged("fixed", PAGE, told(**fixed, Paged=112))
    assert "no page came" in judged("fixed", TRUTH, told(**fixed, Paged=115))
    assert "shows nothing" in judged("fixed", TRUTH, told(**fixed), LATE_PAGE)


def test_what_an_autoscaler_mitigates_alone_is_told_of_automation_and_is_not_over():
    scaled_out = Truth(then(BROKE), None, then(WELL))
    right = told("Failed", Mitigated={"second": 138, "by": "Automation"})
    assert judged("scaled", scaled_out, right) == ""
    assert "told of Player" in judged("scaled", scaled_out, told("Failed", Mitigated={"second": 138, "by": "Player"}))
    assert "told of nobody" in judged("scaled", scaled_out, told("Failed"))
    recovered = told("Failed", Mitigated={"second": 138, "by": "Automation"}, Recovered=141)
    assert "told to be Recovered" in judged("scaled", scaled_out, recovered)
    assert "shows nothing" in judged("scaled", TRUTH, right)


def test_a_fix_that_comes_too_late_is_none_in_time():
    late = replace(TRUTH, changed=then(210), well=then(220))
    fixed: dict[str, Any] = {"Mitigated": (218, "alice"), "Recovered": 221}
    assert judged("fixed", late, told("Failed", **fixed)) == ""
    assert "it must be Failed" in judged("fixed", late, told("Passed", **fixed))
    close = replace(TRUTH, changed=then(170), well=then(176))
    assert judged("fixed", close, told("Failed", Mitigated=(174, "alice"), Recovered=177)) == ""


def test_where_the_page_alone_tells_of_it_the_time_runs_from_the_page():
    late = replace(TRUTH, paged=then(180), changed=then(185), well=then(190))
    fixed: dict[str, Any] = {"Mitigated": (188, "alice"), "Recovered": 191, "Paged": 180}
    assert judged("fixed", late, with_findings(told(**fixed), "page-came-late"), LATE_PAGE) == ""
    assert "it must be Passed" in judged("fixed", late, with_findings(told("Failed", **fixed), "x"), LATE_PAGE)


def test_who_is_quicker_than_the_effect_is_judged_as_everybody():
    assert judged("early", TRUTH, told(Mitigated=(138, "alice"), Recovered=141)) == ""
    assert "the verdict is Error" in judged("early", TRUTH, told("Error", Mitigated=(138, "alice"), Recovered=141))


def test_a_page_of_before_the_drill_is_none_of_it():
    before, later = {"available": 1.0, "pages_total": 1.0}, {"available": 1.0, "pages_total": 2.0}
    assert truth_of(Play(BELOW, "nobody"), looks(("24Mi", before), ("24Mi", before)), 200).paged is None
    assert truth_of(Play(BELOW, "nobody"), looks(("24Mi", before), ("24Mi", later)), 200).paged == Moment(100, 101.2)


def test_c12_what_a_controller_took_out_is_an_error_of_the_drill():
    assert judged("taken-out", TRUTH, told("Error")) == ""
    assert "the verdict is Failed" in judged("taken-out", TRUTH, told("Failed"))
    assert "told to be Mitigated" in judged("taken-out", TRUTH, told("Error", Mitigated=(138, "alice")))


def test_a_drill_in_which_nothing_was_recorded_shows_nothing():
    assert "shows nothing" in judged("fixed", Truth(None, None, None), told("Passed"))
    assert "shows nothing" in judged("nobody", TRUTH, told("Failed"))


def looks(*figures: tuple[str, dict[str, float]]) -> list[Look]:
    return [Look(100.0 + n, 100.2 + n, told_, limit) for n, (limit, told_) in enumerate(figures)]


def test_the_truth_is_what_the_recorder_saw_from_the_fault_to_the_end_of_play():
    well, ill = {"available": 3.0}, {"available": 1.0}
    seen_ = looks(("80Mi", well), ("24Mi", well), ("24Mi", ill), ("80Mi", ill), ("80Mi", well), ("80Mi", well))
    assert truth_of(Play(BELOW, "fixed"), seen_, 200) == Truth(
        Moment(101, 102.2), Moment(102, 103.2), Moment(103, 104.2)
    )
    assert truth_of(Play(BELOW, "fixed"), seen_, 103.5) == Truth(Moment(101, 102.2), Moment(102, 103.2), None)
    assert truth_of(Play(BELOW, "fixed"), looks(("80Mi", well)), 200) == Truth(None, None, None)


def test_a_figure_that_is_not_there_is_no_sign_of_health():
    seen_ = looks(("24Mi", {"shop_queue_depth": 90.0}), ("24Mi", {"available": 3.0}))
    assert truth_of(Play(QUEUE, "worse"), seen_, 200).well is None


def test_what_the_exporter_tells_the_recorder_reads():
    shop = Shop()
    shop.goes_on(1, available=3)
    shop.goes_on(10, available=1)
    figures = "\n".join(
        line(one, "shop") for one in shop.figures(Seen(3, 1, (("app-1", False, 2, "CrashLoopBackOff"),)))
    )
    container = {"name": "app", "resources": {"limits": {"memory": "24Mi"}}}
    thing = {
        "metadata": {"name": "app", "namespace": "shop"},
        "spec": {"replicas": 3, "template": {"spec": {"containers": [container]}}},
        "status": {"availableReplicas": 1},
    }
    told_, limit = seen([thing], figures)["shop"]
    assert (told_["available"], told_["shop_queue_depth"], limit) == (1, 240, "24Mi")
    assert "shop_heartbeat" not in told_


def test_nobody_waits_before_a_shop_has_opened():
    shop = Shop()
    shop.goes_on(10, available=1)
    assert (shop.queue, shop.requests) == (0, 0)


def test_a_shop_without_its_deployment_has_no_pods():
    figures = "\n".join(line(one, "shop") for one in Shop().figures(Seen(0, 0, exists=False)))
    told_, limit = seen([], figures)["shop"]
    assert (told_["available"], limit) == (0, "")
    assert "deploy_available" not in told_
