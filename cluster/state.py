"""What was brought up: written when a cluster is there, read by every other command."""

import json
from dataclasses import asdict, dataclass

from cluster.provider import Provider
from cluster.settings import Folders


@dataclass(frozen=True)
class State:
    """The cluster that commands act on.

    `identity` is new with each cluster, so that what was loaded into an earlier one is not believed to be
    in this one. `engine` is docker or podman.
    """

    provider: Provider
    context: str
    engine: str
    identity: str

    def serves(self, context: str | None) -> bool:
        """Whether this is the cluster that a user wants who names this context, or none."""
        return (self.context if self.provider is Provider.EXISTING else None) == context


def read(folders: Folders) -> State | None:
    """The cluster that is up or was; None if none is."""
    if not folders.state.exists():
        return None
    fields = json.loads(folders.state.read_text())
    return State(**{**fields, "provider": Provider(fields["provider"])})


def write(folders: Folders, state: State) -> None:
    """Remember a cluster."""
    folders.cache.mkdir(parents=True, exist_ok=True)
    folders.state.write_text(json.dumps(asdict(state), indent=2))


def forget(folders: Folders) -> None:
    """There is no cluster any more."""
    folders.state.unlink(missing_ok=True)
    folders.kubeconfig.unlink(missing_ok=True)
