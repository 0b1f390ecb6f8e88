"""Hours in little: half of what can be asked, while the data changes, and nothing grows."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from statistics import median

import pytest
import pytest_asyncio

from tests.faults import counts
from tests.faults.figures import Figures
from tests.faults.load import Load
from tests.faults.world import World, running_world

CAPACITY_SECONDS = 6
SAMPLE_SECONDS = 2
# Caches are filled by then, and what they hold of earlier ticks begins to be given up.
WARM_SECONDS = 30
MEGABYTE = 1024 * 1024
# Of three workers together, and of Redis; what comes and goes with each request and tick is not counted.
MAY_GROW = {"memory": 6 * MEGABYTE, "files": 0, "tasks": 10, "keys": 20}


@dataclass(frozen=True)
class Sample:
    """What all workers and Redis hold at a moment."""

    memory: int
    files: int
    tasks: int
    keys: int


@pytest_asyncio.fixture(loop_scope="session")
async def direct_world() -> AsyncIterator[World]:
    """Instances that reach their servers without a wire of ours, and callers without a limit."""
    async with running_world(wired=False, rate_limit=None) as world:
        yield world


@pytest.mark.timeout(3600)
async def test_nothing_grows(direct_world: World, figures: Figures, pytestconfig: pytest.Config) -> None:
    world, seconds = direct_world, 60 * float(pytestconfig.getoption("--minutes"))
    capacity = await _answers_a_second(world)
    callers = world.many_callers()
    world.load = Load(callers, interval=len(callers) / (capacity / 2))
    world.checker.excuse()
    world.load.start()
    await asyncio.sleep(WARM_SECONDS)
    samples = [sample async for sample in _samples(world, seconds - WARM_SECONDS)]
    await world.load.stop()
    _note(figures, capacity, world, samples)
    assert not world.checker.wrong, world.checker.wrong[:3]
    assert not world.load.broken, world.load.broken
    assert not counts.complaints(world.logs())
    for name, growth in MAY_GROW.items():
        before, after = _course(samples, name)
        assert after <= before + growth, f"{name}: {before} and then {after}"


def _course(samples: list[Sample], name: str) -> tuple[float, float]:
    """The medians of the first and the last third."""
    third = len(samples) // 3
    first, last = ([getattr(sample, name) for sample in part] for part in (samples[:third], samples[-third:]))
    return median(first), median(last)


def _note(figures: Figures, capacity: float, world: World, samples: list[Sample]) -> None:
    answers, seen = world.checker.seen.answers, len(samples)
    whole = f"{answers['200'] + answers['304']:,} answers checked"
    figures.long_load = [(f"{capacity:,.0f} a second at most, then half", f"{seen} samples", whole)]
    for name in MAY_GROW:
        before, after = _course(samples, name)
        unit = MEGABYTE if name == "memory" else 1
        figures.long_load.append((name, f"{before / unit:.0f}", f"{after / unit:.0f}"))


async def _answers_a_second(world: World) -> float:
    """What callers who never wait get, their checking included."""
    load = Load(world.many_callers(), interval=0)
    world.checker.excuse()
    load.start()
    await asyncio.sleep(CAPACITY_SECONDS)
    await load.stop()
    return (world.checker.seen.answers["200"] + world.checker.seen.answers["304"]) / CAPACITY_SECONDS


async def _samples(world: World, seconds: float) -> AsyncIterator[Sample]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        held = await world.holdings()
        yield Sample(
            memory=sum(worker.memory for worker in held),
            files=sum(worker.files for worker in held),
            tasks=sum(worker.tasks for worker in held),
            keys=await world.redis.dbsize(),
        )
        await asyncio.sleep(SAMPLE_SECONDS)
