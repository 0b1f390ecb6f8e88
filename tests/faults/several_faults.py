"""What can happen to a cluster, and to a primary that sentinels watch."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial

from parallel_ops_recorder import OverlayRecorder
from parallel_ops_recorder.keys import counts_key
from redis.exceptions import RedisError

from tests.faults.checker import APART, DEGRADED
from tests.faults.generations import START
from tests.faults.trial import Fault
from tests.faults.world import Several, World
from tests.faults.writers import ended
from tests.support.valkey_sets import ValkeyCluster
from tests.support.waiting import until

# Of a day that no window has, or it would change the figures that answers are held to.
LONG_AGO = START - timedelta(days=100)
KEY = counts_key(LONG_AGO)
PAUSE_SECONDS = 0.5
FAILOVER_SECONDS = 40


@asynccontextmanager
async def primary_killed(world: World) -> AsyncIterator[None]:
    """It is gone from one moment to the next, a replica takes its place, and it comes back as one."""
    several = _several(world)
    lost = several.owner(KEY)
    async with _counting(world):
        await world.overlay.kept(partial(several.lose, lost))
        yield
        await asyncio.to_thread(several.replace, lost, KEY)


@asynccontextmanager
async def primary_hung(world: World) -> AsyncIterator[None]:
    """It takes connections and answers nothing, a replica takes its place, and it comes back as one."""
    several = _several(world)
    lost = several.owner(KEY)
    async with _counting(world):
        await world.overlay.kept(lost.pause)
        yield
        await asyncio.to_thread(several.replace, lost, KEY)


@asynccontextmanager
async def slots_moved(world: World) -> AsyncIterator[None]:
    """An administrator moves the slot of all our keys from one primary to another, again and again."""
    several = _several(world)
    assert isinstance(several, ValkeyCluster)
    async with _counting(world):
        done = asyncio.Event()
        moving = asyncio.create_task(_keep_moving(several, done))
        yield
        done.set()
        await moving


async def _keep_moving(cluster: ValkeyCluster, done: asyncio.Event) -> None:
    while not done.is_set():
        await asyncio.to_thread(cluster.move, KEY)
        await asyncio.sleep(PAUSE_SECONDS)


@asynccontextmanager
async def _counting(world: World) -> AsyncIterator[None]:
    """A program counts lookups during the block; each arrives exactly once."""
    url = world.settings.redis_url
    before = await _hits(world)
    with OverlayRecorder(url, 0, 0, flush_seconds=0.05, clock=LONG_AGO.timestamp) as recorder:
        served = 0

        async def serve() -> None:
            nonlocal served
            while True:
                recorder.hit()
                served += 1
                await asyncio.sleep(0.002)

        serving = asyncio.create_task(serve())
        try:
            yield
        finally:
            await ended(serving)
        await until(lambda: _all_arrived(world, before + served), FAILOVER_SECONDS)
    assert (recorder.dropped, await _hits(world)) == (0, before + served)


async def _all_arrived(world: World, hits: int) -> bool:
    with suppress(RedisError):  # of a connection that has not been used since
        return await _hits(world) == hits
    return False


async def _hits(world: World) -> int:
    return sum(map(int, await world.redis.hvals(KEY)))


def _several(world: World) -> Several:
    assert world.several is not None
    return world.several


Felt = partial(Fault, seconds=5, excuses=(DEGRADED, APART))
OF_A_CLUSTER = (
    Felt("slots of a cluster moved", slots_moved),
    Felt("a cluster's primary killed", primary_killed),
    Felt("a cluster's primary hung", primary_hung),
)
OF_SENTINELS = (
    Felt("a primary killed that sentinels watch", primary_killed),
    Felt("a primary hung that sentinels watch", primary_hung),
)
