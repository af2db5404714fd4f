"""Which undo records a turn reads: its drill's own, so that a turn costs the same however many drills are on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubedrill.core.machine.phases import UNTOUCHED
from kubedrill.core.machine.state import State
from kubedrill.core.machine.unverified import LOOKED_AT, missing
from kubedrill.kube.client import Kube
from kubedrill.kube.together import together
from kubedrill.protocol.seen import records_seen
from kubedrill.store.undo_records import Listing, StoredRecord, list_on, list_own, list_records


class OwnRecords:
    """The undo records that matter to one drill, as they were listed last."""

    def __init__(self, kube: Kube, control: str, uid: str) -> None:
        self._kube, self._control, self._uid = kube, control, uid
        self.listing = Listing()

    @property
    def mine(self) -> dict[str, StoredRecord]:
        """The drill's own, of those that could be read, by name."""
        return {one.record.name: one for one in self.listing.of(self._uid).readable}

    async def list_all(self) -> Listing:
        """Lists all drills' records. Raises RecordTrouble."""
        self.listing = await list_records(self._kube, self._control)
        return self.listing

    async def list_for(self, drill: Mapping[str, Any], state: State) -> Listing:
        """Lists those that matter to a turn. Raises RecordTrouble."""
        self.listing = await records_for_a_turn(self._kube, self._control, drill, state)
        return self.listing


async def records_for_a_turn(kube: Kube, control: str, drill: Mapping[str, Any], state: State) -> Listing:
    """The drill's own records. Before the start those of its target namespace, too: they would be in its way.

    Where one is missing whose fault may be in, all: it may have lost its label, and what is seen at its target may be
    another drill's.

    Raises:
        RecordTrouble: they can't be listed; that does not mean that there are none.
    """
    uid, target_namespace = drill["metadata"]["uid"], (drill.get("spec") or {}).get("targetNamespace", "")
    noted = {fault.record for fault in state.faults if fault.record} - set(state.closed)
    if state.phase in UNTOUCHED and target_namespace:
        own, on = await together(list_own(kube, control, uid, noted), list_on(kube, control, target_namespace))
        return own + on
    own = await list_own(kube, control, uid, noted)
    lost = state.phase in LOOKED_AT and any(missing(state, records_seen(own, uid, state)))
    return await list_records(kube, control) if lost else own
