"""One turn: observe -> reduce -> persist -> act. Whatever woke it makes no difference.

Persist before act: evidence first, then the status with the intent of every command, then the commands. Their
outcomes come back as facts, and the next turn follows at once. A status that somebody else has changed since
it was read (409) means that this turn never was: nothing is acted upon.

A drill whose turns can't be computed or stored for good is given up: its turns then know only its records, and do
nothing but put back and end it (`give_up`). Everything that restores goes over connections of its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from kubedrill.controller.drill_sources import DrillSources
from kubedrill.controller.execute import Executor
from kubedrill.controller.gather import MEASURED, News, gather
from kubedrill.controller.gathering import FactInbox, MonitoringProbe, NamespaceWatches
from kubedrill.controller.gathering.own_records import OwnRecords
from kubedrill.controller.http_client import WebClient
from kubedrill.controller.planning import DrillPlanning
from kubedrill.controller.received import ReceivedFacts, is_kept_by
from kubedrill.controller.rehearsal import is_to_be_rehearsed, looked_into, rehearsed
from kubedrill.controller.reporting import report_name
from kubedrill.controller.settings import OperatorSettings
from kubedrill.controller.status_writer import StatusWriter
from kubedrill.core.evidence.about import About
from kubedrill.core.machine.desired import is_ending
from kubedrill.core.machine.guards import UNCHECKED
from kubedrill.core.machine.phases import TERMINAL
from kubedrill.core.machine.reasons import Reason
from kubedrill.core.machine.reducer import Decision, reduce
from kubedrill.core.machine.state import Observation, State, state_from_wire
from kubedrill.core.machine.status import project
from kubedrill.core.machine.waking import RETRY
from kubedrill.core.measure.drill_record import missing_from_times
from kubedrill.core.undo.genuine import differs, fingerprint
from kubedrill.core.undo.record import DrillIdentity, RecordState
from kubedrill.kube.client import Answer, Kube, Unreachable
from kubedrill.kube.clock import ServerClock
from kubedrill.kube.informers import Informers
from kubedrill.kube.lanes import Lane
from kubedrill.plugins.ways_in import ways_in
from kubedrill.protocol.drill_liveness import DrillLiveness, noted_in
from kubedrill.protocol.drills import drill_path, post_event
from kubedrill.store.evidence_log import Evidence
from kubedrill.store.plans import plan_name
from kubedrill.store.undo_records import list_records

LOG = logging.getLogger(__name__)
GONE_FOR = timedelta(seconds=30)
"""A Drill that every read has missed for so long is gone. One read alone may lag behind the event that told of it."""
LOOK_AGAIN = timedelta(seconds=3)
MOST_SEGMENTS = 100
"""The status names so many evidence segments, the newest; all are found by their label."""


class Turns:
    """The turns of one Drill. `over` when it needs no more; `received` is what others bring it."""

    def __init__(
        self,
        kube: Kube,
        clock: ServerClock,
        settings: OperatorSettings,
        name: str,
        uid: str,
        inbox: FactInbox,
        wake: Callable[[], None],
        informers: Informers,
    ) -> None:
        # A hundred drills that are only held must not stand in the way of one that is put back.
        turning = kube.on(Lane.TURNS)
        self._kube, self._restoring, self._telling = turning, kube.restoring, kube
        self._clock, self._settings = clock, settings
        self._name, self._uid, self._inbox = name, uid, inbox
        self._evidence = Evidence(turning, settings.namespace, name, uid)
        self.received = ReceivedFacts(self._evidence)
        web = WebClient(ways=ways_in(kube))
        self._sources = DrillSources(
            kube,
            clock,
            settings.namespace,
            self._evidence,
            inbox,
            NamespaceWatches(informers, clock, inbox, wake),
            DrillPlanning(kube, DrillIdentity(uid, name, settings.namespace)),
            OwnRecords(turning, settings.namespace, uid),
            web,
            MonitoringProbe(web.fetch, clock),
        )
        self._news: News = {}
        self._status = StatusWriter(turning)
        self._sightings = DrillLiveness()
        self._actor = Executor(kube, clock, settings)
        self._untold: list[tuple[Reason, datetime, str]] = []
        self._refusals_told: set[str] = set()
        self._unread_told: set[str] = set()
        self._missed_since: datetime | None = None
        self._cannot_go_on = ""
        self._stops: tuple[str, ...] = ()
        self._checked: datetime | None = None
        self._unchecked: dict[str, datetime] = {}
        self.over = False

    @property
    def about(self) -> About | None:
        """Which alerts are about the drill's target namespace; None before it has a plan."""
        return self._sources.planning.about

    async def once(self) -> datetime | None:
        """Runs a turn. Returns when to run the next one (None: when something happens).

        Raises:
            Unreachable: the API server did not answer, or not what was asked.
            RecordTrouble: the undo records can't be listed.
            EvidenceRefused: evidence could not be stored.
            StatusRefused: the status could not be stored.
        """
        self._checked = self._checked or self._clock.now()
        # What setting the finalizer was answered with a moment ago is the Drill as a read would give it. If it has
        # changed since, its status is refused (409) and nothing is acted upon.
        answered = self._actor.answered()
        path = drill_path(self._settings.namespace, self._name)
        answer = Answer(200, answered) if answered else await self._kube.get(path)
        identity = DrillIdentity(self._uid, self._name, self._settings.namespace)
        if self._sightings.sighted(identity, answer).gone:
            return await self._without_drill()
        self._missed_since = None
        if not answer.ok:
            raise Unreachable(f"the Drill can't be read: {answer.status} {answer.message}")
        drill = answer.body
        self._stops = stops_of(drill)
        state = self._state_of(drill)
        now, given_up = self._clock.now(), self._cannot_go_on or state.given_up
        if not is_kept_by(state):
            self.received.belong_to(None)
        stuck, waiting = self._actor.undoing.stuck(now), self._actor.waiting(now)
        seen = await gather(
            self._sources, drill, state, self._news, stuck=stuck, waiting=waiting, cannot_go_on=given_up
        )
        self.received.belong_to(None if given_up else state)
        unasked = self._unchecked
        if state.phase in MEASURED:
            seen = replace(seen, unchecked={**seen.unchecked, **unasked})
        if is_to_be_rehearsed(state, seen):
            seen = await looked_into(seen, self._sources.web)
            seen = await rehearsed(
                self._telling, drill, seen, self._sources.planning.injection, self._clock, self._actor.reverters
            )
        seen, decision = await self._decided(state, seen)
        self._actor.undoing.doubted(decision.unverified, now)
        seen = replace(seen, stuck={**seen.stuck, **decision.unverified})
        if not given_up:
            await self._evidence.store(self._news.values())
        self._news.clear()
        if not await self._persist(drill, state, seen, decision):
            return self._clock.now()
        self.received.belong_to(None if given_up else decision.state)
        self._actor.plan(self._sources.planning.injection)
        outcomes, again = await self._actor.carry_out(drill, decision, seen, self._sources.records.mine)
        self._inbox.add(outcomes)
        self._actor.undoing.proceeds()
        self._checked = min((now, *seen.unchecked.values()))
        if self._unchecked is unasked:  # else it was put back beside this turn, and the next one has to say so
            self._unchecked = {}
        self._untold += [(because, self._clock.now(), str(decision.state.since)) for because in decision.passed]
        self.over = self._is_over(decision, seen)
        if again or outcomes:
            return self._clock.now()  # what is next matters more than what is told; a quiet turn tells
        await self._tell(drill)
        await self._tell_unread(drill)
        await self._tell_stuck(drill)
        return decision.wake_at

    async def _decided(self, state: State, seen: Observation) -> tuple[Observation, Decision]:
        """The decision, and what it rests on. The plan that it commits to is stored by now; else it commits to none."""
        decision = reduce(state, seen)
        if decision.state.plan == state.plan:
            return seen, decision
        trouble = await self._sources.planning.freeze(seen)
        if trouble is None:
            return seen, decision
        seen = replace(seen, checks=(*seen.checks, trouble))
        return seen, reduce(state, seen)

    async def give_up(self, because: str) -> None:
        """From now on the turns compute and store only what puts back and ends the drill."""
        LOG.error("drill %s can't go on, it is restored and ends: %s", self._name, because)
        self._cannot_go_on = because[:500]
        await self._sources.close()

    async def put_back_anyway(self, because: str) -> None:
        """When turns keep failing, or one does not end: what must be put back must not wait for a good one.

        That is after a stop, a deletion or the deadline, when the drill was given up, and when its stop conditions
        could not be asked for too long. The outcome stands in the records; they are closed by the next good turn.

        Raises:
            Unreachable: the API server did not answer.
            RecordTrouble: the undo records can't be listed.
        """
        open_records = [n for n, r in self._sources.records.mine.items() if r.record.state is not RecordState.REVERTED]
        self._actor.undoing.held_up(open_records, because[:500], self._clock.now())
        answer = await self._restoring.get(drill_path(self._settings.namespace, self._name))
        if answer.ok:
            self._stops = stops_of(answer.body)
        self._unchecked = self._unasked()
        ending = (answer.ok and is_ending(answer.body)) or self._cannot_go_on or self._unchecked
        stored = (await list_records(self._restoring, self._settings.namespace, self._uid)).readable
        noted = noted_in(answer.body) if answer.ok else {}
        due = [
            one
            for one in stored
            if (ending or one.record.deadline <= self._clock.now())
            and not differs(fingerprint(one.record), noted.get(one.record.name, ""))
        ]
        for one in due:
            LOG.error("drill %s: its turns fail; %s is restored without one", self._name, one.record.subject)
        await asyncio.gather(*(self._actor.put_back(one) for one in due))
        if answer.ok:
            await self._tell_stuck(answer.body)

    def stuck(self) -> Mapping[str, str]:
        """The undo records that can't be put back now, and why: from memory, whatever can be written."""
        return self._actor.undoing.stuck(self._clock.now())

    async def close(self) -> None:
        """Ends the watches."""
        await self._sources.close()

    async def _persist(self, drill: dict[str, Any], state: State, seen: Observation, decision: Decision) -> bool:
        """Writes the status if it says anything new. False when the Drill has changed since it was read."""
        before = drill.get("status") or {}
        after = project(decision, seen, before)
        if not decision.state.given_up:
            after["evidence"] = self._evidence.segments[-MOST_SEGMENTS:]
        if decision.state.plan:
            name = plan_name(DrillIdentity(self._uid, self._name, self._settings.namespace), decision.state.plan)
            after["plan"] = {"name": name, "hash": decision.state.plan}
        if decision.state.reported:
            after["reportName"] = report_name(drill)
        if not await self._status.write(drill, after):
            return False
        for because in decision.passed:
            LOG.info("drill %s: %s -> %s: %s", self._name, state.phase, decision.state.phase, because.message)
        return True

    async def _tell(self, drill: dict[str, Any]) -> None:
        """Events for people, after what matters was done."""
        while self._untold:
            because, at, since = self._untold.pop(0)
            await post_event(
                self._telling,
                drill,
                because.reason,
                because.message,
                at,
                warning=bool(because.ending and because.ending.verdict),
                once=since,
            )

    async def _tell_unread(self, drill: dict[str, Any]) -> None:
        """One warning for each segment of evidence that can't be read: times that rest on it are missing."""
        for trouble in set(self._evidence.unread) - self._unread_told:
            told = missing_from_times(trouble)
            await post_event(self._telling, drill, "EvidenceUnread", told, self._clock.now(), warning=True)
        self._unread_told = set(self._evidence.unread)

    async def _tell_stuck(self, drill: dict[str, Any]) -> None:
        """One warning for each undo that is stuck and each reason."""
        now = self._clock.now()
        for name, trouble in self._actor.undoing.untold(now).items():
            await post_event(self._telling, drill, "CannotPutBack", f"undo record {name}: {trouble}", now, warning=True)
            self._actor.undoing.told(name, trouble)
        for message in set(self._actor.refusals.values()) - self._refusals_told:
            await post_event(self._kube, drill, "Refused", message, now, warning=True)
        self._refusals_told = set(self._actor.refusals.values())

    async def _without_drill(self) -> datetime | None:
        """The Drill is gone (forced): whatever it has left is put back, and nobody is left to be told.

        Nor is anything to be seen any more: until it is sure that it is gone no watch stands for it.
        """
        await self._sources.close()
        self.received.belong_to(None)
        records = await list_records(self._restoring, self._settings.namespace, self._uid)
        await asyncio.gather(*(self._actor.put_back_orphan(stored) for stored in records.readable))
        now = self._clock.now()
        self._actor.undoing.doubted({one.ref.name: one.why for one in records.unreadable}, now)
        self._missed_since = self._missed_since or now
        self.over = not records and now - self._missed_since >= GONE_FOR
        return self._soon() if records.readable else now + LOOK_AGAIN

    def _state_of(self, drill: Mapping[str, Any]) -> State:
        """The state as it was stored. One that can't be read at all is none, once the drill was given up for it."""
        try:
            return state_from_wire((drill.get("status") or {}).get("machine"))
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            if not self._cannot_go_on:
                raise
            LOG.warning("drill %s: its state can't be read, what its records tell counts: %r", self._name, error)
            return State()

    def _unasked(self) -> dict[str, datetime]:
        """The stop conditions that nobody could ask for too long, because no turn succeeds, and since when."""
        since = self._checked
        if since is None or self._clock.now() - since < UNCHECKED:
            return {}
        return dict.fromkeys(self._stops, since)

    def _is_over(self, decision: Decision, seen: Observation) -> bool:
        ended = decision.state.phase in TERMINAL and decision.wake_at is None
        return ended and not decision.commands and not seen.deleting

    def _soon(self) -> datetime:
        return self._clock.now() + RETRY


def stops_of(drill: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of a Drill's stop conditions."""
    return tuple(str(c.get("name", "")) for c in (drill.get("spec") or {}).get("stopWhen") or ())
