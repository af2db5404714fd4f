"""What becomes of each case: what its file says in words, done.

Nobody acts before the alert fired and the drill is in play.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from nightly.cases.field import (
    ALICE,
    MONITORING,
    Document,
    Outcome,
    apply,
    asked,
    clock,
    documents,
    environment,
    gauge,
    in_play,
    kubectl,
    kubedrill,
    over,
    put_up,
    reached,
    repairs,
    says,
    status,
    the_drill,
    until,
)

Course = Callable[[str], Outcome]


def planned(name: str) -> str:
    """What `kubectl drill plan` says of a drill that is not there."""
    file = f"build/cases/{name}.json"
    with open(file, "w", encoding="utf-8") as written:  # noqa: PTH123  a file as a person has it
        json.dump(the_drill(name), written)
    return kubedrill("plan", "-f", file)


def is_only_asked(name: str) -> Outcome:
    """It is applied, and comes to no more than being checked."""
    apply(the_drill(name))
    until(lambda: status(name).get("phase") in ("Held", "Aborted"), 120, f"{name} is checked")
    return Outcome(status(name))


def is_refused(name: str) -> Outcome:
    """It is applied, and what it says while it waits is kept."""
    apply(the_drill(name))
    return over(name, said=_said_while_waiting(name))


def _said_while_waiting(name: str) -> list[str]:
    said: list[str] = []

    def looks() -> bool:
        now = status(name)
        if (message := str(now.get("message", ""))) not in said:
            said.append(message)
        return now.get("phase") in ("Aborted", "Completed", "Stopped") or bool(now.get("startExTime"))

    until(looks, 150, f"{name} is refused or begins")
    return said


def is_fixed_by_alice(name: str) -> Outcome:
    """She answers the page, says how bad it is, and repairs it; all is well until the end."""
    apply(the_drill(name))
    before = in_play(name)
    _fixes(the_drill(name)["spec"]["targetNamespace"])
    return over(name, before=before)


def _fixes(namespace: str) -> None:
    """All at once: on a busy machine a command takes ten seconds, which are two minutes of the scenario."""
    words = (("ack",), ("severity", "P2"), ("notify", "we are on it"))
    with ThreadPoolExecutor() as at_once:
        doing = [at_once.submit(says, *word, "-n", namespace) for word in words]
        doing.append(at_once.submit(repairs, namespace))
    for done in doing:
        done.result()


def heartbeat_goes_and_comes(name: str) -> Outcome:
    """B3: the metric goes with the fault, and is there again with the repair."""
    gauge("fc_heartbeat", "1", namespace="fc-b3")
    until(lambda: asked('fc_heartbeat{namespace="fc-b3"}'), 30, "the heartbeat is scraped")
    apply(the_drill(name))
    reached(name, "FaultEffective")
    gauge("fc_heartbeat", "none", namespace="fc-b3")
    before = in_play(name)
    _fixes("fc-b3")
    gauge("fc_heartbeat", "1", namespace="fc-b3")
    return over(name, before=before)


def labels_are_told(name: str) -> Outcome:
    """B4, once the environment says what this monitoring calls the namespace."""
    labels = {"labels": {"namespace": "exported_namespace"}}
    apply(environment(name, "fc-b4", **labels), _called(name, the_drill("fc-b4")))
    before = in_play(name)
    _fixes("fc-b4")
    return over(name, before=before)


def impact_is_told(name: str) -> Outcome:
    """B4, where the scenario names its impact itself: the drill is played, and the alert fires about fc-mon."""
    drill = _called(name, the_drill("fc-b4"))
    unavailable = 'kube_deployment_status_replicas_unavailable{job="ksm",namespace="fc-b4"}'
    drill["spec"]["scenario"]["mitigated"] = {"query": unavailable, "byAmount": 1}
    apply(drill)
    return over(name)


def _called(name: str, drill: Document) -> Document:
    return drill | {"metadata": drill["metadata"] | {"name": name}}


def is_pending_before(name: str) -> Outcome:
    """B8: the alert is pending for a reason of its own when the drill is made."""
    gauge("fc_gauge", "1", namespace="fc-b8")
    until(lambda: asked('ALERTS{alertname="FcPending",alertstate="pending"}'), 30, "it is pending")
    outcome = is_refused(name)
    gauge("fc_gauge", "none", namespace="fc-b8")
    return outcome


def inhibited(name: str) -> Outcome:
    """B13a: NodeDown is critical in the same namespace; Alertmanager forgets it after five minutes."""
    _tells_alertmanager("alert", "add", "NodeDown", "severity=critical", "namespace=fc-b13")
    apply(the_drill(name))
    return over(name)


def silenced(name: str) -> Outcome:
    """B13b: somebody silenced it."""
    _tells_alertmanager("silence", "add", "alertname=FcSilenced", "--author", "bob", "--comment", "it is known")
    apply(the_drill(name))
    return over(name)


def _tells_alertmanager(*words: str) -> None:
    amtool = ("amtool", "--alertmanager.url", "http://localhost:9093", *words)
    kubectl("-n", MONITORING, "exec", "deployment/alertmanager", "--", *amtool)


def nobody_acts(name: str) -> Outcome:
    """B13c: nobody hears of it."""
    apply(the_drill(name))
    return over(name)


def answers_the_page(name: str) -> Outcome:
    """B14: the on-call answers soon after the page, which comes 90 s after the alert."""
    apply(the_drill(name))
    until(lambda: {m["name"] for m in status(name).get("milestones", ())} & {"Notified", "Paged"}, 240, "the page came")
    _fixes("fc-b14")
    return over(name)


def flapped_before(name: str) -> Outcome:
    """B15: the alert fired for some seconds, and had ended 12 s before the drill was made."""
    gauge("fc_errors", "99", namespace="fc-b9")
    until(lambda: asked('ALERTS{alertname="FcCluster",alertstate="firing"}'), 30, "it fires")
    gauge("fc_errors", "0", namespace="fc-b9")
    until(lambda: not asked('ALERTS{alertname="FcCluster"}'), 30, "it is over")
    ended = clock()
    until(lambda: clock() > ended + 12, 30, "that was twelve seconds ago")
    apply(the_drill(name))
    reached(name, "FaultEffective")
    gauge("fc_errors", "99", namespace="fc-b9")
    before = in_play(name)
    _fixes("fc-b9")
    gauge("fc_errors", "0", namespace="fc-b9")
    return over(name, before=before)


def another_teams_gets_well(name: str) -> Outcome:
    """B16: alice scales, which helps nobody, and a neighbour's Deployment gets well."""
    apply(the_drill(name))
    in_play(name)
    four = ("patch", "deployment/app", "-p", '{"spec":{"replicas":4}}', "--field-manager=fc-alice", "--as", ALICE)
    kubectl("-n", "fc-b16", *four)
    kubectl("-n", "fc-b16n", "delete", "deployment", "broken")
    return over(name)


def a_neighbour_is_killed(name: str) -> Outcome:
    """C10: the fault kills none of the target's pods, and a Job of a like name is killed for its memory."""
    apply(the_drill(name))
    until(lambda: status(name).get("startExTime"), 60, "the fault is in")
    apply(*documents("c10-job"))
    killed = ("get", "job", "api-db", "-o", "jsonpath={.status.failed}")
    until(lambda: kubectl("-n", "fc-c10", *killed) == "1", 90, "the Job was killed")
    return over(name)


LANES: Final[Mapping[str, Mapping[str, Course]]] = {
    "b13-alert-suppressed": {"fc-b13a": inhibited, "fc-b13b": silenced, "fc-b13c": nobody_acts},
    "b4-exported-namespace": {"fc-b4": is_refused, "fc-b4-impact": impact_is_told, "fc-b4-labels": labels_are_told},
    "b2-alert-below": {"fc-b2": is_fixed_by_alice, "fc-b2b": is_fixed_by_alice},
    "b14-group-wait": {"fc-b14": answers_the_page},
    "b16-cluster-wide-alert": {"fc-b16": another_teams_gets_well},
    "b1-for-longer-than-within": {"fc-b1": is_only_asked, "fc-b1-small": is_refused},
    "b3-alert-absent": {"fc-b3": heartbeat_goes_and_comes},
    "b6-two-rules-one-name": {"fc-b6": is_fixed_by_alice},
    "b15-flapped-before": {"fc-b15": flapped_before},
    "c10-neighbour-killed": {"fc-c10": a_neighbour_is_killed},
    "b8-pending-before": {"fc-b8": is_pending_before},
    "b10-alert-name": {"fc-b10": is_only_asked},
}
"""Each input with its drills, which come one after another: they break the same namespace. The longest are first."""


def stage(lane: str) -> None:
    """What a lane is played in; two of them name a namespace that their file has not."""
    if lane == "b15-flapped-before":
        put_up(*documents("b2-alert-below", {"fc-b2": "fc-b9"}))
    elif lane == "b10-alert-name":
        apply(environment("fc-b10", "fc-app"))
        put_up(*documents("b2-alert-below", {"fc-b2": "fc-app"}))
    else:
        put_up(*documents(lane))
