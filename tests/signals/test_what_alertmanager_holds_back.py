"""Why nobody is told of an alert, as Alertmanager's own API tells it: silences, inhibition, mute times, routes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.measure.builders import drill_plan
from tests.signals.builders import at
from tests.signals.test_alert_routes import CONFIG
from tests.signals.test_alertmanager import alert as told

from kubedrill.core.evidence.facts import Fact, FactKind
from kubedrill.core.plan.drill_plan import AlertWanted, DrillPlan
from kubedrill.kube.answers import NoAnswer
from kubedrill.plugins.sources.alertmanager import PagingPoll
from kubedrill.plugins.sources.polled import Conversation, Heard, Polled, PollScope

EXPECTED = replace(drill_plan(), alerts=(AlertWanted("High", starts_clock=True, within=timedelta(0)),))
SILENCE = "6bb7e93c-0bb5-4d36-8d5f-0a2f8f8e1b11"
WORDS = {f"/api/v2/silence/{SILENCE}": {"createdBy": "bob", "comment": "maintenance of the disks"}}


def alert(state: str = "active", **more: Any) -> dict[str, Any]:
    labels = more.pop("labels", {})
    status = {"state": state, "silencedBy": [], "inhibitedBy": [], **more}
    return {**told(**labels), "status": status, "receivers": [{"name": "none"}]}


class Alertmanagers:
    """What one or more of them answer, by path; what is not there is no answer. `asked` are the paths."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def held(self, conversation: Conversation, answers: dict[str, Any], now: float) -> Heard:
        try:
            questions = next(conversation)
            while True:
                try:
                    found = [question.read(self._answer(answers, question.path), at(now)) for question in questions]
                except NoAnswer as error:
                    questions = conversation.throw(error)
                else:
                    questions = conversation.send(found)
        except StopIteration as ended:
            return Heard(ended.value, "")
        except NoAnswer as error:
            return Heard(None, str(error))

    def _answer(self, answers: dict[str, Any], path: str) -> Any:
        self.asked.append(path)
        if path not in answers:
            raise NoAnswer("answers 404")
        return answers[path]

    def probe(self, poll: PagingPoll, now: float, plan: DrillPlan) -> Polled:
        scope = PollScope(plan, at(0), at(now), at(now), timedelta(0), {})
        asked = [(one, answers) for answers in self.answers for one in poll.ask(scope)]
        return poll.told(scope, [self.held(one, answers, now) for one, answers in asked])


def nothing_kept() -> Any:
    raise RuntimeError("nothing is kept")


def heard(*answers: dict[str, Any], plan: DrillPlan = EXPECTED, probes: int = 2) -> Polled:
    """What the last of some probes comes to."""
    poll, servers = PagingPoll(nothing_kept), Alertmanagers(*answers)
    return [servers.probe(poll, 10 + n, plan) for n in range(probes)][-1]


def of(kind: FactKind, polled: Polled) -> Sequence[Fact]:
    return [f for f in polled.facts if f.kind is kind]


def alerts(*given: dict[str, Any], config: str = "", also: dict[str, Any] | None = None) -> dict[str, Any]:
    status = {"/api/v2/status": {"config": {"original": config}}} if config else {}
    return {"/api/v2/alerts": list(given), **status, **(also or {})}


def test_b13b_a_silenced_alert_says_whose_silence_it_is():
    (held,) = of(FactKind.ALERT_SUPPRESSED, heard(alerts(alert("suppressed", silencedBy=[SILENCE]), also=WORDS)))

    assert held.detail["by"] == "silence"
    assert held.evidence == f'High is silenced by silence {SILENCE} (of bob, "maintenance of the disks")'


def test_b13b_the_words_are_asked_for_however_many_alerts_there_are():
    crowd = [alert(labels={"pod": str(n)}) for n in range(20)]
    held = of(FactKind.ALERT_SUPPRESSED, heard(alerts(*crowd, alert("suppressed", silencedBy=[SILENCE]), also=WORDS)))

    assert "of bob" in held[0].evidence


def test_b13a_an_inhibited_alert_says_by_which():
    down = {**told(severity="critical"), "fingerprint": "f9", "status": {"state": "active"}}
    down["labels"]["alertname"] = "NodeDown"
    (held,) = of(FactKind.ALERT_SUPPRESSED, heard(alerts(alert("suppressed", inhibitedBy=["f9"]), down)))

    assert (held.detail["by"], held.evidence) == ("inhibition", "High is inhibited by NodeDown")


def test_b13c_an_alert_whose_only_route_is_muted_says_by_which_time_interval():
    config = CONFIG.replace("'saturday', 'sunday'", "'sunday:saturday'")
    polled = heard(alerts(alert(labels={"severity": "page"}), config=config))
    (held,) = of(FactKind.ALERT_SUPPRESSED, polled)

    assert held.detail == {"alert": "High", "by": "mute time", "name": "weekend", "receivers": ["pager"]}
    assert held.evidence == "High is muted by time interval weekend (pager)"
    assert of(FactKind.ALERT_FIRING, polled), "it fires all the same"


def test_b13c_a_newer_alertmanager_says_so_itself():
    polled = heard(alerts(alert("suppressed", mutedBy=["weekend"])))
    (held,) = of(FactKind.ALERT_SUPPRESSED, polled)

    assert held.evidence == "High is muted by time interval weekend"
    assert of(FactKind.ALERT_FIRING, polled)


def test_a_route_that_ends_at_nobody_is_told():
    (held,) = of(FactKind.ALERT_SUPPRESSED, heard(alerts(alert(), config=CONFIG)))

    assert held.evidence == "High: its route ends at none, which has no address"


def test_b14_the_routes_tell_how_long_it_is_held_back():
    (routed,) = of(FactKind.ALERT_ROUTED, heard(alerts(alert(labels={"severity": "slow"}), config=CONFIG)))

    assert routed.detail == {"alert": "High", "receivers": ["slow"], "waits": 90}


def test_the_receivers_that_the_environment_names_are_the_ones_that_count():
    plan = replace(EXPECTED, people_receivers=frozenset({"shop"}))
    labels = {"team": "shop", "severity": "page"}
    (routed,) = of(FactKind.ALERT_ROUTED, heard(alerts(alert(labels=labels), config=CONFIG), plan=plan))

    assert routed.detail["receivers"] == ["shop"]


def test_where_the_routes_cannot_be_read_nothing_is_said_of_them():
    polled = heard(alerts(alert(), config="route: {receiver: *a}"))

    assert [f.kind for f in polled.facts] == [FactKind.ALERT_FIRING]
    assert polled.errors == ()


def test_the_routes_are_asked_for_once_there_is_an_alert_and_not_at_every_probe():
    servers, poll = Alertmanagers(alerts(config=CONFIG)), PagingPoll(nothing_kept)
    for second in range(5):
        servers.probe(poll, second, EXPECTED)
    assert "/api/v2/status" not in servers.asked

    servers.answers = (alerts(alert(), config=CONFIG),)
    for second in range(5, 50):
        servers.probe(poll, second, EXPECTED)
    assert servers.asked.count("/api/v2/status") == 1


def test_routes_that_were_not_told_are_asked_for_again_within_ten_seconds():
    servers, poll = Alertmanagers(alerts(alert(labels={"severity": "page"}))), PagingPoll(nothing_kept)
    servers.probe(poll, 0, EXPECTED)
    assert not of(FactKind.ALERT_ROUTED, servers.probe(poll, 1, EXPECTED))

    servers.answers = (alerts(alert(labels={"severity": "page"}), config=CONFIG),)
    for second in range(2, 12):
        polled = servers.probe(poll, second, EXPECTED)
    assert of(FactKind.ALERT_ROUTED, polled)


def test_what_holds_an_alert_back_is_a_fact_of_when_it_was_first_seen():
    silenced = alerts(alert("suppressed", silencedBy=[SILENCE]), also=WORDS)

    assert of(FactKind.ALERT_SUPPRESSED, heard(silenced, probes=1)) == of(
        FactKind.ALERT_SUPPRESSED, heard(silenced, probes=5)
    )


def test_of_two_alertmanagers_each_is_asked():
    one, other = alerts(), alerts(alert())

    assert of(FactKind.ALERT_FIRING, heard(one, other)) == of(FactKind.ALERT_FIRING, heard(other, one))
    assert of(FactKind.ALERT_FIRING, heard(one, other))


def test_one_of_two_that_does_not_answer_hides_nothing_of_the_other():
    assert of(FactKind.ALERT_FIRING, heard({}, alerts(alert())))
    assert heard({}, alerts(alert())).errors == ()
    assert heard({}, {}).errors == ("answers 404",)


@pytest.mark.parametrize("others", [201, 1000])
def test_any_number_of_other_alerts_hides_none(others):
    crowd = [alert(labels={"alertname": "Other", "pod": str(n)}) for n in range(others)]

    assert of(FactKind.ALERT_FIRING, heard(alerts(*crowd, alert())))
