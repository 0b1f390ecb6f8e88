"""Faults while days are read in turn: every day of an answer is of one reading, and that is young enough."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from tests.faults.all_faults import FAULTS as ALL
from tests.faults.figures import Figures
from tests.faults.trial import Fault, trial
from tests.faults.world import World, running_world

# What changes who reads which days, and what they leave each other.
NAMES = (
    "PostgreSQL killed",
    "a statement too slow",
    "Redis restarted, empty",
    "Redis full",
    "garbage under our keys",
    "an instance killed",
    "all instances restarted one by one",
    "the wire to PostgreSQL cut",
)
FAULTS = [{fault.name: fault for fault in ALL}[name] for name in NAMES]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world_in_turn() -> AsyncIterator[World]:
    """Instances that may take next to nothing of a database with the optional indexes; nobody asks yet."""
    async with running_world(in_turn=True) as world:
        yield world


@pytest_asyncio.fixture(loop_scope="session")
async def world(world_in_turn: World) -> AsyncIterator[World]:
    """That world, while many callers ask for each day and every answer is checked."""
    async with world_in_turn.under_load():
        yield world_in_turn


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_every_day_stays_right(world: World, figures: Figures, fault: Fault) -> None:
    outcome = await trial(world, fault)
    assert world.checker.seen.oldest_reading > 0, "all days were read at once"
    figures.outcomes.append(replace(outcome, name=f"{outcome.name}, days in turn"))
