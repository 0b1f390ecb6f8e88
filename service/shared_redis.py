"""The fleet's Redis, behind the one circuit breaker that everything in this process asks it through.

Redis is never needed. After a failure it is left alone for a moment, so that a hung server does not
slow each request; then one caller finds out whether it is back, and nobody else waits for that.
"""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

T = TypeVar("T")

# A Redis slower than this is slower than what it saves.
TIMEOUT_SECONDS = 1.0
REST_SECONDS = 1.0
# Longer than a hung server is waited for.
PROBE_SECONDS = 3.0
MAX_CONNECTIONS = 32
MEANWHILE = "each process computes for itself, overlay figures are missing, callers are not limited"

log = structlog.get_logger(__name__)


class RedisAway(RedisError):
    """Redis cannot be used now."""


class UnusableValue(RedisError):
    """What stands in Redis is not what is read there; Redis itself is well, and is not left alone for it."""


class UnknownRedisOption(ValueError):
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
    """Raises UnknownRedisOption for an option that there is not, ValueError for other nonsense."""
    pool = connect(url).connection_pool
    try:
        pool.make_connection()  # type: ignore[no-untyped-call]
    except TypeError as error:
        name = str(error).rpartition(" argument ")[2]
        raise UnknownRedisOption(f"has an option that is not known: {name}") from None


class SharedRedis:
    """One client and one breaker for all of a process; see the module."""

    def __init__(self, client: Redis) -> None:
        self.client = client
        self._rest_until = 0.0
        self._is_away = False

    async def ask(self, command: Callable[[Redis], Awaitable[T]]) -> T:
        """What the command gives. Raises RedisAway, at once while Redis is left alone."""
        now = time.monotonic()
        if now < self._rest_until:
            raise RedisAway("left alone after a failure")
        if self._is_away:
            self._rest_until = now + PROBE_SECONDS
        try:
            result = await command(self.client)
        except UnusableValue:
            raise
        except (RedisError, OSError) as error:
            self._rest_until = time.monotonic() + REST_SECONDS
            if not self._is_away:
                log.warning(
                    "redis is away: going on with process memory", error=str(error), meanwhile=MEANWHILE
                )
            self._is_away = True
            raise RedisAway(str(error)) from error
        if self._is_away:
            self._is_away, self._rest_until = False, 0.0
            log.info("redis is back")
        return result
