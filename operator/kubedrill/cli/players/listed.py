"""Whether somebody is a player of the drill that hears them, for those who may see who plays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from kubedrill.api.drill import Drill
from kubedrill.api.stored import understood
from kubedrill.core.evidence.attribution import who_is
from kubedrill.core.plan.drill_plan import KUBERNETES
from kubedrill.core.undo.operations import Refusal
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.store.environments import setting_beside


async def why_uncounted(kube: Kube, control: str, drill: Mapping[str, Any], user: str) -> str:
    """Why what a user says counts for nobody in a drill; empty where it counts, or where that can't be seen."""
    try:
        setting = await setting_beside(kube, control, understood(Drill, drill).spec)
    except (Unreachable, ValidationError):
        return ""
    if isinstance(setting, Refusal) or who_is(KUBERNETES, user, setting.players).player:
        return ""
    players = ", ".join(f"{p.name} ({p.kubernetes or 'no user name is known'})" for p in setting.players)
    name = drill["metadata"]["name"]
    return f"{user} does not play in {name}, so it is noted and counts for nobody. Who plays: {players}. Use --as"
