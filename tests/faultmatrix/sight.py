"""What a story sees of its plan: phases, records and targets as the witness saw them, not as the operator tells."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final

from tests.faultmatrix import made, shapes
from tests.faultmatrix.kubelet import FAULTED
from tests.faultmatrix.plan import Plan
from tests.faultmatrix.rigging import Rigging
from tests.faultmatrix.witness import Sighting, Witness

from kubedrill.core.machine.phases import TERMINAL

ENDED: Final = {p.value for p in TERMINAL}


class Sight:
    """The view of one plan. `name` is the Drill that is spoken of where none is named."""

    def __init__(self, plan: Plan, name: str, witness: Witness) -> None:
        self.plan, self.name, self.witness = plan, name, witness
        self.rigging = Rigging(plan)

    def phase(self, name: str = "") -> str:
        """The Drill's phase as it was last seen; `Gone` when it is."""
        seen = self.witness.of("drill", name or self.name)
        if not seen:
            return ""
        return "Gone" if seen[-1].event == "DELETED" else str(seen[-1].value[0] or "Pending")

    def ended(self, name: str = "") -> bool:
        """Whether the drill is over."""
        return self.phase(name) in {*ENDED, "Gone"}

    def in_play(self) -> bool:
        """In play, or over already."""
        return self.phase() == "InPlay" or self.ended()

    def reached(self, milestone: str) -> bool:
        """Whether the Drill's status has told of a milestone."""
        return any(milestone in one.value[3] for one in self.witness.of("drill", self.name))

    def deadline_at(self) -> float:
        """The drill's deadline by this process' monotonic clock, as its undo records say; 0 while there is none."""
        said = [datetime.fromisoformat(r.value["deadline"]) for r in self.witness.of("record") if r.value["deadline"]]
        if not said:
            return 0.0
        return time.monotonic() + (min(said) - datetime.now(UTC)).total_seconds()  # noqa: TID251  the API server's, here

    def since_met(self) -> float:
        """Seconds since the plan's last rule met its request; none while one has not."""
        if not self.rigging.live or self.rigging.unmet:
            return 0.0
        return time.monotonic() - max(one.first_hit for one in self.rigging.live)

    def since_undone(self) -> float:
        """Seconds since somebody else than the drill took the fault back; none while it stands."""
        for _, name in shapes.targets_of(self.plan.fault):
            seen = self.witness.of("target", name)
            first = next((n for n, one in enumerate(seen) if one.value == FAULTED), None)
            if first is None or seen[-1].value == FAULTED:
                return 0.0
            return time.monotonic() - next(one.at for one in seen[first:] if one.value != FAULTED)
        return 0.0

    def namespace_is_gone(self) -> bool:
        """Whether the targets were seen to go."""
        targets = [name for _, name in shapes.targets_of(self.plan.fault)]
        return all(self.witness.of("target", name)[-1].event == "DELETED" for name in targets)

    def restored(self) -> bool:
        """Whether the targets (or, where there are none, the records) are seen back."""
        names = [name for _, name in shapes.targets_of(self.plan.fault)]
        last = [seen[-1] for name in names if (seen := self.witness.of("target", name))]
        if self.plan.expect.value == FAULTED:
            last = []  # carried over by somebody into another object: not ours to change, and said so
        open_records = [r for r in self._records() if r.value["state"] != "Reverted"]
        if any(one.event != "DELETED" for one in made.last_of_ours(self.witness)):
            return False
        return not open_records and all(one.value != FAULTED or one.event == "DELETED" for one in last)

    def released(self) -> bool:
        """Whether the rollout of a target was let go while its drill is on, or the drill is over already."""
        return self.ended() or any(r.value["released"] for r in self._records())

    def closed(self) -> bool:
        """Whether no undo record is left."""
        return not self._records()

    def state_of_records(self) -> set[str]:
        """The states of the records as they were last seen."""
        return {r.value["state"] for r in self._records()}

    def where(self) -> str:
        """How far the drill has come, for whoever has waited in vain."""
        return f"phase {self.phase() or 'unseen'}, records {', '.join(self.state_of_records()) or 'none'}"

    def _records(self) -> list[Sighting]:
        last = {s.name: s for s in self.witness.of("record")}
        return [s for s in last.values() if s.event != "DELETED"]
