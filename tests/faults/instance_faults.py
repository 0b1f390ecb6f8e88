"""What can happen to the instances of the service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.faults.checker import LATE
from tests.faults.trial import Fault
from tests.faults.world import World

END_SECONDS = 20


@asynccontextmanager
async def killed(world: World) -> AsyncIterator[None]:
    """One is gone from one moment to the next, with its computations and leases."""
    world.instances[0].kill()
    try:
        yield
    finally:
        world.instances[0].start()
        await world.instances[0].ready()


@asynccontextmanager
async def paused(world: World) -> AsyncIterator[None]:
    """One stands still for longer than a lease lasts, and then goes on as if nothing had been."""
    world.instances[0].pause()
    try:
        yield
    finally:
        world.instances[0].resume()


@asynccontextmanager
async def restarted_one_by_one(world: World) -> AsyncIterator[None]:
    """A new release: each ends in its own time and is there again before the next one goes."""
    for instance in world.instances:
        instance.process.terminate()
        assert await asyncio.to_thread(instance.process.wait, END_SECONDS) == 0
        instance.start()
        await instance.ready()
    yield


ONE, ALL = frozenset({"instance 0"}), frozenset({"instance 0", "instance 1", "instance 2"})
FAULTS = (
    Fault("an instance killed", killed, 4, breaks=ONE),
    Fault("an instance paused", paused, 7, excuses=(LATE,), breaks=ONE),
    Fault("all instances restarted one by one", restarted_one_by_one, 1, breaks=ALL),
)
