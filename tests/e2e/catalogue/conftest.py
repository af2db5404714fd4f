"""All re-enactments that were asked for begin at once, four at a time; each test waits for its own and looks at it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.e2e.catalogue.stage import Enactment, of_the_catalogue
from tests.faultmatrix.matrix import Matrix

SLOTS, FIRST_SLOT = 4, 40
Stage = dict[int, asyncio.Task[None]]


def pytest_configure(config: pytest.Config) -> None:
    """The mark of this folder."""
    config.addinivalue_line("markers", "known_failure(failures, enactment): what a test re-enacts")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests share the event loop of the stage, on which all re-enactments go on."""
    for item in items:
        if Path(__file__).parent in item.path.parents and asyncio.iscoroutinefunction(getattr(item, "function", None)):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """Every re-enactment, under way."""
    wanted = list(of_the_catalogue(request.session.items))
    async with Matrix(min(SLOTS, len(wanted)), tmp_path_factory.mktemp("catalogue"), FIRST_SLOT) as matrix:
        tasks = {id(one): asyncio.create_task(one.enact(matrix)) for one in wanted}
        yield tasks
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest_asyncio.fixture(loop_scope="session")
async def enacted(request: pytest.FixtureRequest, stage: Stage, tmp_path: Path) -> Enactment:
    """The test's own re-enactment, in which no oracle found anything."""
    enactment: Enactment = request.node.get_closest_marker("known_failure").args[1]
    await stage[id(enactment)]
    assert not enactment.result.findings, enactment.explained(tmp_path)
    return enactment
