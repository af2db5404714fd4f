"""The API server's clock is known to within a stated error, whatever happens to the machine's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from kubedrill.kube.client import Answer, Kube, Unreachable
from kubedrill.kube.clock import ServerClock
from kubedrill.kube.paths import SERVER_VERSION

START = datetime(2026, 3, 1, 12, 0, 0, 300_000, tzinfo=UTC)
STATED = timedelta(milliseconds=50)
TRIP = 0.004


@dataclass
class World:
    """True time, and how the machine's two clocks stand to it."""

    true: float = 0.0
    server_off: float = 0.0
    wall_off: float = 0.0
    rate: float = 1.0

    def server(self) -> datetime:
        return START + timedelta(seconds=self.true + self.server_off)

    def wall(self) -> datetime:
        return START + timedelta(seconds=self.true * self.rate + self.wall_off)

    def monotonic(self) -> float:
        return 5000 + self.true * self.rate

    def clock(self) -> ServerClock:
        return ServerClock(STATED, wall=self.wall, monotonic=self.monotonic)

    def answer(self, clock: ServerClock, *, every: float = 0.09) -> None:
        """One answer; its `Date` is cut to the second."""
        self.true += every
        sent = self.monotonic()
        self.true += TRIP / 2
        date = format_datetime(self.server().replace(microsecond=0), usegmt=True)
        self.true += TRIP / 2
        clock.heard(date, sent, self.monotonic())

    def answers(self, clock: ServerClock, number: int = 12, *, every: float = 0.09) -> None:
        for _ in range(number):
            self.answer(clock, every=every)

    def off(self, clock: ServerClock) -> timedelta:
        return abs(clock.now() - self.server())


@pytest.fixture
def world() -> World:
    return World()


def test_a_machine_in_step_is_taken_exactly(world: World):
    clock = world.clock()
    world.answers(clock)
    assert world.off(clock) < timedelta(microseconds=10)
    assert clock.error == STATED


def test_without_an_answer_it_is_the_machines_clock(world: World):
    clock = world.clock()
    world.true += 60
    assert world.off(clock) < timedelta(microseconds=10)
    assert clock.error == STATED


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_machine_that_is_minutes_off_is_told_by_the_answers(world: World, minutes: int):
    world.wall_off = minutes * 60
    clock = world.clock()
    world.answers(clock)
    assert world.off(clock) <= clock.error < timedelta(milliseconds=150)


def test_a_small_skew_is_never_more_than_what_is_stated(world: World):
    world.wall_off = 0.8
    clock = world.clock()
    for _ in range(30):
        world.answer(clock)
        assert world.off(clock) <= clock.error


@pytest.mark.parametrize("jump", [-600.0, 600.0])
def test_a_jump_of_the_machines_clock_changes_nothing(world: World, jump: float):
    clock = world.clock()
    world.answers(clock)
    world.wall_off += jump
    assert world.off(clock) < timedelta(microseconds=10)
    for _ in range(12):
        world.answer(clock)
        assert world.off(clock) <= clock.error < timedelta(milliseconds=150)


def test_a_server_whose_clock_is_set_is_followed_from_the_next_answer(world: World):
    clock = world.clock()
    world.answers(clock)
    world.server_off = -90
    world.answer(clock)
    assert world.off(clock) <= clock.error < timedelta(seconds=1.1)
    for _ in range(100):
        world.answer(clock, every=2.09)
        assert world.off(clock) <= clock.error
    assert clock.error < timedelta(milliseconds=250)


def test_both_set_together_are_in_step_again(world: World):
    clock = world.clock()
    world.answers(clock)
    world.server_off = world.wall_off = -90
    world.answers(clock, 100, every=2.09)
    assert world.off(clock) < timedelta(microseconds=10)
    assert clock.error == STATED


@pytest.mark.parametrize("rate", [0.5, 2.0])
def test_clocks_that_run_at_another_rate_stay_within_seconds(world: World, rate: float):
    world.rate = rate
    clock = world.clock()
    worst = timedelta(0)
    for _ in range(300):
        world.answer(clock, every=2.0)
        worst = max(worst, world.off(clock))
    assert worst < timedelta(seconds=5)


@pytest.mark.parametrize("every", [0.1, 0.6, 2.0])
@pytest.mark.parametrize("rate", [0.5, 0.9, 1.1, 2.0])
def test_what_clocks_at_another_rate_are_off_is_stated_once_it_shows(world: World, rate: float, every: float):
    """The fault matrix, `clock/+0-x2`: a kill right after an injection seemed to be before it, so it had no effect."""
    world.rate = rate
    clock = world.clock()
    world.answers(clock)
    # until then `Date`, which says only seconds, can't show it
    while world.true < 1.1 / abs(1 - rate) + 2 * every:
        world.answer(clock, every=every)
    for _ in range(300):
        world.answer(clock, every=every)
        assert world.off(clock) <= clock.error
        world.true += every * 0.9
        assert world.off(clock) <= clock.error


def test_ordinary_drift_stays_within_what_is_stated_for_an_hour(world: World):
    world.wall_off, world.rate = 600, 1 + 100e-6
    clock = world.clock()
    for _ in range(1800):
        world.answer(clock, every=2.0)
        assert world.off(clock) <= clock.error
    assert clock.error < timedelta(milliseconds=250)


def test_silence_makes_the_error_grow(world: World):
    world.wall_off = 600
    clock = world.clock()
    world.answers(clock)
    before = clock.error
    world.true += 1000
    assert clock.error - before == pytest.approx(timedelta(seconds=0.2), abs=timedelta(milliseconds=1))


@pytest.mark.parametrize("date", ["", "yesterday", "Sun, 99 Mar 2026 12:00:00 GMT"])
def test_an_answer_without_a_readable_date_tells_nothing(world: World, date: str):
    clock = world.clock()
    world.answers(clock)
    known = clock.error
    clock.heard(date, world.monotonic(), world.monotonic())
    assert clock.error == known
    assert world.off(clock) < timedelta(microseconds=10)


class Server(Kube):
    """Answers with a Date, or not at all; each answer is heard as the real connection lets it be heard."""

    def __init__(self, world: World, *, silent: bool = False) -> None:
        self.world, self.silent, self.asked = world, silent, 0

    async def call(self, *_: object, **__: object) -> Answer:
        self.asked += 1
        if self.silent:
            raise Unreachable("nobody")
        sent = self.world.monotonic()
        date = format_datetime(self.world.server().replace(microsecond=0), usegmt=True)
        self.on_answer(date, sent, self.world.monotonic())
        self.world.true += 0.09
        return Answer(200, {}, date)


async def test_measuring_hears_every_later_answer_too(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("kubedrill.kube.clock.SPREAD", timedelta(0))
    world.wall_off = 600
    clock, server = world.clock(), Server(world)
    await clock.measure(server)
    assert world.off(clock) <= clock.error < timedelta(milliseconds=150)
    world.server_off = 90
    await server.get(SERVER_VERSION)
    assert world.off(clock) < timedelta(seconds=1.1)


async def test_a_server_that_does_not_answer_ends_the_measuring_and_nothing_else(world: World):
    clock, server = world.clock(), Server(world, silent=True)
    await clock.measure(server)
    assert server.asked == 1
    assert clock.error == STATED
