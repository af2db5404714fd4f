"""One turn: observe -> reduce -> persist -> act. Whatever woke it makes no difference.

Persist before act: evidence first, then the status with the intent of every command, then the commands. Their
outcomes come back as facts, and the next turn follows at once. A status that somebody else has changed since
it was read (409) means that this turn never was: nothing is acted upon.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from kubedrill.core.machine import RETRY, Decision, reduce
from kubedrill.core.phases import TERMINAL
from kubedrill.core.state import Observation, State, state_from_wire
from kubedrill.core.summary import project, worth_writing
from kubedrill.kube.client import Kube
from kubedrill.protocol.records import list_records
from kubedrill.shell.acting import Actor, put_back, revert_orphan
from kubedrill.shell.clock import ServerClock
from kubedrill.shell.drills import drill_path, post_event, write_status
from kubedrill.shell.evidence import Evidence
from kubedrill.shell.observation import Observer
from kubedrill.shell.observers import FactInbox
from kubedrill.shell.reporting import report_name
from kubedrill.shell.settings import Settings

LOG = logging.getLogger(__name__)


class Turns:
    """The turns of one Drill. `over` when it needs no more."""

    def __init__(
        self, kube: Kube, clock: ServerClock, settings: Settings, name: str, uid: str, inbox: FactInbox,
        wake: Callable[[], None],
    ) -> None:
        self._kube, self._clock, self._settings = kube, clock, settings
        self._name, self._uid, self._inbox = name, uid, inbox
        self._evidence = Evidence(kube, settings.namespace, name, uid)
        self._observer = Observer(kube, clock, settings, self._evidence, inbox, wake)
        self._actor = Actor(kube, clock, settings, self._evidence)
        self.over = False

    async def once(self) -> datetime | None:
        """Runs a turn. Returns when to run the next one (None: when something happens).

        Raises:
            Unreachable: the API server did not answer.
            EvidenceRefused: evidence could not be stored.
        """
        answer = await self._kube.get(drill_path(self._settings.namespace, self._name))
        if answer.status == 404 or (answer.ok and answer.body["metadata"]["uid"] != self._uid):
            return await self._without_drill()
        if not answer.ok:
            LOG.warning("drill %s can't be read: %s %s", self._name, answer.status, answer.message)
            return self._soon()
        drill = answer.body
        state = state_from_wire((drill.get("status") or {}).get("machine"))
        await self._evidence.load()
        seen = await self._observer.observe(drill, state, self._actor.stuck, self._actor.waiting)
        decision = reduce(state, seen)
        await self._evidence.store(self._observer.raw.values())
        self._observer.raw.clear()
        if not await self._persist(drill, state, seen, decision):
            return self._clock.now()
        self._actor.plan(self._observer.operations)
        outcomes, again = await self._actor.carry_out(drill, decision, seen, self._observer.records)
        self._inbox.add(outcomes)
        await self._tell(drill, decision)
        self.over = self._is_over(decision, seen)
        return self._clock.now() if again or outcomes else decision.wake_at

    async def put_back_anyway(self) -> None:
        """When turns keep failing: a stop, a deletion or the deadline must not wait for a good one.

        The outcome stands in the records; they are closed by the next good turn.
        """
        answer = await self._kube.get(drill_path(self._settings.namespace, self._name))
        spec, meta = answer.body.get("spec") or {}, answer.body.get("metadata") or {}
        ending = answer.ok and (meta.get("deletionTimestamp") or spec.get("desired") == "Stop")
        for stored in await list_records(self._kube, self._settings.namespace, self._uid):
            if ending or stored.record.deadline <= self._clock.now():
                LOG.error("drill %s: its turns fail; %s is put back without one", self._name, stored.record.subject)
                await put_back(self._kube, stored, self._clock)

    async def close(self) -> None:
        """Ends the watches."""
        await self._observer.close()

    async def _persist(self, drill: dict[str, Any], state: State, seen: Observation, decision: Decision) -> bool:
        """Writes the status if it says anything new. False when the Drill has changed since it was read."""
        before = drill.get("status") or {}
        after = project(decision, seen, before) | {"evidence": self._evidence.segments}
        if decision.state.reported:
            after["reportName"] = report_name(drill)
        if not worth_writing(before, after):
            return True
        answer = await write_status(self._kube, drill, after)
        if answer.status in (404, 409):
            return False
        if not answer.ok:
            LOG.error("drill %s: its status was refused: %s %s", self._name, answer.status, answer.message)
            return False
        drill["metadata"]["resourceVersion"] = answer.body["metadata"]["resourceVersion"]
        for because in decision.passed:
            LOG.info("drill %s: %s -> %s: %s", self._name, state.phase, decision.state.phase, because.message)
        return True

    async def _tell(self, drill: dict[str, Any], decision: Decision) -> None:
        """Events for people, after what matters was done."""
        for because in decision.passed:
            await post_event(self._kube, drill, because.reason, because.message, self._clock.now(),
                             warning=bool(because.ending and because.ending.verdict))

    async def _without_drill(self) -> datetime | None:
        """The Drill is gone (forced): whatever it has left is put back, and nobody is left to be told."""
        records = await list_records(self._kube, self._settings.namespace, self._uid)
        for stored in records:
            await revert_orphan(self._kube, stored, self._clock)
        self.over = not records
        return self._soon() if records else None

    def _is_over(self, decision: Decision, seen: Observation) -> bool:
        ended = decision.state.phase in TERMINAL and decision.wake_at is None
        return ended and not decision.commands and not seen.deleting

    def _soon(self) -> datetime:
        return self._clock.now() + RETRY
