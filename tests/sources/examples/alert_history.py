from datetime import timedelta

from tests.signals.builders import at
from tests.sources.builders import Example

from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.facts import FactKind, Sample
from kubedrill.core.plan.trouble import AlertRule
from kubedrill.plugins.sources.alert_history import Look, alert_history
from kubedrill.plugins.sources.prometheus import LoadedRule, RawSeries

FIRED = RawSeries({"alertname": "High", "alertstate": "firing"}, tuple(Sample(at(5 * n), 1.0) for n in range(1, 5)))
LOOK = Look(About("shop"), at(-600), at(600), timedelta(seconds=0.1), {"High": LoadedRule(AlertRule("High"))})
EXAMPLE = Example(
    truth={FactKind.ALERT_FIRING: at(5.05), FactKind.ALERT_RESOLVED: at(23)},
    read=lambda: alert_history([FIRED], LOOK).facts,
)
