from tests.channels.builders import Example
from tests.channels.wire import EventServer

from kubedrill.kube.client import Answer


class Namespace(EventServer):
    """A namespace whose Events people read."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.in_the_way = lambda _method, _path: Answer(503, {"message": "busy"}) if self.away else None

    @property
    def told(self) -> list[str]:
        return [note.partition(") ")[2] if note.startswith("(") else note for note in self.notes]

    @property
    def kube(self) -> EventServer:
        return self


EXAMPLE = Example(outside=Namespace)
