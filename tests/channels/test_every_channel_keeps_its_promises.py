"""What every channel promises, whatever it reaches. A new one needs an example in `examples/`."""

from __future__ import annotations

import ast
import io
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from pydantic.alias_generators import to_snake
from tests.answers.test_decoding import JSON
from tests.channels.builders import ARRIVAL, HEARING, Outside, examples, heard
from tests.examples import share_of
from tests.observers.builders import drill_plan
from tests.signals.builders import between, receipt

from kubedrill.api.roster import Identities
from kubedrill.api.scenario import Channel
from kubedrill.cli.setup import opt_in
from kubedrill.controller import http
from kubedrill.controller.metrics import DrillCollector
from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.facts import Fact
from kubedrill.core.machine.state import CheckResult
from kubedrill.core.plan.drill_plan import Endpoint
from kubedrill.core.rights import Right
from kubedrill.kube.answers import NoAnswer
from kubedrill.kube.clock import ServerClock
from kubedrill.plugins.channels import discover
from kubedrill.plugins.channels.base import Message
from kubedrill.plugins.sources.base import UNREADABLE

CHANNELS = discover()
PROMISED = examples()
WEBHOOKS = {name: channel.webhook for name, channel in CHANNELS.items() if channel.webhook}
OBJECTS = {name: channel.objects for name, channel in CHANNELS.items() if channel.objects}
ADMISSIONS = {name: channel.admission for name, channel in CHANNELS.items() if channel.admission}
INBOUND: dict[str, object] = {**WEBHOOKS, **OBJECTS, **ADMISSIONS}
OUTBOUND = {name: channel.outbound for name, channel in CHANNELS.items() if channel.outbound}
CHECKED = {name: channel.doctor for name, channel in CHANNELS.items() if channel.doctor}
PACKAGE = Path(opt_in.__file__).parents[2]
HERE = PACKAGE / "plugins/channels"
SENTENCE = re.compile(r"\S+( \S+){3,}")
MOST_FACTS = 200
LONGEST = 4096 + 256
CLOCK = ServerClock(ARRIVAL.error)


def test_every_channel_has_an_example_and_every_example_a_channel():
    assert set(PROMISED) == set(CHANNELS)


@pytest.mark.parametrize("name", CHANNELS)
def test_it_says_what_it_is_and_does_something(name):
    channel = CHANNELS[name]
    assert re.fullmatch(r"[A-Z][^.]+(\.[^.]+)*\.", channel.summary)
    assert channel.webhook or channel.objects or channel.admission or channel.outbound


@pytest.mark.parametrize("name", CHANNELS)
def test_people_are_known_in_it_by_one_of_the_identities_that_they_can_have(name):
    aliases = {field.alias or key for key, field in Identities.model_fields.items()}
    assert CHANNELS[name].identity in {"", *aliases}


# ---- what comes in


@pytest.mark.parametrize("name", INBOUND)
def test_it_gives_the_facts_that_its_example_says(name):
    assert {fact.kind for fact in heard(CHANNELS[name], PROMISED[name])} == PROMISED[name].gives


@pytest.mark.parametrize("name", INBOUND)
def test_the_same_message_twice_is_the_same_facts(name):
    once, again = ([fact.id for fact in heard(CHANNELS[name], PROMISED[name])] for _ in range(2))
    assert once == again
    assert len(once) == len(set(once))


@pytest.mark.parametrize("name", OBJECTS)
def test_whoever_is_no_player_is_credited_with_nothing(name):
    nobody = replace(HEARING, players=())
    word = PROMISED[name].word
    assert word is not None
    facts = OBJECTS[name].read(word, receipt(8), nobody)
    assert {fact.actor for fact in facts} <= {""}


@pytest.mark.parametrize("name", INBOUND)
def test_somebody_is_credited_only_where_it_is_said_how_people_are_known(name):
    credited = {fact.actor for fact in heard(CHANNELS[name], PROMISED[name])} - {""}
    assert not credited or CHANNELS[name].identity


def assert_bounded(facts: tuple[Fact, ...]) -> None:
    assert len(facts) <= MOST_FACTS
    assert all(len(fact.id) <= LONGEST and len(fact.evidence) <= 2 * LONGEST for fact in facts)


def spoilt(value: Any, poison: Any) -> list[Any]:
    """The value with something absurd in the place of each of its parts, and of all of it."""
    found = [poison]
    if isinstance(value, dict):
        found += [{**value, key: one} for key, inner in value.items() for one in spoilt(inner, poison)]
    if isinstance(value, list):
        found += [[one] for inner in value[:1] for one in spoilt(inner, poison)] + [value * 1000]
    return found


@pytest.mark.parametrize("name", WEBHOOKS)
@settings(deadline=None, max_examples=share_of(30))
@given(poison=JSON)
def test_a_message_of_any_shape_is_read_or_refused(name, poison):
    for message in spoilt(PROMISED[name].message, poison):
        with suppress(ValueError):
            assert_bounded(WEBHOOKS[name].read(message, ARRIVAL))


@pytest.mark.parametrize("name", ADMISSIONS)
@settings(deadline=None, max_examples=share_of(30))
@given(poison=JSON)
def test_a_review_of_any_shape_is_read_or_refused(name, poison):
    for review in spoilt(PROMISED[name].message, poison):
        with suppress(*UNREADABLE):
            assert_bounded(ADMISSIONS[name].read(review, between(8, 9)).facts)


@pytest.mark.parametrize("name", OBJECTS)
@settings(deadline=None, max_examples=share_of(30))
@given(poison=JSON)
def test_an_object_of_any_shape_ends_nothing(name, poison):
    for word in spoilt(PROMISED[name].word, poison):
        with suppress(*UNREADABLE):
            assert_bounded(OBJECTS[name].read(word, receipt(8), HEARING))


@pytest.mark.parametrize("name", WEBHOOKS)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": ""}])
async def test_whoever_can_not_be_verified_is_refused_before_anything_is_read(name, headers, monkeypatch):
    def never(*_: Any) -> None:
        raise AssertionError("the body was decoded")

    async def about(namespace: str) -> About:
        return About(namespace)

    async def deliver(*told: Any) -> None:
        delivered.append(told)

    monkeypatch.setattr(http, "decoded", never)
    delivered: list[Any] = []
    collector = DrillCollector(list, CLOCK.now)
    app = http.make_app("secret", deliver, about, collector, lambda: "", CLOCK)
    async with http.serve(app, 0, "127.0.0.1") as port, aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{port}{WEBHOOKS[name].route.format(namespace='shop')}"
        async with session.post(url, data=io.BytesIO(b"{" * 1000), headers=headers) as response:
            assert response.status == 401
    assert (delivered, collector.messages["refused"]) == ([], 1)


@pytest.mark.parametrize("name", WEBHOOKS)
def test_without_a_secret_nobody_is_verified(name):
    assert not WEBHOOKS[name].verified({"Authorization": "Bearer "}, "")


def test_no_two_webhooks_have_one_route_and_each_names_the_namespace():
    routes = [webhook.route for webhook in WEBHOOKS.values()]
    assert len(set(routes)) == len(routes)
    assert all(re.fullmatch(r"/[a-z][a-z-]*/\{namespace\}", route) for route in routes)


# ---- what goes out


def outside_of(name: str) -> Outside:
    """A new place at which what it carries arrives."""
    outside = PROMISED[name].outside
    assert outside is not None
    return outside()


def message(name: str, body: str = "our orders hang") -> Message:
    return Message("shop", min(OUTBOUND[name].carries), "Dana", body)


@pytest.mark.parametrize("name", OUTBOUND)
def test_it_carries_what_an_inject_can_be(name):
    assert set(OUTBOUND[name].carries) <= {channel.value for channel in Channel}


@pytest.mark.parametrize("name", OUTBOUND)
async def test_delivered_twice_is_told_once_and_it_is_known_when(name):
    outside = outside_of(name)
    first, again = [await OUTBOUND[name].deliver(outside.kube, outside.clock, message(name), "d1/a") for _ in range(2)]
    assert outside.told == ["Dana: our orders hang"]
    assert first.at is not None
    assert again.at is not None
    assert again.at.not_before <= first.at.not_before <= again.at.not_after


@pytest.mark.parametrize("name", OUTBOUND)
async def test_another_key_is_another_message(name):
    outside = outside_of(name)
    for key in ("d1/a", "d1/b", "d2/a"):
        await OUTBOUND[name].deliver(outside.kube, outside.clock, message(name), key)
    assert len(outside.told) == 3


@pytest.mark.parametrize("name", OUTBOUND)
async def test_while_nothing_gets_through_it_is_to_be_tried_again(name):
    outside = outside_of(name)
    outside.away = True
    told = await OUTBOUND[name].deliver(outside.kube, outside.clock, message(name), "d1/a")
    assert (told.at, told.for_good, bool(told.why)) == (None, False, True)
    outside.away = False
    assert (await OUTBOUND[name].deliver(outside.kube, outside.clock, message(name), "d1/a")).at


@pytest.mark.parametrize("name", OUTBOUND)
@pytest.mark.parametrize("body", ["遅" * 4096, "a word " * 585])
async def test_the_longest_message_is_told_whole(name, body):
    outside = outside_of(name)
    await OUTBOUND[name].deliver(outside.kube, outside.clock, message(name, body), "d1/a")
    assert "".join(outside.told) == f"Dana: {body}"


# ---- what must be there for it


@pytest.mark.parametrize("name", CHANNELS)
def test_a_namespace_that_opts_in_gives_all_the_rights_that_it_needs(name):
    channel = CHANNELS[name]
    (operator,) = (
        thing
        for thing in opt_in.objects("shop", "drills")
        if thing["kind"] == "Role" and thing["metadata"]["name"] == "kubedrill-operator"
    )
    given_there = {
        Right(group, resource, verb)
        for rule in operator["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    needed = {right for part in (channel.objects, channel.outbound) if part for right in part.rights}
    assert needed <= given_there


@pytest.mark.parametrize("name", CHECKED)
async def test_doctor_says_what_to_do_where_nothing_answers(name):
    async def nobody(endpoint: Endpoint, path: str) -> Any:
        del endpoint, path
        raise NoAnswer("does not answer in time")

    check = await CHECKED[name].look(nobody, drill_plan())
    assert check.ok is not True
    assert SENTENCE.search(check.message)
    assert SENTENCE.fullmatch(CHECKED[name].fix)


@pytest.mark.parametrize("name", CHECKED)
@settings(deadline=None, max_examples=share_of(30))
@given(answer=JSON)
async def test_doctor_takes_an_answer_of_any_shape(name, answer):
    async def anybody(endpoint: Endpoint, path: str) -> Any:
        del endpoint, path
        return answer

    assert isinstance(await CHECKED[name].look(anybody, drill_plan()), CheckResult)


# ---- one file


@pytest.mark.parametrize("name", CHANNELS)
def test_nothing_outside_of_the_registry_names_it(name):
    module = to_snake(name)
    form = re.compile(rf"channels\.{module}\b|channels import [^\n]*\b{module}\b|discover\(\)(\[|\.get\()[\"']{name}")
    found = [
        str(file.relative_to(PACKAGE))
        for file in PACKAGE.rglob("*.py")
        if HERE not in file.parents and form.search(file.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize("name", CHANNELS)
def test_it_knows_nothing_of_another(name):
    others = {f"kubedrill.plugins.channels.{to_snake(other)}" for other in CHANNELS}
    tree = ast.parse((HERE / f"{to_snake(name)}.py").read_text(encoding="utf-8"))
    imported = {
        module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for module in (str(node.module), *(f"{node.module}.{one.name}" for one in node.names))
    }
    assert not imported & others
