"""Redis as the fleet's shared memory: values, and leases on their computation.

Redis is never needed: every failure of it is the one exception StoreAway, and after a failure it
is left alone for a moment, so that a hung server does not slow each request.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TypeVar, cast

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.lock import Lock
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import LockError, RedisError

T = TypeVar("T")

# A store slower than this is slower than what it saves.
TIMEOUT_SECONDS = 1.0
REST_SECONDS = 1.0
MAX_CONNECTIONS = 32
_NO_EXPIRY = -1

log = structlog.get_logger(__name__)


class StoreAway(Exception):
    """Redis cannot be used now."""


class UnknownOption(ValueError):
    """A URL has an option that the client does not have; the message names it, and no value."""


def connect(url: str) -> Redis:
    """A client that gives up soon. A connection that was closed meanwhile is replaced once."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=MAX_CONNECTIONS,
        timeout=TIMEOUT_SECONDS,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
    )
    return Redis.from_pool(pool)


def check_url(url: str) -> None:
    """Raises UnknownOption for an option that the client does not have, ValueError for other nonsense."""
    pool = connect(url).connection_pool
    try:
        pool.make_connection()  # type: ignore[no-untyped-call]
    except TypeError as error:
        name = str(error).rpartition(" argument ")[2]
        raise UnknownOption(f"has an option that is not known: {name}") from None


class Store:
    """Values by key, each with an expiry, and leases that end by themselves."""

    def __init__(self, redis: Redis, lease_seconds: float) -> None:
        self._redis = redis
        self._lease_seconds = lease_seconds
        self._rest_until = 0.0
        self._away = False

    async def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of keys, None where there is none. Raises StoreAway."""
        found = await self._ask(lambda: self._redis.mget(keys))
        return cast("list[bytes | None]", found)

    async def add(self, key: str, value: bytes, expires_in: float) -> bool:
        """Keep a value for some seconds, unless there is one already. Raises StoreAway."""
        expiry = _milliseconds(expires_in)
        return bool(await self._ask(lambda: self._redis.set(key, value, px=expiry, nx=True)))

    async def put(self, key: str, value: bytes, expires_in: float) -> None:
        """Keep a value for some seconds, whatever stands there. Raises StoreAway."""
        expiry = _milliseconds(expires_in)
        await self._ask(lambda: self._redis.set(key, value, px=expiry))

    async def lease(self, name: str) -> "Lease | None":
        """The lease of that name, or None while another holds it. Raises StoreAway."""
        lock = self._redis.lock(name, timeout=self._lease_seconds, thread_local=False)
        if await self._ask(lambda: lock.acquire(blocking=False)):
            return Lease(lock, self._lease_seconds)
        if await self._ask(lambda: self._redis.pttl(name)) == _NO_EXPIRY:
            log.warning("lease without an expiry removed: not written by this service", key=name)
            await self._ask(lambda: self._redis.delete(name))
        return None

    async def _ask(self, command: Callable[[], Awaitable[T]]) -> T:
        if time.monotonic() < self._rest_until:
            raise StoreAway("left alone after a failure")
        try:
            result = await command()
        except (RedisError, OSError) as error:
            self._rest_until = time.monotonic() + REST_SECONDS
            if not self._away:
                log.warning("redis is away: going on with process memory", error=str(error))
            self._away = True
            raise StoreAway(str(error)) from error
        if self._away:
            self._away = False
            log.info("redis is back")
        return result


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
