"""Redis as the fleet's shared memory: values, and leases on their computation."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import cast

import structlog
from redis.asyncio import Redis
from redis.asyncio.lock import Lock
from redis.exceptions import LockError, RedisError

from service.cache.keys import NO_TENANT, pattern_of
from service.shared_redis import SharedRedis

_NO_EXPIRY = -1

log = structlog.get_logger(__name__)


class Store:
    """Values by key, each with an expiry, and leases that end by themselves. All raise RedisAway.

    `tenant` is what the keys of whoever uses it carry.
    """

    def __init__(self, redis: SharedRedis, lease_seconds: float, tenant: str = NO_TENANT) -> None:
        self.tenant = tenant
        self._redis = redis
        self._lease_seconds = lease_seconds

    async def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of keys, None where there is none."""
        found = await self._redis.ask(lambda redis: redis.mget(keys))
        return cast("list[bytes | None]", found)

    async def add(self, key: str, value: bytes, expires_in: float) -> bool:
        """Keep a value for some seconds, unless there is one already."""
        expiry = _milliseconds(expires_in)
        return bool(await self._redis.ask(lambda redis: redis.set(key, value, px=expiry, nx=True)))

    async def put_all(self, values: Mapping[str, bytes], expires_in: float) -> None:
        """Keep values for some seconds, in one round trip."""
        expiry = _milliseconds(expires_in)

        async def put(redis: Redis) -> None:
            async with redis.pipeline(transaction=False) as pipe:
                for key, value in values.items():
                    pipe.set(key, value, px=expiry)
                await pipe.execute()

        await self._redis.ask(put)

    async def drop(self, keys: Sequence[str]) -> None:
        """Forget the values of keys."""
        await self._redis.ask(lambda redis: redis.unlink(*keys))

    async def put(self, key: str, value: bytes, expires_in: float) -> None:
        """Keep a value for some seconds, whatever stands there."""
        expiry = _milliseconds(expires_in)
        await self._redis.ask(lambda redis: redis.set(key, value, px=expiry))

    async def lease(self, name: str) -> "Lease | None":
        """The lease of that name, or None while another holds it."""
        lock = self._redis.client.lock(name, timeout=self._lease_seconds, thread_local=False)
        if await self._redis.ask(lambda _: lock.acquire(blocking=False)):
            return Lease(lock, self._lease_seconds)
        left = await self._redis.ask(lambda redis: redis.pttl(name))
        if left == _NO_EXPIRY or left > _milliseconds(self._lease_seconds):
            log.warning("lease without our expiry removed: not written by this service", key=pattern_of(name))
            await self._redis.ask(lambda redis: redis.delete(name))
        return None


class Lease:
    """The right to compute something alone, kept alive until it is given back."""

    def __init__(self, lock: Lock, seconds: float) -> None:
        self._lock = lock
        self._seconds = seconds

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Hold the lease over a block, however long that takes; it ends with the block."""
        renewal = asyncio.create_task(self._renew())
        try:
            yield
        finally:
            renewal.cancel()
            # A lease that is lost or cannot be given back ends by its expiry.
            with suppress(LockError, RedisError, OSError):
                await self._lock.release()

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._seconds / 3)
            with suppress(RedisError, OSError):
                await self._lock.reacquire()


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
