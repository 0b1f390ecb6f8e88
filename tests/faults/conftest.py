"""The world that the tests break, under steady load."""

import shutil
from collections.abc import AsyncIterator

import pytest_asyncio

from service.demo.folders import temporary_folder
from tests.faults.load import Load
from tests.faults.world import World


@pytest_asyncio.fixture(scope="session")
async def whole_world() -> AsyncIterator[World]:
    """Servers, three instances, and the programs that write; nobody asks yet."""
    folder = temporary_folder()
    world = World(folder)
    try:
        async with world.running():
            yield world
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture
async def world(whole_world: World) -> AsyncIterator[World]:
    """That world, while many callers ask and every answer is checked."""
    whole_world.checker.wrong.clear()
    whole_world.load = Load(whole_world.many_callers())
    whole_world.load.start()
    yield whole_world
    await whole_world.load.stop()
