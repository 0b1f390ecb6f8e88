"""How often one caller may ask, counted in Redis for all instances together.

While Redis is away everybody is let through: a limit is no reason to be down.
"""

import time
from math import ceil
from typing import Any

from service.api.context import RequestContext
from service.api.responses.errors import Refusal
from service.cache.keys import tagged
from service.shared_redis import RedisAway, SharedRedis

PREFIX = tagged("limits")


class RateLimit:
    """A sliding window for each caller, as "100/second" or "600/minute"; one atomic script a request."""

    def __init__(self, limit: str, redis: SharedRedis) -> None:
        from limits import parse  # noqa: PLC0415 - off by default, and not quick to import
        from limits.aio.storage import RedisStorage  # noqa: PLC0415
        from limits.aio.strategies import SlidingWindowCounterRateLimiter  # noqa: PLC0415

        self._item = parse(limit)
        storage = RedisStorage("async+redis://", implementation="redispy", key_prefix=PREFIX)
        # Our client, for there is no address by which the library would make one of the same kind and bounds.
        bridge: Any = storage.bridge
        bridge.connection_getter = lambda _: redis.client
        bridge.register_scripts()
        self._window = SlidingWindowCounterRateLimiter(storage)
        self._redis = redis

    async def check(self, context: RequestContext) -> None:
        """Count a request of its caller. Raises Refusal."""
        try:
            seconds = await self._redis.ask(lambda _: self._wait(context.caller))
        except RedisAway:
            return
        if seconds is not None:
            message = f"too many requests from this caller; try again in {seconds} s"
            raise Refusal(429, "rate_limited", message, retry_after=str(seconds))

    async def _wait(self, caller: str) -> int | None:
        """Seconds after which this caller may ask again; None when it may now."""
        if await self._window.hit(self._item, caller):
            return None
        reset = (await self._window.get_window_stats(self._item, caller)).reset_time
        return max(1, ceil(reset - time.time()))
