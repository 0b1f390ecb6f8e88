"""What can happen to Redis."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from random import Random
from typing import Any, cast

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from service.cache import entry
from service.cache.keys import NO_TENANT, VERSION, tagged
from tests.faults import outage
from tests.faults.checker import APART, DEGRADED
from tests.faults.outage import Outage
from tests.faults.trial import Fault
from tests.faults.world import World
from tests.faults.writers import ended

PREFIX = tagged(VERSION, NO_TENANT)
# Nobody listens on it, so a replica of it never gets any data.
NOBODY = ("127.0.0.1", 1)
NO_EXPIRY = -1
SPOIL_SECONDS = 0.1


def stopped(world: World) -> Outage:
    """An administrator stops it; it comes back without data."""
    return outage.away(world.valkey, partial(world.overlay.forgotten, world.valkey.stop))


def killed(world: World) -> Outage:
    """It is gone from one moment to the next, and comes back without data."""
    return outage.away(world.valkey, partial(world.overlay.forgotten, world.valkey.kill))


def restarted(world: World) -> Outage:
    """It is away for a moment only, and empty then."""
    return outage.momentary(killed(world))


def hung(world: World) -> Outage:
    """It takes connections and answers nothing."""
    return outage.hung(world.valkey)


@asynccontextmanager
async def full(world: World) -> AsyncIterator[None]:
    """It has no memory left and evicts nothing, so it refuses whatever would take some."""
    await world.redis.config_set("maxmemory-policy", "noeviction")
    await world.redis.config_set("maxmemory", 1)
    try:
        yield
    finally:
        await world.redis.config_set("maxmemory", 0)
    await _refused(world, "errorstat_OOM")


@asynccontextmanager
async def read_only(world: World) -> AsyncIterator[None]:
    """It has become the replica of a server that is away: it answers, and takes nothing."""
    await world.redis.replicaof(*NOBODY)
    try:
        yield
    finally:
        await world.redis.replicaof("NO", "ONE")
    await _refused(world, "errorstat_READONLY")


async def _refused(world: World, error: str) -> None:
    """The fault was felt: it refused something."""
    statistics = await world.redis.info("errorstats")
    assert error in statistics, statistics


@asynccontextmanager
async def slow(world: World) -> AsyncIterator[None]:
    """Every reply takes long, but not as long as anybody may wait."""
    async with AsyncExitStack() as stack:
        for _, wire in world.wires:
            await stack.enter_async_context(wire.slow(0.2))
        yield


@asynccontextmanager
async def garbage(world: World) -> AsyncIterator[None]:
    """Somebody writes nonsense under our keys, and leases that never end."""
    random = Random(1)

    async def spoil(redis: Redis, key: bytes) -> None:
        if key.endswith(b":lease"):
            await redis.set(key, "nobody's")
        elif random.random() < 0.2:
            await redis.delete(key)
            await redis.rpush(key, "a list")
        else:
            await redis.set(key, random.randbytes(random.randrange(200)), keepttl=True)

    async with _spoiling(world.redis, spoil):
        yield
    async for key in world.redis.scan_iter(f"{PREFIX}:*:lease", count=1000):
        if await world.redis.ttl(key) == NO_EXPIRY:
            await world.redis.delete(key)


@asynccontextmanager
async def older_version(world: World) -> AsyncIterator[None]:
    """Another release writes the same keys, in another format and with other figures."""

    async def spoil(redis: Redis, key: bytes) -> None:
        raw = None if key.endswith(b":lease") else await redis.get(key)
        if raw is not None:
            stored: Any = msgspec.msgpack.decode(cast("bytes", raw))
            if isinstance(stored, list) and len(stored) == 5 and stored[0] == entry.VERSION:
                older = [entry.VERSION - 1, *stored[1:4], _changed(stored[4])]
                await redis.set(key, msgspec.msgpack.encode(older), keepttl=True)

    async with _spoiling(world.redis, spoil):
        yield


def _changed(value: Any) -> Any:  # noqa: ANN401
    """The same with every number another."""
    match value:
        case int():
            return value + 1000
        case list():
            return [_changed(item) for item in value]
        case dict():
            return {key: _changed(item) for key, item in value.items()}
    return value


@asynccontextmanager
async def _spoiling(redis: Redis, spoil: Callable[[Redis, bytes], Awaitable[None]]) -> AsyncIterator[None]:
    async def keep_spoiling() -> None:
        while True:
            async for key in redis.scan_iter(f"{PREFIX}:*", count=1000):
                with suppress(RedisError, msgspec.MsgspecError, ValueError):  # other garbage
                    await spoil(redis, key)
            await asyncio.sleep(SPOIL_SECONDS)

    task = asyncio.create_task(keep_spoiling())
    try:
        yield
    finally:
        await ended(task)


Away = partial(Fault, excuses=(DEGRADED, APART), shows=("degraded",))
FAULTS = (
    Away("Redis stopped", stopped, 4),
    Away("Redis killed", killed, 4),
    Fault("Redis restarted, empty", restarted, 3, excuses=(DEGRADED, APART)),
    Away("Redis hung", hung, 5),
    Fault("Redis full", full, 4, excuses=(APART,)),
    Fault("Redis a read-only replica", read_only, 4, excuses=(APART,)),
    Fault("Redis slow", slow, 4, excuses=(DEGRADED, APART)),
    Fault("garbage under our keys", garbage, 4, excuses=(APART,)),
    Fault("values of an older version", older_version, 4, excuses=(APART,)),
)
