from tests.channels.builders import Example
from tests.channels.test_player_actions import word

from kubedrill.core.evidence.facts import FactKind

EXAMPLE = Example(gives=frozenset({FactKind.ACKNOWLEDGED}), word=word("Acknowledge"))
