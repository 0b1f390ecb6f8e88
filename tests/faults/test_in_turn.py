"""Faults while days are read in turn: every day of an answer is of one reading, and that is young enough."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.faults import database_faults, instance_faults, network_faults, redis_faults
from tests.faults.figures import Figures
from tests.faults.load import Load
from tests.faults.trial import Fault, trial
from tests.faults.world import World
from tests.support.folders import passing_folder

# What changes who reads which days, and what they leave each other.
NAMES = {
    "PostgreSQL killed",
    "a statement too slow",
    "Redis restarted, empty",
    "Redis full",
    "garbage under our keys",
    "an instance killed",
    "all instances restarted one by one",
    "the wire to PostgreSQL cut",
}
ALL = (*database_faults.FAULTS, *redis_faults.FAULTS, *instance_faults.FAULTS, *network_faults.FAULTS)
FAULTS = [fault for fault in ALL if fault.name in NAMES]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world_in_turn() -> AsyncIterator[World]:
    """Instances that may take next to nothing of a database with the optional indexes; nobody asks yet."""
    with passing_folder() as folder:
        world = World(folder, in_turn=True)
        async with world.running():
            yield world


@pytest_asyncio.fixture(loop_scope="session")
async def world(world_in_turn: World) -> AsyncIterator[World]:
    """That world, while many callers ask for each day and every answer is checked."""
    world_in_turn.checker.wrong.clear()
    world_in_turn.load = Load(world_in_turn.many_callers())
    world_in_turn.load.start()
    yield world_in_turn
    await world_in_turn.load.stop()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_every_day_stays_right(world: World, figures: Figures, fault: Fault) -> None:
    outcome = await trial(world, fault)
    assert world.checker.seen.oldest_reading > 0, "all days were read at once"
    figures.outcomes.append(outcome)
