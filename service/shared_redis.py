"""The fleet's Redis, behind the one circuit breaker that everything in this process asks it through.

Redis is never needed. When it does not answer it is left alone for a moment, so that a hung server does
not slow each request; then one caller finds out whether it is back, and nobody else waits for that. One
that answers with a refusal (it is full, or a read-only replica) is not away: others may still read.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from redis.asyncio import Redis
from redis.exceptions import ClusterError, MovedError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from service.certificates import refused

T = TypeVar("T")

# A Redis slower than this is slower than what it saves.
TIMEOUT_SECONDS = 1.0
REST_SECONDS = 1.0
# Longer than a hung server is waited for.
PROBE_SECONDS = 3.0
# An answer that took so much longer than it may waited for this process, which stood still.
STOOD_STILL_SECONDS = 2 * TIMEOUT_SECONDS
MAX_CONNECTIONS = 32
REFUSAL_LOG_SECONDS = 60.0
# A cluster that is down, or sends a command from one node to another, takes its time to say so.
_NO_ANSWER = (RedisConnectionError, RedisTimeoutError, ClusterError, OSError)
FOR_A_CLUSTER = "write redis+cluster://HOST:PORT/ in PARALLEL_OPS_REDIS_URL, or rediss+cluster:// for TLS"
MEANWHILE = "each process computes for itself, overlay figures are missing, callers are not limited"

log = structlog.get_logger(__name__)


class RedisAway(RedisError):
    """Redis cannot be used now."""


class UnusableValue(RedisError):
    """What stands in Redis is not what is read there; Redis itself is well, and is not left alone for it."""


class SharedRedis:
    """One client and one breaker for all of a process; see the module. `clock` never goes back."""

    def __init__(self, client: Redis, clock: Callable[[], float] = time.monotonic) -> None:
        self.client = client
        self._clock = clock
        # A client of a cluster or of sentinels fails where all its connections are in use.
        self._turns = asyncio.Semaphore(MAX_CONNECTIONS)
        self._rest_until = 0.0
        self._is_away = False
        self._log_refusals_at = 0.0

    async def ask(self, command: Callable[[Redis], Awaitable[T]]) -> T:
        """What the command gives. Raises RedisAway, at once while Redis is left alone."""
        now = self._clock()
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            if self._clock() - now > STOOD_STILL_SECONDS:
                return await self.ask(command)  # nothing is known of the others either
            raise RedisAway("all connections are in use") from None
        try:
            return await self._answer(command)
        finally:
            self._turns.release()

    async def _answer(self, command: Callable[[Redis], Awaitable[T]]) -> T:
        now = self._clock()
        if now < self._rest_until:
            raise RedisAway("left alone after a failure")
        if self._is_away:
            self._rest_until = now + PROBE_SECONDS
        try:
            result = await command(self.client)
        except UnusableValue:
            raise
        except _NO_ANSWER as error:
            if self._clock() - now > STOOD_STILL_SECONDS:
                return await self._answer(command)  # nothing is known of Redis
            self._leave_alone(error)
            raise RedisAway(str(error)) from error
        except RedisError as error:
            self._note_refusal(error)
            raise RedisAway(str(error)) from error
        if self._is_away:
            self._is_away, self._rest_until = False, 0.0
            log.info("redis is back")
        return result

    def _leave_alone(self, error: Exception) -> None:
        self._rest_until = self._clock() + REST_SECONDS
        if not self._is_away:
            why = str(refused("Redis", error) or error)
            log.warning("redis is away: going on with process memory", error=why, meanwhile=MEANWHILE)
        self._is_away = True

    def _note_refusal(self, error: Exception) -> None:
        """Log it now and then: each computation meets it."""
        now = self._clock()
        if now >= self._log_refusals_at:
            self._log_refusals_at = now + REFUSAL_LOG_SECONDS
            remedy = FOR_A_CLUSTER if isinstance(error, MovedError) else None
            log.warning("redis refuses a command", error=str(error), remedy=remedy, meanwhile=MEANWHILE)
