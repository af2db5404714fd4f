from datetime import timedelta

from tests.signals.builders import at
from tests.signals.test_audit_log import line
from tests.sources.builders import Example

from kubedrill.core.evidence.facts import FactKind
from kubedrill.plugins.sources.audit import SOURCE
from kubedrill.plugins.sources.base import ImportScope

SCOPE = ImportScope("shop", frozenset(), timedelta(0))
LINES = [line("list", "pods", start=3), line("delete", "pods", name="a", start=5), "cut off {"]
EXAMPLE = Example(
    truth={FactKind.PODS_LISTED: at(3.005), FactKind.PODS_DELETED: at(5.005)},
    read=lambda: SOURCE.imports(LINES, SCOPE),
)
