"""Every case is played once, the lanes beside each other; a test names the drill that it is about: `@of("fc-b2")`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from nightly.cases.courses import LANES, Course, stage
from nightly.cases.field import KEPT, Outcome, clear, give_up, monitor

AT_ONCE = 2
"""More, and two cores are too slow for a fault to have its effect within the minute that the inputs give it."""
Played = Mapping[str, Future[Outcome]]


def pytest_configure(config: pytest.Config) -> None:
    """The marker, as strict markers want it."""
    config.addinivalue_line("markers", "of(drill): the case that a test is about")


@pytest.fixture(scope="session")
def played(request: pytest.FixtureRequest) -> Iterator[Played]:
    """The outcome of each case that some test asks for."""
    marks = (mark for item in request.session.items for mark in item.iter_markers("of"))
    wanted = {name for mark in marks for name in mark.args}
    KEPT.mkdir(parents=True, exist_ok=True)
    clear()
    monitor()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found: dict[str, Future[Outcome]] = {}
        for lane, courses in LANES.items():
            mine = {name: course for name, course in courses.items() if name in wanted}
            outcomes = {name: Future[Outcome]() for name in mine}
            if mine:
                pool.submit(_played, lane, mine, outcomes)
            found |= outcomes
        yield found
    clear()


def _played(lane: str, courses: Mapping[str, Course], outcomes: Mapping[str, Future[Outcome]]) -> None:
    """One lane; a case that goes wrong on the way is told so, and the others of its lane are played all the same."""
    try:
        stage(lane)
    except BaseException as error:  # noqa: BLE001  whatever it is, a test has to tell of it
        for outcome in outcomes.values():
            outcome.set_exception(error)
        return
    for name, course in courses.items():
        try:
            outcomes[name].set_result(course(name))
        except BaseException as error:  # noqa: BLE001  same
            outcomes[name].set_exception(error)
            give_up(name)


@pytest.fixture
def told(request: pytest.FixtureRequest, played: Played) -> Outcome:
    """What came of the case that the test is about."""
    mark = request.node.get_closest_marker("of")
    return played[mark.args[0]].result()


of: Callable[[str], pytest.MarkDecorator] = pytest.mark.of


def each(*names: str) -> pytest.MarkDecorator:
    """The same test for each of these cases."""
    return pytest.mark.parametrize("name", [pytest.param(name, marks=of(name), id=name) for name in names])
