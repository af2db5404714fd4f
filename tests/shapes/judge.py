"""What was really so against what the drill says of it: everything that is not as it must be, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from tests.shapes.catalogue import Play
from tests.shapes.truth import Moment, Truth

PLAYER: Final = "alice"
EARLY: Final = 1.5
"""Seconds by which something may be told before the recorder saw it: half a scrape, and the exporter's own looks."""
LATE: Final = 10.0
"""Seconds by which it may be told later: the exporter's look, a scrape, an evaluation, half the curve's width."""
MITIGATION, RESOLUTION = 60, 90
"""Seconds that people have for each."""
OF_PEOPLE: Final = ("FirstContainment", "FixApplied", "Mitigated")


@dataclass(frozen=True)
class Told:
    """What the Drill says at its end, its report's verdict, and the rules of the report's findings."""

    status: Mapping[str, Any]
    reported: str = ""
    findings: frozenset[str] = frozenset()

    @property
    def milestones(self) -> Mapping[str, Mapping[str, Any]]:
        return {one["name"]: one for one in self.status.get("milestones", ())}

    @property
    def objectives(self) -> Mapping[str, str]:
        return {one["name"]: one["verdict"] for one in self.status.get("objectives", ())}

    @property
    def verdict(self) -> str:
        return str(self.status.get("verdict", ""))

    def ended(self) -> float | None:
        """When play ended; None when nothing was ever touched."""
        return instant(self.status["endExTime"]) if self.status.get("endExTime") else None

    def between(self, milestone: str) -> tuple[float, float] | None:
        """Between which moments a milestone was; None when it was not reached."""
        found = self.milestones.get(milestone)
        return (instant(found["notBefore"]), instant(found["notAfter"])) if found else None

    def moment(self, milestone: str) -> Moment | None:
        """The same as the recorder's moments."""
        found = self.between(milestone)
        return Moment(*found) if found else None


def instant(text: str) -> float:
    """Seconds since 1970 of a time of the API."""
    return datetime.fromisoformat(text).timestamp()


def wrong(play: Play, truth: Truth, told: Told) -> list[str]:
    """All that is wrong with what is told; nothing when the drill is judged rightly."""
    if play.course == "refused":
        return list(_not_refused(told))
    if play.course == "without-effect":
        return list(_has_an_effect(told))
    if play.course == "taken-out":
        return list(_not_taken_out(truth, told))
    of_course = OF_COURSE[play.course](play, truth, told)
    return [*_out_of_order(truth, told), *_paging(play, truth, told), *_told_twice(told), *of_course]


def _not_refused(told: Told) -> Iterator[str]:
    if told.status.get("startExTime"):
        yield "it was started, though the alert can't tell of it"
    if told.verdict in ("Passed", "Failed"):
        yield f"nobody played, and its verdict is {told.verdict}"


def _has_an_effect(told: Told) -> Iterator[str]:
    if "FaultEffective" in told.milestones:
        yield f"nothing of the target was hurt: {told.milestones['FaultEffective'].get('evidence')}"
    if told.verdict in ("Passed", "Failed"):
        yield f"the fault had no effect, and the verdict is {told.verdict}"


def _not_taken_out(truth: Truth, told: Told) -> Iterator[str]:
    if truth.broke is None:
        yield "the recorder saw no trouble: this drill shows nothing"
    if told.verdict != "Error":
        yield f"a controller took the fault out, and the verdict is {told.verdict}"
    yield from (f"told to be {name}, and there was nothing to play" for name in OF_PEOPLE if told.between(name))


def _out_of_order(truth: Truth, told: Told) -> Iterator[str]:
    if truth.broke is None:
        yield "the recorder saw no trouble: this drill shows nothing"
    fired, injected = told.between("AlertFired"), told.between("Injected")
    if fired is None:
        yield f"its alert is not told to have fired: {told.status.get('message')}"
    elif injected and fired[1] < injected[0]:
        yield "the alert is told to have fired before the fault was in"
    elif truth.broke is not None and fired[1] < truth.broke.earliest - EARLY:
        yield "the alert is told to have fired before there was any trouble"
    reached = [told.between(name) for name in ("Injected", "Mitigated", "Recovered")]
    given = [one for one in reached if one is not None]
    if any(later[1] < earlier[0] for earlier, later in pairwise(given)):
        yield "injected, mitigated and recovered are told in another order"


def _paging(play: Play, truth: Truth, told: Told) -> Iterator[str]:
    """Whether and when people are told to have been paged, against what came to the pager."""
    paged = told.moment("Paged")
    if truth.paged is None and paged:
        yield "told to be Paged, and no page came"
    elif play.shape.withheld:
        yield from _not_paged(truth, told)
    elif truth.paged is None and play.shape.group_wait:
        yield "no page came: this drill shows nothing"
    elif truth.paged is not None:
        yield from _paged(truth.paged, paged)
    if play.shape.group_wait and "page-came-late" not in told.findings:
        yield f"the page came late, and no finding says so: {sorted(told.findings)}"


def _not_paged(truth: Truth, told: Told) -> Iterator[str]:
    if truth.paged is not None:
        yield "a page came, and Alertmanager was to be kept from it: this drill shows nothing"
    if "nobody-was-paged" not in told.findings:
        yield f"nobody was paged, and no finding says so: {sorted(told.findings)}"


def _paged(page: Moment, told: Moment | None) -> Iterator[str]:
    if told is None:
        yield "a page came, and it is not told to be Paged"
    elif told.latest < page.earliest - EARLY:
        yield f"Paged is told {page.earliest - told.latest:.1f} s before the page"
    elif told.earliest > page.latest + LATE:  # the operator has a webhook of its own, and may be told after the pager
        yield f"Paged is told {told.earliest - page.latest:.1f} s after the page"


def _told_twice(told: Told) -> Iterator[str]:
    if told.reported and told.reported != told.verdict:
        yield f"the Drill says {told.verdict}, its report {told.reported}"
    met = [name for name, verdict in told.objectives.items() if verdict == "Missed"]
    if met and told.verdict == "Passed":
        yield f"Passed, and {', '.join(met)} was missed"


def _fixed(play: Play, truth: Truth, told: Told) -> Iterator[str]:
    if truth.changed is None or truth.well is None:
        yield "the recorder saw no fix: this drill shows nothing"
        return
    mitigated, recovered = told.between("Mitigated"), told.between("Recovered")
    late = LATE + play.shape.keep
    if mitigated is None or recovered is None:
        yield f"it was well since the player's fix, and is told to be {'mitigated only' if mitigated else 'neither'}"
        return
    if mitigated[0] < truth.changed.earliest - EARLY:
        yield f"mitigated {truth.changed.earliest - mitigated[0]:.1f} s before the player's fix"
    if mitigated[1] > truth.well.latest + late:
        yield f"mitigated {mitigated[1] - truth.well.latest:.1f} s after it was well"
    if recovered[1] < truth.well.earliest - EARLY:
        yield f"recovered {truth.well.earliest - recovered[1]:.1f} s before it was well"
    if recovered[1] > truth.well.latest + late:
        yield f"recovered {recovered[1] - truth.well.latest:.1f} s after it was well"
    if told.milestones["Mitigated"].get("actor") != PLAYER:
        yield f"mitigated by {told.milestones['Mitigated'].get('actor') or 'nobody'}, and {PLAYER} did it"
    due = _due(play, truth.well, truth, told)
    if told.verdict not in due:
        yield f"fixed by a player, so that it must be {' or '.join(due)}, and the verdict is {told.verdict}"


def _due(play: Play, well: Moment, truth: Truth, told: Told) -> tuple[str, ...]:
    """The verdicts that may be given where a player fixed it: by whether all was well in time.

    Their time runs from the alert on, or from the page where only that told them.
    """
    since = truth.paged if play.shape.group_wait else told.moment("AlertFired")
    if since is None or well.latest - since.earliest <= MITIGATION - LATE:
        return ("Passed",)
    if well.earliest - since.latest > RESOLUTION + LATE:
        return ("Failed",)
    return ("Passed", "Inconclusive", "Failed")


def _by_nobody(play: Play, truth: Truth, told: Told) -> Iterator[str]:
    if truth.well is not None:
        yield "the recorder saw it well without anybody's doing: this drill shows nothing"
    yield from _not_over(told)
    due = "Inconclusive" if play.shape.withheld else "Failed"  # whoever is told of nothing has failed in nothing
    if told.verdict != due:
        yield f"nobody fixed it, and the verdict is {told.verdict}"


def _made_worse(_play: Play, truth: Truth, told: Told) -> Iterator[str]:
    if truth.well is not None:
        yield "the recorder saw it well, and it was made worse: this drill shows nothing"
    yield from _not_over(told)
    if told.verdict == "Passed":
        yield "made worse, and Passed"


def _healed(_play: Play, truth: Truth, told: Told) -> Iterator[str]:
    if truth.well is None:
        yield "the recorder did not see it healed: this drill shows nothing"
    for name in OF_PEOPLE:
        if told.milestones.get(name, {}).get("actor") == PLAYER:
            yield f"{name} is told of {PLAYER}, who did nothing"
    if told.objectives.get("mitigation") == "Met":
        yield "the players are said to have met mitigation, and none of them did anything"
    if told.verdict == "Passed":
        yield "healed by automation alone, and Passed"


def _scaled(_play: Play, truth: Truth, told: Told) -> Iterator[str]:
    if truth.well is None or truth.changed is not None:
        yield "the recorder did not see it scaled out with the cause in: this drill shows nothing"
    mitigated = told.milestones.get("Mitigated", {})
    if mitigated.get("by") != "Automation":
        whose = mitigated.get("by", "nobody, for it is not told")
        yield f"an autoscaler alone mitigated it, and that is told of {whose}"
    if told.between("Recovered"):
        yield "told to be Recovered, and the cause is in"
    if told.objectives.get("mitigation") == "Met":
        yield "the players are said to have met mitigation, and none of them did anything"
    if told.verdict == "Passed":
        yield "scaled out by an autoscaler alone, and Passed"


def _not_over(told: Told) -> Iterator[str]:
    yield from (f"told to be {name}, and it never was" for name in ("Mitigated", "Recovered") if told.between(name))
    yield from (
        f"{name} is told to be met, and it never was"
        for name in ("mitigation", "resolution")
        if told.objectives.get(name) == "Met"
    )


OF_COURSE: Final = {
    "fixed": _fixed,
    "early": _fixed,
    "nobody": _by_nobody,
    "healed": _healed,
    "worse": _made_worse,
    "scaled": _scaled,
}
