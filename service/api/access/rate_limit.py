"""How often one caller may ask, counted in Redis for all instances together.

While Redis is away everybody is let through: a limit is no reason to be down.
"""

import time
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING, Any

from service.api.context import RequestContext
from service.api.responses.errors import Refusal
from service.cache.keys import tagged
from service.shared_redis import RedisAway, SharedRedis
from service.tenants.tenant import EVERYBODY

if TYPE_CHECKING:
    from limits.aio.strategies import SlidingWindowCounterRateLimiter

# Tenants whose counters are at hand; making them takes a moment.
MOST_TENANTS = 1024


class RateLimit:
    """A sliding window for each caller, as "100/second" or "600/minute"; one atomic script a request."""

    def __init__(self, limit: str, redis: SharedRedis) -> None:
        from limits import parse  # noqa: PLC0415 - off by default, and not quick to import

        self._item = parse(limit)
        self._redis = redis
        self._windows = lru_cache(MOST_TENANTS)(self._window)

    async def check(self, context: RequestContext) -> None:
        """Count a request of its caller. Raises Refusal."""
        try:
            seconds = await self._redis.ask(lambda _: self._wait(context))
        except RedisAway:
            return
        if seconds is not None:
            message = f"too many requests from this caller; try again in {seconds} s"
            raise Refusal(429, "rate_limited", message, retry_after=str(seconds))

    async def _wait(self, context: RequestContext) -> int | None:
        """Seconds after which the caller may ask again; None when it may now."""
        window, caller = self._windows((context.tenant or EVERYBODY).tag), context.caller
        if await window.hit(self._item, caller):
            return None
        reset = (await window.get_window_stats(self._item, caller)).reset_time
        return max(1, ceil(reset - time.time()))

    def _window(self, tenant: str) -> "SlidingWindowCounterRateLimiter":
        """Counts the callers of a tenant."""
        from limits.aio.storage import RedisStorage  # noqa: PLC0415
        from limits.aio.strategies import SlidingWindowCounterRateLimiter  # noqa: PLC0415

        prefix = tagged("limits", tenant)
        storage = RedisStorage("async+redis://", implementation="redispy", key_prefix=prefix)
        # Our client, for there is no address by which the library would make one of the same kind and bounds.
        bridge: Any = storage.bridge
        bridge.connection_getter = lambda _: self._redis.client
        bridge.register_scripts()
        return SlidingWindowCounterRateLimiter(storage)
