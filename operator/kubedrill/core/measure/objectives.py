"""Objectives judged: the bounds of the time between two milestones, against a limit.

Bounds are [stop.notBefore − start.notAfter, stop.notAfter − start.notBefore]: Met when the upper one is
within the limit, Missed when the lower one is over it, Indeterminate when the limit lies inside.

What came before its own clock started, or before what it is about, proves nothing until the facilitator confirms it.
Only an alert may come before its clock, the effect: that monitoring saw the trouble before we did is no fault of it.

While some of a drill's evidence can't be read nothing is Missed: what was not seen may stand in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kubedrill.api.durations import format_duration
from kubedrill.core.evidence.facts import Interval, Series
from kubedrill.core.measure.alerting import NOT_OF_PEOPLE, NOTHING_KNOWN, Alerting, PeopleTold, counted_from
from kubedrill.core.measure.milestone_table import MILESTONES, Charged, of
from kubedrill.core.measure.results import By, Milestone, MilestoneName, ObjectiveResult, ObjectiveVerdict
from kubedrill.core.measure.unmeasured import why_unmeasured
from kubedrill.core.measure.windows import long_enough
from kubedrill.core.plan.drill_plan import DrillPlan, Limit

ZERO = timedelta(0)
USUAL_STEP = timedelta(seconds=1)
"""The scrape interval at which fifteen samples are waited for before a windowed milestone is called missed."""
OF_PEOPLE = frozenset(kind.name for kind in MILESTONES.values() if kind.only_people_tell)
"""Milestones of which only people can tell. That nobody did proves nothing: *Not evidenced*, not Missed. An
acknowledgement is not among them: whoever pages knows whether it was answered."""
NO_EVIDENCE = {
    MilestoneName.SEVERITY_ASSESSED.value: "no evidence: nobody named a severity that is high enough",
    MilestoneName.ESCALATION_ENGAGED.value: "no evidence: nobody of that level said that they are there",
    MilestoneName.CAUSE_IDENTIFIED.value: "no evidence: nobody named the cause",
}
"""Where something may have been said that does not count: that nobody said anything would not be true."""
WHEN_TOLD = "when people were told"
SEEN_WITHIN = timedelta(minutes=1)
"""After so long it shows in what is watched and sampled that all is well: until then a recovery may be under way."""
BY_THEMSELVES = "nobody had been told of the alert before: whoever did this noticed it by themselves"
UNREAD = "some of the drill's evidence can't be read; it may stand there"
CUT_SHORT = "play ended before the limit was up"
"""What may still have come in time is nobody's failure: whoever ended it early, and whether it was restored by then."""
CREDITED = frozenset({MilestoneName.MITIGATED, MilestoneName.RECOVERED})
"""Milestones that may be anybody's doing, so that it matters whose they were."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a judgement rests on beside the milestones, each from another source.

    `now`: the present. `ended`: when play was over, so that nothing more can come. `censored_at`: the operator's own
    first revert, after which nothing counts. `unread`: some of the drill's evidence can't be read. `alerts`: when
    people were told, and which alerts were about something else. `impact`: its samples, None where there is nothing to
    be measured; where they can't tell whether it fell, that it didn't is not said. `recovering`: all may be well
    already, and only not for long enough. `but_for_rules`: since when all is well but for alerts whose rules are not
    the planned ones, and which those are.
    """

    now: datetime
    ended: datetime | None = None
    censored_at: datetime | None = None
    unread: bool = False
    alerts: Alerting = NOTHING_KNOWN
    impact: Series | None = None
    recovering: bool = True
    but_for_rules: tuple[Interval, str] | None = None

    @property
    def horizon(self) -> datetime:
        """Nothing after this counts."""
        return min(t for t in (self.now, self.ended, self.censored_at) if t is not None)


@dataclass(frozen=True, slots=True)
class JudgedCase:
    """What is judged: the milestones by their keys, by this plan, on these grounds."""

    known: Mapping[str, Milestone]
    drill_plan: DrillPlan
    grounds: Grounds

    def unconfirmed(self, stop: str) -> timedelta:
        """For how long after its limit a windowed milestone may still turn out to have been reached in time."""
        return unconfirmed(self.drill_plan, recovering=self.grounds.recovering).get(stop, ZERO)


def limits_of(drill_plan: DrillPlan) -> tuple[Limit, ...]:
    """The monitoring's own limits, from effect to each expected alert, then the drill's objectives."""
    own = tuple(
        Limit(
            f"alert-{alert.name}",
            MilestoneName.FAULT_EFFECTIVE,
            MilestoneName.ALERT_FIRED,
            "" if alert.name == drill_plan.clock_alert else alert.name,
            alert.within,
            anyone=True,
        )
        for alert in drill_plan.alerts
        if alert.within > ZERO
    )
    return own + drill_plan.objectives


def judge(milestones: Iterable[Milestone], drill_plan: DrillPlan, grounds: Grounds) -> tuple[ObjectiveResult, ...]:
    """Each objective as it stands at `grounds.now`."""
    case = JudgedCase({m.key: m for m in milestones}, drill_plan, grounds)
    fairly = ((_fairly_judged(limit, case), limit) for limit in limits_of(drill_plan))
    judged = (_if_rules_tell(_if_measured(one, limit, case), limit, case) for one, limit in fairly)
    return tuple(_not_held_against(one) if grounds.unread else one for one in judged)


def _if_measured(judged: ObjectiveResult, limit: Limit, case: JudgedCase) -> ObjectiveResult:
    """The same, but that the impact did not fall in time is only said where it was measured."""
    impact = case.grounds.impact
    missed = judged.verdict is ObjectiveVerdict.MISSED and judged.stop == MilestoneName.MITIGATED
    if impact is None or not missed or MilestoneName.MITIGATED in case.known:
        return judged
    since = case.known[limit.start].at.not_after
    why = why_unmeasured(impact, case.drill_plan, since, min(case.grounds.horizon, since + limit.within))
    return replace(judged, verdict=ObjectiveVerdict.INDETERMINATE, lower=None, reason=why) if why else judged


def _if_rules_tell(judged: ObjectiveResult, limit: Limit, case: JudgedCase) -> ObjectiveResult:
    """The same, but that nothing recovered in time is not said where only an alert with another rule could deny it."""
    but_for = case.grounds.but_for_rules
    missed = judged.verdict is ObjectiveVerdict.MISSED and judged.stop == MilestoneName.RECOVERED
    if but_for is None or not missed or MilestoneName.RECOVERED in case.known:
        return judged
    well, why = but_for
    if well.not_before - case.known[limit.start].at.not_after > limit.within:
        return judged
    return replace(judged, verdict=ObjectiveVerdict.INDETERMINATE, lower=None, reason=why)


def unconfirmed(drill_plan: DrillPlan, *, recovering: bool) -> Mapping[str, timedelta]:
    """For how long after its limit a windowed milestone may still turn out to have been reached in time."""
    recovery = long_enough(drill_plan.recovered_window, USUAL_STEP)
    return {
        MilestoneName.MITIGATED.value: long_enough(drill_plan.impact.window, USUAL_STEP),
        MilestoneName.RECOVERED.value: (recovery if recovering else min(recovery, SEEN_WITHIN)) + drill_plan.lingers,
    }


def _not_held_against(judged: ObjectiveResult) -> ObjectiveResult:
    """The same, but that something was not seen, or not in time, proves nothing: nor how long it took at the least."""
    not_seen = judged.verdict is ObjectiveVerdict.INDETERMINATE and judged.upper is None
    if not_seen or judged.verdict in (ObjectiveVerdict.MISSED, ObjectiveVerdict.NOT_STARTED):
        return replace(judged, verdict=ObjectiveVerdict.INDETERMINATE, lower=None, reason=UNREAD)
    return judged


def _fairly_judged(limit: Limit, case: JudgedCase) -> ObjectiveResult:
    """As it stands, the monitoring's own time taken off where it would be held against people."""
    judged, alerts = _judged(limit, case), case.grounds.alerts
    if limit.to == MilestoneName.ALERT_FIRED and judged.verdict is ObjectiveVerdict.MISSED:
        return _if_it_could_fire(judged, limit, case)
    fired = case.known.get(MilestoneName.ALERT_FIRED)
    of_people = limit.start == MilestoneName.ALERT_FIRED and limit.to not in NOT_OF_PEOPLE
    if not of_people or fired is None or judged.verdict in (ObjectiveVerdict.MET, ObjectiveVerdict.PENDING):
        return judged
    if alerts.told is None and alerts.awaited_until and case.grounds.horizon < alerts.awaited_until:
        return replace(judged, verdict=ObjectiveVerdict.PENDING, reason="Alertmanager has told nobody yet")
    if alerts.told is not None and alerts.told.since == limit.to:
        # a time that is counted from its own end is none
        return replace(judged, verdict=ObjectiveVerdict.INDETERMINATE, reason=BY_THEMSELVES)
    if alerts.told is not None:
        return _judged_from(alerts.told, fired, judged, limit, case)
    if alerts.withheld and judged.verdict is ObjectiveVerdict.MISSED:
        return replace(judged, verdict=ObjectiveVerdict.INDETERMINATE, reason=f"nobody was paged: {alerts.withheld}")
    return judged


def _if_it_could_fire(judged: ObjectiveResult, limit: Limit, case: JudgedCase) -> ObjectiveResult:
    """The same of an alert that did not come in time, but held against nothing where it may not have had that time."""
    alerts = case.grounds.alerts
    why = alerts.not_ours.get(limit.level or case.drill_plan.clock_alert)
    if why is not None and why.open:
        return replace(judged, verdict=ObjectiveVerdict.INDETERMINATE, reason=why.why)
    due = case.known[limit.start].at.not_after + limit.within
    if judged.upper is None and alerts.taken_out and alerts.taken_out[0] <= due:
        told = f"{alerts.taken_out[1]}, before it was due: whether it would have fired is not known"
        return replace(judged, verdict=ObjectiveVerdict.INDETERMINATE, reason=told)
    return replace(judged, reason=why.why) if why else judged


def _judged_from(
    told: PeopleTold, fired: Milestone, judged: ObjectiveResult, limit: Limit, case: JudgedCase
) -> ObjectiveResult:
    """The same, counted from when people were told; where that is not sure, both ways must say the same."""
    if told.at.not_after <= fired.at.not_after:
        return judged
    since = replace(fired, at=told.at)
    later = _judged(replace(limit, start=WHEN_TOLD), replace(case, known={**case.known, WHEN_TOLD: since}))
    if told.sure:
        reason = "; ".join(filter(None, (later.reason, counted_from(told, fired.at))))
        return replace(later, start=told.since, reason=reason)
    if later.verdict is judged.verdict:
        return judged
    return replace(
        judged,
        verdict=ObjectiveVerdict.INDETERMINATE,
        lower=later.lower,
        reason="when people were paged is not known: the operator was told"
        f" {format_duration(timedelta(seconds=round((told.at.not_before - fired.at.not_after).total_seconds())))} after"
        " the alert. Name their receivers in the DrillEnvironment (alertmanager.receiversForPeople)",
    )


def _judged(limit: Limit, case: JudgedCase) -> ObjectiveResult:
    known, grounds = case.known, case.grounds
    stop_key = f"{limit.to}[{limit.level}]" if limit.level else limit.to
    start, stop = known.get(limit.start), known.get(stop_key)
    beside = _beside(limit, known, start)

    def result(
        verdict: ObjectiveVerdict,
        lower: timedelta | None = None,
        upper: timedelta | None = None,
        reason: str = "",
    ) -> ObjectiveResult:
        return ObjectiveResult(
            limit.name,
            limit.start,
            stop_key,
            limit.within,
            verdict,
            lower,
            upper,
            reason,
            actor=stop.actor if stop else "",
            declared=bool(stop and stop.declared),
            beside=beside,
        )

    if start is None:
        return result(ObjectiveVerdict.NOT_STARTED, reason=f"{limit.start} was not reached")
    if stop is None or not _counts(stop, grounds) or _is_automations(stop, limit):
        return result(*_unreached(limit, start, stop, case))
    lower, upper = stop.at.not_before - start.at.not_after, stop.at.not_after - start.at.not_before
    if stop.by in (By.STRANGER, By.UNKNOWN) and not limit.anyone:
        return result(
            ObjectiveVerdict.INDETERMINATE,
            lower,
            upper,
            "an unattributed change may have caused this: kubectl drill attribute",
        )
    if (stop.early or upper < ZERO) and not stop.confirmed and stop.name not in of(Charged.MONITORING):
        open_still = grounds.ended is None and grounds.now <= start.at.not_after + limit.within
        verdict = ObjectiveVerdict.PENDING if open_still else ObjectiveVerdict.INDETERMINATE
        return result(verdict, lower, upper, _early(limit, stop))
    if upper <= limit.within:
        return result(ObjectiveVerdict.MET, lower, upper)
    if lower > limit.within:
        return result(ObjectiveVerdict.MISSED, lower, upper)
    return result(ObjectiveVerdict.INDETERMINATE, lower, upper, "the limit lies inside the bounds")


def _early(limit: Limit, stop: Milestone) -> str:
    """How something was too early, and what the facilitator can say to make it count."""
    when = stop.at.not_after.strftime("%Y-%m-%dT%H:%M:%SZ")
    by = f" --by {stop.actor}" if stop.actor else ""
    level = f" --level {stop.level}" if stop.level else ""
    why = stop.early or f"before {limit.start}"
    return f"early: {why}; it counts once confirmed: kubectl drill observe {stop.name} --at {when}{by}{level}"


def _counts(stop: Milestone, grounds: Grounds) -> bool:
    if stop.by is By.OPERATOR:
        return False
    return all(end is None or stop.at.not_before <= end for end in (grounds.ended, grounds.censored_at))


def _is_automations(stop: Milestone, limit: Limit) -> bool:
    return stop.name in CREDITED and stop.by in (By.AUTOMATION, By.NOBODY) and not limit.anyone


def _unreached(
    limit: Limit, start: Milestone, stop: Milestone | None, case: JudgedCase
) -> tuple[ObjectiveVerdict, timedelta, timedelta | None, str]:
    """What never came, or not by those whose doing counts: censored, `> elapsed`."""
    grounds = case.grounds
    elapsed = max(ZERO, grounds.horizon - case.unconfirmed(limit.to) - start.at.not_after)
    over = elapsed > limit.within
    if limit.to in OF_PEOPLE:
        if over or grounds.ended:
            return (
                ObjectiveVerdict.INDETERMINATE,
                elapsed,
                None,
                NO_EVIDENCE.get(limit.to, "no evidence: nobody reported it"),
            )
        return ObjectiveVerdict.PENDING, elapsed, None, ""
    reason = _why(stop)
    if over:
        return ObjectiveVerdict.MISSED, elapsed, None, reason
    if grounds.ended or (grounds.censored_at is not None and grounds.censored_at <= grounds.now):
        return ObjectiveVerdict.INDETERMINATE, elapsed, None, reason or CUT_SHORT
    return ObjectiveVerdict.PENDING, elapsed, None, reason


def _why(stop: Milestone | None) -> str:
    if stop is None:
        return ""
    return {
        By.OPERATOR: "it came only when the drill restored everything",
        By.AUTOMATION: "it came without a player's doing: the automation's",
        By.NOBODY: "it improved without any player's action",
    }.get(stop.by, "it came after play had ended")


def _beside(limit: Limit, known: Mapping[str, Milestone], start: Milestone | None) -> dict[str, str]:
    """The request of an escalation, from the same start: asked for and come are two times."""
    asked = known.get(f"{MilestoneName.ESCALATION_REQUESTED}[{limit.level}]")
    if limit.to != MilestoneName.ESCALATION_ENGAGED or asked is None or start is None:
        return {}
    after = asked.at.not_after - start.at.not_before
    return {"requested": str(timedelta(seconds=round(after.total_seconds())))}
