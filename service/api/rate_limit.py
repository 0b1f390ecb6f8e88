"""How often one caller may ask, counted in Redis for all instances together.

While Redis is away everybody is let through: a limit is no reason to be down.
"""

import time
from math import ceil

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

PREFIX = "parallel-ops:limits"
REST_SECONDS = 1.0
# Longer than a hung Redis is waited for.
PROBE_SECONDS = 3.0

log = structlog.get_logger(__name__)


class RateLimit:
    """A sliding window for each caller, as "100/second" or "600/minute"; one atomic script a request."""

    def __init__(self, limit: str, redis: Redis) -> None:
        from limits import parse  # noqa: PLC0415 - off by default, and not quick to import
        from limits.aio.storage import RedisStorage  # noqa: PLC0415
        from limits.aio.strategies import SlidingWindowCounterRateLimiter  # noqa: PLC0415

        self._item = parse(limit)
        storage = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix=PREFIX,
            connection_pool=redis.connection_pool,  # type: ignore[arg-type]
        )
        self._window = SlidingWindowCounterRateLimiter(storage)
        self._rest_until = 0.0
        self._away = False

    async def wait(self, caller: str) -> int | None:
        """Seconds after which this caller may ask again; None when it may now, which is counted."""
        now = time.monotonic()
        if now < self._rest_until:
            return None
        if self._away:  # one caller finds out whether it is back, and nobody else waits for that
            self._rest_until = now + PROBE_SECONDS
        try:
            allowed = await self._window.hit(self._item, caller)
            reset = None if allowed else (await self._window.get_window_stats(self._item, caller)).reset_time
        except (RedisError, OSError) as error:
            self._rest_until = time.monotonic() + REST_SECONDS
            if not self._away:
                log.warning("redis is away: callers are not limited", error=str(error))
            self._away = True
            return None
        self._away, self._rest_until = False, 0.0
        return None if reset is None else max(1, ceil(reset - time.time()))
